"""What is malformed is refused by its path, and nothing is made of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from idl_like_interfaces.daqif import AlertSeverity, DaqException
from objects.acquisition.states import Phase
from tests.support import malformed
from tests.support.daq import Bench
from tests.support.malformed import Fault, faults_of


class Unchanged:
    """A coordinator that must be the same after each refusal."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.before = self._now()

    def refused(self, path: str, call: Callable[[], Any]) -> DaqException:
        """Call what must be refused with a path; return the refusal."""
        with pytest.raises(DaqException) as refused:
            call()
        error = refused.value
        assert error.message.startswith(path), f"{error.message!r} has not the path {path}"
        follower = error.message[len(path) : len(path) + 1]
        assert follower in (":", " ", ""), f"{error.message!r} goes deeper than {path}"
        assert error.remedy, f"{error.message!r} has no remedy"
        assert len(error.explain()) < 1500
        return error

    def check(self) -> None:
        """Nothing was made, asked or told."""
        assert self._now() == self.before

    def _now(self) -> Any:
        folder = self.bench.data_root / "ocm"
        files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        active = self.bench.daq.get_active_list()
        return files, active, list(self.bench.site.events), list(self.bench.journal)


@pytest.fixture
def unchanged(bench: Bench) -> Unchanged:
    """Yield a coordinator with an acquisition in progress; nothing happens by itself."""
    bench.daq.start_daq(id="x", meta_sources="m@obs/m")
    return Unchanged(bench)


def test_the_good_documents_are_good(bench: Bench) -> None:
    """What is taken apart below is accepted whole."""
    good = json.dumps(malformed.V2)
    assert bench.daq.start_daq_v2(good).id == "given"
    bench.daq.update_keywords("given", json.dumps(malformed.KEYWORDS))
    reply = bench.daq.start_daq(
        id="v1", prim_sources="b@obs/b", properties=json.dumps(malformed.V1)
    )
    assert reply.id == "v1"


@pytest.mark.spec("ESO-019")
def test_every_part_of_a_v2_document(unchanged: Unchanged) -> None:
    """Missing, null, of every wrong type, unknown, or of a value that cannot be."""
    for fault in [*faults_of(malformed.V2), *malformed.OF_V2]:
        path = fault.below("specification")
        unchanged.refused(path, partial(unchanged.bench.daq.start_daq_v2, fault.text))
    unchanged.check()


@pytest.mark.spec("ESO-010", "ESO-011", "ESO-012")
def test_every_part_of_v1_properties(unchanged: Unchanged) -> None:
    """The same; unknown members are another matter there."""
    faults = [f for f in faults_of(malformed.V1) if "unheardOf" not in f.path]
    for fault in [*faults, *malformed.OF_V1]:
        unchanged.refused(fault.below("properties"), partial(_start_v1, unchanged, fault))
    unchanged.check()


def _start_v1(unchanged: Unchanged, fault: Fault) -> Any:
    return unchanged.bench.daq.start_daq(
        id="y", prim_sources="a@obs/a", meta_sources="", properties=fault.text
    )


@pytest.mark.spec("ESO-051")
def test_every_part_of_keywords(unchanged: Unchanged) -> None:
    """Of an update: not one of them is changed."""
    faults = [*faults_of(malformed.KEYWORDS), *malformed.in_all_keywords(malformed.KEYWORDS, "")]
    for fault in faults:
        path = fault.below("keywords")
        call = partial(unchanged.bench.daq.update_keywords, "x", fault.text)
        assert unchanged.refused(path, call).id == "x"
    unchanged.check()


@pytest.mark.parametrize("name", malformed.STRUCTURE)
def test_keywords_of_the_layout_are_refused_by_name(unchanged: Unchanged, name: str) -> None:
    """From users, wherever they give them, as a value or as a literal."""
    daq = unchanged.bench.daq
    for keyword in (
        {"type": "valueKeyword", "name": name, "value": 1},
        {"type": "literalKeyword", "value": f"{name:8}= 1" if name != "END" else "END"},
    ):
        bad = [malformed.VALUE_KEYWORD, keyword]
        given = {"sources": [malformed.GIVEN | {"keywords": bad}]}
        primary = {"sources": [malformed.PRIMARY | {"initialKeywords": bad}]}
        v1 = partial(daq.start_daq, prim_sources="a@obs/a")
        for path, call in (
            ("keywords[1]", partial(daq.update_keywords, "x", json.dumps(bad))),
            ("properties.keywords[1]", partial(v1, properties=json.dumps({"keywords": bad}))),
            ("specification.sources[0].keywords[1]", partial(daq.start_daq_v2, json.dumps(given))),
            (
                "specification.sources[0].initialKeywords[1]",
                partial(daq.start_daq_v2, json.dumps(primary)),
            ),
        ):
            assert name in unchanged.refused(path, call).message
    unchanged.check()


@pytest.mark.parametrize(
    "text", [text for _, text in malformed.TEXTS], ids=[name for name, _ in malformed.TEXTS]
)
def test_what_is_no_json(unchanged: Unchanged, text: str) -> None:
    """Each of the three arguments says so by its name, and where."""
    daq = unchanged.bench.daq
    unchanged.refused("specification is not JSON", lambda: daq.start_daq_v2(text))
    unchanged.refused("keywords is not JSON", lambda: daq.update_keywords("x", text))
    if text:
        unchanged.refused(
            "properties is not JSON",
            lambda: daq.start_daq(id="y", prim_sources="a@obs/a", properties=text),
        )
    unchanged.check()


