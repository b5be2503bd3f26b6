"""JSON Schemas that an independent validator takes, and real values that pass them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import jsonschema
import msgspec
import pytest

from idl_like_interfaces.daqif import AlertSeverity, DaqAlert, DaqState, DaqStatus, DaqSubstate
from idl_like_interfaces.declare import Interface
from idl_like_interfaces.documents import (
    FitsKeywordsSource,
    OlasReceiver,
    PrimarySource,
    StartDaqV2Specification,
)
from idl_like_interfaces.events import Batch
from idl_like_interfaces.idl.registry import declared
from idl_like_interfaces.idl.schema import (
    declared_structs,
    schema_of_interface,
    schema_of_struct,
)
from idl_like_interfaces.keywords import EsoKeyword, ValueKeyword
from idl_like_interfaces.mapping.coding import encode_inline, to_plain
from idl_like_interfaces.octets import OctetBlocks
from tests.support.echo import Circle, Point, Sample, Square

NOW = datetime(2026, 3, 1, 22, 0, 0, tzinfo=UTC)

STATUS = DaqStatus(
    id="d1",
    file_id="STIS.d1",
    state=DaqState.ACQUIRING,
    substate=DaqSubstate.ACQUIRING,
    timestamp=1.5,
    alerts=[DaqAlert(id="a", severity=AlertSeverity.WARNING, description="cold", time=NOW)],
)

SPECIFICATION = StartDaqV2Specification(
    sources=[
        PrimarySource(source_name="dcs1", rr_uri="obs/sources/dcs1/rec"),
        FitsKeywordsSource(
            source_name="kw",
            keywords=[
                ValueKeyword(name="OBSERVER", value="me"),
                EsoKeyword(name="DET CHIP GAIN", value=1.5),
            ],
        ),
    ],
    receivers=[OlasReceiver(path="/data/out")],
)

SAMPLE = Sample(
    flag=True,
    number=7,
    real=0.5,
    text="ü",
    time=NOW,
    shapes=[Circle(radius=1.0), Square(side=2.0, corners=[Point(x_axis=1)])],
    table={"a": Point(x_axis=2)},
)

BATCH = Batch(
    source="obs/ocm", incarnation="i", first=1, topics=["t"], records=OctetBlocks.of([b"ab", b"c"])
)


def check(value: Any, plain: Any) -> None:
    """Let the validator judge a value on the wire."""
    jsonschema.Draft202012Validator(schema_of_struct(type(value))).validate(plain)


@pytest.mark.parametrize("value", [STATUS, SPECIFICATION, SAMPLE, BATCH], ids=repr)
def test_a_value_as_it_travels_passes(value: Any) -> None:
    """With its names on the wire, tags, times, and octets in the annex."""
    check(value, to_plain(value))


def test_octets_of_a_stock_client_pass() -> None:
    """As serpent gives them: base64 texts."""
    plain = to_plain(msgspec.structs.replace(BATCH, records=OctetBlocks()))
    plain["records"] = [{"data": "YWI=", "encoding": "base64"}]
    check(BATCH, plain)
    assert isinstance(encode_inline(BATCH)["records"][0], bytes)  # what serpent turns into those


WRONG = [
    ("fileId", 1, STATUS),
    ("file_id", "x", STATUS),
    ("substate", "Dreaming", STATUS),
    ("timestamp", "now", STATUS),
    ("alerts", [{}], STATUS),
    ("sources", [{"type": "unheardOf", "sourceName": "a"}], SPECIFICATION),
    ("filePrefix", "no blanks", SPECIFICATION),
    ("records", {"octets@": [0]}, BATCH),
    ("records", {"octets@": [0, [-1]]}, BATCH),
]


@pytest.mark.parametrize(("field", "wrong", "value"), WRONG)
def test_a_wrong_value_does_not_pass(field: str, wrong: Any, value: Any) -> None:
    """What an object refuses with BadParam."""
    with pytest.raises(jsonschema.ValidationError):
        check(value, to_plain(value) | {field: wrong})


@pytest.mark.parametrize("name", declared_structs())
def test_the_schema_of_each_struct_is_one(name: str) -> None:
    """Draft 2020-12, with all that it refers to, and every field described as declared."""
    schema = schema_of_struct(declared_structs()[name])
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$ref"].removeprefix("#/$defs/") in schema["$defs"]
    assert "1.797" not in str(schema)


@pytest.mark.parametrize("interface", declared(), ids=lambda each: each.repository_id)
def test_the_schema_of_an_interface_has_all_its_types(interface: Interface) -> None:
    """One document, under the repository id."""
    schema = schema_of_interface(interface)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == interface.repository_id


def test_documents_and_bodies_of_events_are_among_the_structs() -> None:
    """They travel as JSON text and in events, so no operation names them."""
    assert {"StartDaqV2Specification", "Heartbeat", "FileFinished"} <= declared_structs().keys()


def test_fields_have_their_documents() -> None:
    """The text of ``Attributes`` stands at the field, under its name on the wire."""
    fields = schema_of_struct(DaqStatus)["$defs"]["DaqStatus"]["properties"]
    assert fields["fileId"]["description"].startswith("``{instrument}.")
    assert (
        "description"
        not in schema_of_struct(Batch)["$defs"]["Batch"]["properties"]["records"]["anyOf"][0]
    )
