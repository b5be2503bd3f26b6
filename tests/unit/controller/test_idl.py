"""``obsorb idl`` over the declarations and over living objects."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from idl_like_interfaces.description import InterfaceDescription
from idl_like_interfaces.idl.registry import declared
from tests.interfaces.reference import FROZEN
from tests.support.small import SmallInstallation
from tests.unit.controller.running import document, obsorb, ok, refused

OBJECTS = ("obs/ocm/daq", "obs/ocm/std", "obs/events", "obs/log")

OLD_NAMING = str(FROZEN / "omg.org.CosNaming.NamingContext-1.0.json")


def test_list_shows_every_interface() -> None:
    """One a line, with version, number of operations and module."""
    lines = ok("idl", "list").splitlines()
    assert len(lines) == len(declared())
    (line,) = [each for each in lines if "OcmDaqControl" in each]
    assert line.split() == [
        "IDL:obsorb/daqif/OcmDaqControl:3.2", "13", "operations", "daqif",
    ]  # fmt: skip


def test_list_as_json() -> None:
    """The same with name and digest."""
    found = {each["name"]: each for each in document("idl", "list")}
    assert found["Object"]["version"] == "1.1"
    assert len(found["Object"]["digest"]) == 16


@pytest.mark.parametrize(
    "interface",
    ["OcmDaqControl", "daqif/OcmDaqControl", "IDL:obsorb/daqif/OcmDaqControl",
     "IDL:obsorb/daqif/OcmDaqControl:3.2", "idl_like_interfaces.daqif:OcmDaqControl"],
)  # fmt: skip
def test_show_takes_every_kind_of_name(interface: str) -> None:
    """Repository id, name, path, or Python class."""
    assert "interface OcmDaqControl {" in ok("idl", "show", interface)


def test_show_of_an_own_interface() -> None:
    """One that obsorb does not declare."""
    text = ok("idl", "show", "tests.support.echo:Echo")
    assert "interface Echo {" in text
    assert "/**" in text


def test_show_as_json_is_a_description() -> None:
    """As an object tells it, ready for ``diff``."""
    found = document("idl", "show", "OcmDaqControl")
    assert found["repository_id"] == "IDL:obsorb/daqif/OcmDaqControl:3.2"
    assert set(found) == set(InterfaceDescription.__struct_fields__) - {"bases"}


@pytest.mark.parametrize(
    ("interface", "hint"),
    [
        ("OcmDacControl", "did you mean OcmDaqControl"),
        ("IDL:obsorb/daqif/OcmDaqControl:9.0", "there is IDL:obsorb/daqif/OcmDaqControl:3.2"),
        ("no.such.module:Thing", "is not a declared interface"),
        ("IDL:?", "is not of the form"),
        ("PYRO:nonsense", "not a reference"),
    ],
)
def test_show_of_nothing_says_what_there_is(interface: str, hint: str) -> None:
    """With the nearest names."""
    text = refused("idl", "show", interface)
    assert hint in text
    assert "remedy: " in text


def test_schema_of_a_struct() -> None:
    """A JSON document with the names on the wire."""
    found = json.loads(ok("idl", "schema", "DaqStatus"))
    assert "fileId" in found["$defs"]["DaqStatus"]["properties"]


def test_schema_of_an_interface() -> None:
    """All structs in one document."""
    found = json.loads(ok("idl", "schema", "OcmDaqControl"))
    assert {"DaqStatus", "DaqReply", "DaqState"} <= found["$defs"].keys()


@pytest.mark.parametrize(
    "arguments", [["idl"], ["idl", "show"], ["idl", "diff", "LogService"], ["idl", "draw"]]
)
def test_wrong_usage_has_its_own_exit_code(arguments: list[str]) -> None:
    """Exit code 2, before anything is looked up."""
    refused(*arguments, code=2)


def test_schema_of_nothing_says_what_there_is() -> None:
    """Structs and interfaces are looked through."""
    assert "did you mean DaqStatus" in refused("idl", "schema", "DacStatus")


def test_diff_of_the_same_is_identical() -> None:
    """Exit code 0."""
    assert ok("idl", "diff", "EventChannel", "EventChannel").startswith("identical")


def test_diff_with_an_older_file_is_compatible() -> None:
    """What is new has its own line; roles are notes."""
    text = ok("idl", "diff", OLD_NAMING, "NamingContext")
    assert text.startswith("compatible: clients of IDL:omg.org/CosNaming/NamingContext:1.0")
    assert "  minor  resolve_many: the operation is new" in text
    assert document("idl", "diff", OLD_NAMING, "NamingContext")["verdict"] == "compatible"


def test_diff_backwards_is_incompatible() -> None:
    """Exit code 1, the breaking differences first; the document is printed all the same."""
    assert "cannot work with" in refused("idl", "diff", "NamingContext", OLD_NAMING)
    result = obsorb("idl", "diff", "NamingContext", OLD_NAMING, "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["verdict"]) == (1, "incompatible")
    assert "went back" in found["version"]
    assert found["differences"][0]["weight"] == "major"
    paths = {each["path"]: each["why"] for each in found["differences"]}
    assert paths["resolve_many"] == "the operation is missing"


def test_diff_reads_stdin() -> None:
    """What ``show --json`` writes can be piped."""
    told = ok("idl", "show", "LogService", "--json")
    assert ok("idl", "diff", "LogService", "-", input=told).startswith("identical")


def test_diff_of_a_wrong_file_is_refused(tmp_path: Path) -> None:
    """A file that is not there, or is something else."""
    path = tmp_path / "a.json"
    assert "cannot be read" in refused("idl", "diff", str(path), "LogService")
    for text in ("{}", '{"repository_id": "x"}', "[" * 5000):
        path.write_text(text)
        assert "is not the description" in refused("idl", "diff", str(path), "LogService")


@pytest.mark.parametrize("name", OBJECTS)
def test_check_passes_for_every_object(small: SmallInstallation, name: str) -> None:
    """Real servants keep their interfaces; none of their operations was executed."""
    found = document("idl", "check", name)
    assert [each for each in found["checks"] if each["outcome"] == "failed"] == []
    assert found["passed"]
    assert small.ocm.calls == []


def test_check_passes_for_the_name_service(small: SmallInstallation) -> None:
    """By its reference, beside its facade for stock clients."""
    uri = f"PYRO:NameService@{small.address}"
    lines = ok("idl", "check", uri, "--interface", "NamingContext").splitlines()
    assert lines[-1].endswith("0 failed, 1 skipped") or lines[-1].endswith("0 failed, 0 skipped")
    assert any("passed   wrong bind(name) is refused" in each for each in lines)


def test_check_against_another_interface_fails(small: SmallInstallation) -> None:
    """Exit code 1; what failed stands on stderr, with the remedy."""
    text = refused("idl", "check", "obs/events", "--interface", "LogService")
    assert "does not keep its interface: the interface is the declared one" in text
    assert "obsorb idl diff" in text


def test_check_of_a_context_or_of_nothing_is_refused(small: SmallInstallation) -> None:
    """Only objects can be asked."""
    assert "is a context" in refused("idl", "check", "obs/ocm")
    assert "obs/nothing" in refused("idl", "check", "obs/nothing")


def test_a_living_object_is_shown_and_compared(small: SmallInstallation) -> None:
    """By its name, as it tells itself."""
    assert "interface EventChannel {" in ok("idl", "show", "obs/events")
    assert ok("idl", "diff", "EventChannel", "obs/events").startswith("identical")
    assert "another interface" in refused("idl", "diff", "obs/events", "obs/log")


def test_the_name_server_itself_is_examined(small: SmallInstallation) -> None:
    """By its well-known name, under which it is not bound."""
    assert document("idl", "check", "NameService")["passed"]