@pytest.mark.parametrize("text", malformed.NO_OBJECTS)
def test_what_is_no_object(unchanged: Unchanged, text: str) -> None:
    """JSON of another form."""
    daq = unchanged.bench.daq
    unchanged.refused("specification", lambda: daq.start_daq_v2(text))
    unchanged.refused(
        "properties", lambda: daq.start_daq(id="y", prim_sources="a@obs/a", properties=text)
    )
    if text != "[]":
        unchanged.refused("keywords[0].type" if text == "[{}]" else "keywords",
                          lambda: daq.update_keywords("x", text))  # fmt: skip
    unchanged.check()


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"sources": [], "sources": []}', "specification.sources"),
        (
            '{"sources": [{"type": "fitsFile", "type": "fitsFile"}]}',
            "specification.sources[0].type",
        ),
        (
            '{"sources": [{"keywordRules": [{"regex": "a", "regex": "a"}]}]}',
            "specification.sources[0].keywordRules[0].regex",
        ),
    ],
)
def test_a_member_given_twice_is_refused(unchanged: Unchanged, text: str, path: str) -> None:
    """Which of both counts would be a matter of luck."""
    error = unchanged.refused(path, lambda: unchanged.bench.daq.start_daq_v2(text))
    assert "twice" in error.message
    unchanged.check()


def test_the_first_of_many_faults_has_what_was_found(unchanged: Unchanged) -> None:
    """The value itself stands in the message, shortened when it is long."""
    daq = unchanged.bench.daq
    bad = json.dumps({"sources": [malformed.PRIMARY | {"sourceName": "a b"}]})
    error = unchanged.refused("specification.sources[0].sourceName", lambda: daq.start_daq_v2(bad))
    assert "'a b'" in error.message
    assert "letters" in error.remedy
    long = json.dumps({"sources": [malformed.PRIMARY | {"rrUri": "x" * 1_000_000}]})
    unchanged.refused("specification.sources[0].rrUri", lambda: daq.start_daq_v2(long))


@pytest.mark.spec("ESO-005", "ESO-007", "ESO-008")
@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        *(({"id": id}, "id") for id in malformed.BAD_IDS),
        *(({"file_prefix": prefix}, "file_prefix") for prefix in malformed.BAD_PREFIXES),
        *(
            ({"prim_sources": f"b@obs/b a@{uri}"}, "prim_sources[1]")
            for uri in malformed.BAD_REFERENCES
            if uri and not uri.isspace() and " " not in uri and "\n" not in uri
        ),
        ({"prim_sources": "a"}, "prim_sources[0]"),
        ({"meta_sources": "m@obs/m n"}, "meta_sources[1]"),
        ({"meta_sources": "a@obs/m"}, "meta_sources[0].sourceName"),
        ({"prim_sources": "ä@obs/a"}, "prim_sources[0].sourceName"),
        ({"prim_sources": "../a@obs/a"}, "prim_sources[0].sourceName"),
        ({"prim_sources": ""}, "prim_sources and meta_sources"),
        ({"file_prefix": "x" * 64}, "file_prefix"),
    ],
)
def test_arguments_of_v1(unchanged: Unchanged, arguments: dict[str, str], path: str) -> None:
    """Ids, prefixes and items, each by the argument and the place in it."""
    good = {"id": "", "prim_sources": "a@obs/a"}
    with pytest.raises(DaqException) as refused:
        unchanged.bench.daq.start_daq(**(good | arguments))
    assert refused.value.message.startswith(path)
    assert refused.value.remedy
    unchanged.check()


def test_unknown_properties_are_a_warning(bench: Bench) -> None:
    """V1 goes on; the status names them, and the error flag stays down."""
    properties = json.dumps({"awaitInterval": 0.1, "interval": 3})
    id = bench.start("a", properties=properties)
    (alert,) = bench.daq.get_status(id).alerts
    assert alert.severity is AlertSeverity.WARNING
    assert "properties.interval" in alert.description
    assert not bench.daq.get_status(id).error
    bench.a.end()
    bench.queued(id)


def test_ids_that_differ_little_are_different(bench: Bench) -> None:
    """In case, by a sign, in length: each has its own files, active and archived."""
    ids = ["abc", "ABC", "aBc", "-abc", "+abc", "abc-status", "abc-context", "x" * 128, "a:b", "_"]
    for id in ids:
        bench.daq.start_daq(id=id, meta_sources="m@obs/m")
    assert [each.id for each in bench.daq.get_active_list()] == ids
    for id in ids:
        bench.daq.abort_daq(id)
    assert [bench.daq.get_status(id).id for id in ids] == ids
    assert {bench.phase(id) for id in ids} == {Phase.ABORTED}


def test_an_id_used_again_hides_no_other(bench: Bench) -> None:
    """The older ones get a number behind a ~, which no id has."""
    for _ in range(3):
        bench.daq.start_daq(id="a", meta_sources="m@obs/m")
        bench.daq.abort_daq("a")
    archive = bench.data_root / "ocm" / "archive"
    names = {path.name.removesuffix("-status.json") for path in archive.glob("*-status.json")}
    assert names == {"a", "a~1", "a~2"}
    for id in ("a~1", "../a", "a/../a", "", ".", "a\0", "x" * 5000, "ä"):
        with pytest.raises(DaqException, match="there is no acquisition"):
            bench.daq.get_status(id)


def test_nothing_is_written_outside_the_workspace(bench: Bench, tmp_path: Path) -> None:
    """Whatever ids, prefixes and names say."""
    before = sorted(path for path in tmp_path.rglob("*") if "ocm" not in path.parts)
    odd = [{"id": bad} for bad in malformed.BAD_IDS]
    odd += [{"file_prefix": bad} for bad in malformed.BAD_PREFIXES]
    for arguments in odd:
        with pytest.raises(DaqException):
            bench.daq.start_daq(meta_sources="m@obs/m", **arguments)
    assert sorted(path for path in tmp_path.rglob("*") if "ocm" not in path.parts) == before
