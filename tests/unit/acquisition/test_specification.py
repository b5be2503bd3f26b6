"""Arguments and documents are read into plans, or refused naming the field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from idl_like_interfaces.daqif import DaqException
from idl_like_interfaces.documents import MetadataSource, PrimarySource
from idl_like_interfaces.keywords import ValueKeyword
from objects.acquisition.specification import Plan, keywords_of, plan_v1, plan_v2

A = {"type": "primarySource", "sourceName": "a", "rrUri": "obs/a"}
M = {"type": "metadataSource", "sourceName": "m", "rrUri": "obs/m"}
K: dict[str, Any] = {"type": "fitsKeywords", "sourceName": "k", "keywords": []}


def v1(**arguments: str) -> Plan:
    """Read the arguments of V1, one good primary source by default."""
    defaults = {"id": "", "file_prefix": "", "prim_sources": "a@obs/a", "meta_sources": ""}
    return plan_v1(**({"properties": ""} | defaults | arguments))


def v2(**members: Any) -> Plan:
    """Read a document of V2, one good primary source by default."""
    return plan_v2(json.dumps({"sources": [A]} | members))


@pytest.mark.spec("ESO-005")
def test_several_items_are_separated_by_blanks() -> None:
    """Names and references come out in order, also of a URI that holds an @."""
    plan = v1(prim_sources="a@obs/a  b@PYRO:rec@host:4711", meta_sources=" m@obs/m ")
    assert plan.sources == [
        PrimarySource(source_name="a", rr_uri="obs/a"),
        PrimarySource(source_name="b", rr_uri="PYRO:rec@host:4711"),
        MetadataSource(source_name="m", rr_uri="obs/m"),
    ]


@pytest.mark.spec("ESO-006")
def test_no_source_at_all_is_refused() -> None:
    """V1 needs at least one source."""
    with pytest.raises(DaqException, match="no source"):
        v1(prim_sources="")


@pytest.mark.spec("ESO-007")
@pytest.mark.parametrize("item", ["a", "@obs/a", "a@", "a@x b"])
def test_a_malformed_item_is_refused(item: str) -> None:
    """The message shows the item and the form that was wanted."""
    with pytest.raises(DaqException, match="name@rrUri"):
        v1(prim_sources=item)


@pytest.mark.parametrize("uri", ["PYRO:", "PYRO:rec", "PYRO:rec@host", "PYRO:rec@host:port"])
def test_what_begins_as_a_uri_and_is_none_is_refused(uri: str) -> None:
    """Before anything is started, naming the source that it was given for."""
    with pytest.raises(DaqException, match=r"\[0\]\.rrUri: .* is not a URI"):
        v1(prim_sources=f"a@{uri}")
    with pytest.raises(DaqException, match=r"sources\[1\]\.rrUri: .* is not a URI"):
        v2(sources=[A, M | {"rrUri": uri}])


@pytest.mark.spec("ESO-008")
@pytest.mark.parametrize("prefix", ["a/b", "a b", "ä", "x" * 65])
def test_a_prefix_of_other_characters_is_refused(prefix: str) -> None:
    """The message names the allowed set."""
    with pytest.raises(DaqException, match=r"\[-a-zA-Z0-9_\.\]"):
        v1(file_prefix=prefix)


@pytest.mark.spec("ESO-009", "ESO-013")
def test_empty_properties_are_the_defaults() -> None:
    """Await interval 5 s, no keywords."""
    plan = v1(properties="")
    assert (plan.await_interval, plan.keywords) == (5.0, [])


@pytest.mark.spec("ESO-010", "ESO-011", "ESO-012")
@pytest.mark.parametrize(
    ("properties", "field"),
    [
        ("[]", "properties"),
        ("3", "properties"),
        ("{", "properties"),
        ('{"awaitInterval": "5"}', "properties.awaitInterval"),
        ('{"awaitInterval": -1}', "properties.awaitInterval"),
        ('{"awaitInterval": null}', "properties.awaitInterval"),
    ],
)
def test_wrong_properties_are_refused_by_their_path(properties: str, field: str) -> None:
    """No object, no number, negative: the path says which."""
    with pytest.raises(DaqException, match=field):
        v1(id="x", properties=properties)


def test_unknown_properties_are_passed_over_and_told() -> None:
    """V1 warns of a member that nobody knows, at any depth, and goes on."""
    keyword = {"type": "valueKeyword", "name": "A", "value": 1, "unit": "m"}
    plan = v1(properties=json.dumps({"interval": 5, "keywords": [keyword]}))
    assert plan.unknown == ["properties.interval", "properties.keywords[0].unit"]
    assert plan.keywords == [ValueKeyword(name="A", value=1)]


@pytest.mark.spec("ESO-014")
@pytest.mark.parametrize(("given", "read"), [({}, 10.0), (3, 3.0), (2.5, 2.5)])
def test_the_interval_of_v2(given: Any, read: float) -> None:
    """10 s by default; integer and float are both good."""
    members = {} if given == {} else {"awaitCompletionInterval": given}
    assert v2(**members).await_interval == read


@pytest.mark.spec("ESO-018")
def test_an_unknown_type_of_source_is_refused() -> None:
    """The path shows the source; the older name of ESO gets a hint."""
    with pytest.raises(DaqException, match=r"specification\.sources\[0\]\.type"):
        v2(sources=[A | {"type": "camera"}])
    with pytest.raises(DaqException) as refused:
        v2(sources=[A | {"type": "primaryDataSource"}])
    assert "primarySource" in refused.value.remedy


@pytest.mark.spec("ESO-019")
def test_a_text_that_is_not_json_is_refused() -> None:
    """With a DaqException, whatever the text is."""
    for text in ("", "{", "sources", "[]"):
        with pytest.raises(DaqException):
            plan_v2(text)


@pytest.mark.spec("ESO-020")
@pytest.mark.parametrize("name", ["b", "k"])
def test_a_target_must_be_a_source_of_files(name: str) -> None:
    """Neither an unknown source nor one of keywords can be the target."""
    with pytest.raises(DaqException, match="mergeTarget"):
        v2(sources=[A, K], mergeTarget={"sourceName": name})


def test_a_target_is_kept() -> None:
    """The name of the source whose first file is built in."""
    assert v2(sources=[A, M], mergeTarget={"sourceName": "m"}).merge_target == "m"


@pytest.mark.parametrize(
    "wrong",
    [
        {"sources": [A | {"rrUri": ""}]},
        {"sources": [A | {"sourceName": "a/b"}]},
        {"sources": [A | {"exposure": 3}]},
        {"sources": []},
        {"id": "a/b"},
        {"receivers": [{"type": "olasReceiver", "path": "relative"}]},
        {"unknown": 1},
        {"filePrefix": "a b"},
    ],
)
def test_wrong_fields_of_v2_are_refused(wrong: dict[str, Any]) -> None:
    """Unknown members, wrong characters, empty lists."""
    with pytest.raises(DaqException):
        v2(**wrong)


@pytest.mark.parametrize("sources", [[A, A], [A, M | {"sourceName": "a"}]])
def test_names_are_unique(sources: list[Any]) -> None:
    """Two sources of one name are refused, and the coordinator's own name is taken."""
    with pytest.raises(DaqException, match="name 'a'"):
        v2(sources=sources)
    with pytest.raises(DaqException, match="coordinator itself"):
        v1(prim_sources="ocm@obs/a")


def test_an_id_of_other_characters_is_refused() -> None:
    """It becomes part of file names."""
    with pytest.raises(DaqException, match="id"):
        v1(id="../x")


@pytest.mark.parametrize(
    ("keyword", "what"),
    [
        ({"type": "valueKeyword", "name": "TOOLONGNAME", "value": 1}, "name"),
        ({"type": "valueKeyword", "name": "OBJECT", "value": "Ω Cen"}, "ASCII"),
        ({"type": "esoKeyword", "name": "N" * 60, "value": "x" * 6}, "characters"),
        ({"type": "valueKeyword", "name": "N", "value": 2**64}, "64 bits"),
        ({"type": "valueKeyword", "name": "N", "value": None}, "value"),
        ({"type": "literalKeyword", "value": "x" * 81}, "value"),
        ({"type": "number", "name": "N", "value": 1}, "type"),
    ],
)
def test_keywords_that_no_header_can_hold_are_refused(keyword: dict[str, Any], what: str) -> None:
    """In a command, in initial keywords and in a source, each with its path."""
    text = json.dumps([keyword])
    with pytest.raises(DaqException, match=what):
        keywords_of("x", text)
    with pytest.raises(DaqException, match="keywords"):
        v1(properties=json.dumps({"keywords": [keyword]}))
    with pytest.raises(DaqException, match="initialKeywords"):
        v2(sources=[A | {"initialKeywords": [keyword]}])


def test_a_string_stays_a_string() -> None:
    """Even when it looks like a number."""
    found = keywords_of("x", '[{"type": "valueKeyword", "name": "N", "value": "12"}]')
    assert found == [ValueKeyword(name="N", value="12")]


def test_a_string_may_be_of_any_length() -> None:
    """What does not fit on one card goes on over the next ones."""
    for kind in ("valueKeyword", "esoKeyword"):
        text = json.dumps([{"type": kind, "name": "N", "value": "x" * 690}])
        assert len(keywords_of("x", text)) == 1
