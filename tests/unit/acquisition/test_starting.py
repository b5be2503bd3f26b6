"""Acquisitions are started whole, or not at all."""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from idl_like_interfaces.daqif import DaqException
from idl_like_interfaces.errors import InterfaceMismatch, RemoteError, Transient
from idl_like_interfaces.keywords import FitsKeyword
from idl_like_interfaces.mapping.coding import from_plain
from idl_like_interfaces.metadaqif import MetaDaqException, MetaDaqState
from idl_like_interfaces.naming import NotFound, NotFoundReason
from idl_like_interfaces.recif import RecExceptionErr, RecStatusName
from objects.acquisition.states import Phase
from tests.support.daq import Bench
from tests.support.eventually import eventually

DEAD = Transient("nobody answers")


@pytest.mark.spec("ESO-001", "ESO-003", "ESO-004")
def test_an_id_is_made(bench: Bench) -> None:
    """It is the file id: instrument and UTC with three digits of milliseconds."""
    id = bench.start()
    file_id = bench.daq.get_status(id).file_id
    assert id == file_id
    assert re.fullmatch(r"TEST\.\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}", file_id)
    assert file_id.removeprefix("TEST.") == f"{bench.site.clock.utc():%Y-%m-%dT%H:%M:%S.%f}"[:-3]
    assert bench.await_phase(id, Phase.NOT_STARTED).file_id == file_id


@pytest.mark.spec("ESO-002")
def test_a_given_id_is_echoed(bench: Bench) -> None:
    """Exactly."""
    assert bench.start(id="night-1+a") == "night-1+a"


def test_an_id_in_use_is_refused(bench: Bench) -> None:
    """The acquisition that has it goes on."""
    bench.start(id="x")
    with pytest.raises(DaqException, match="in progress"):
        bench.start("b", id="x")
    assert bench.phase("x") is Phase.ACQUIRING
    assert bench.b.calls == []


def test_two_in_one_millisecond_have_different_file_ids(bench: Bench) -> None:
    """Time stands still in this test."""
    ids = {bench.start("a"), bench.start("b"), bench.start("", "m")}
    assert len(ids) == 3


@pytest.mark.spec("ESO-022", "ESO-029")
def test_metadata_sources_are_started_first(bench: Bench) -> None:
    """All metadata sources, then all primary ones."""
    id = bench.start("ab", "mn")
    starts = [name for name, call in bench.journal if call in ("start_daq", "rec_start")]
    assert set(starts[:2]) == {"m", "n"}
    assert set(starts[2:]) == {"a", "b"}
    assert bench.phase(id) is Phase.ACQUIRING


@pytest.mark.spec("ESO-021")
@pytest.mark.parametrize(("slow", "request_"), [("b", "rec_start"), ("m", "start_daq")])
def test_the_reply_waits_for_the_slowest_source(bench: Bench, slow: str, request_: str) -> None:
    """Until the last one has confirmed, nobody gets an answer and it is Starting."""
    source = getattr(bench, slow)
    gate = source.gates[request_] = threading.Event()
    with ThreadPoolExecutor() as pool:
        try:
            starting = pool.submit(bench.start, "ab", "mn", id="x")
            eventually(lambda: request_ in source.calls)
            with pytest.raises(TimeoutError):
                starting.result(0.1)
            assert bench.phase("x") is Phase.STARTING
        finally:
            gate.set()
        assert starting.result() == "x"
    assert bench.phase("x") is Phase.ACQUIRING


@pytest.mark.spec("ESO-026")
def test_two_acquisitions_are_independent(bench: Bench) -> None:
    """The end of one leaves the other alone."""
    first, second = bench.start("a"), bench.start("b")
    bench.daq.stop_daq(first)
    assert bench.phase(second) is Phase.ACQUIRING


@pytest.mark.spec("ESO-023", "ESO-024")
def test_a_refusing_source_ends_the_start(bench: Bench) -> None:
    """The client is told by whom and why; what was started is aborted; error stays true."""
    bench.b.faults["rec_start"] = RecExceptionErr("no film", id="", remedy="load film")
    with pytest.raises(DaqException, match=r"source b \(obs/b\) did not start: no film") as refused:
        bench.start("ab", "m", id="x")
    assert refused.value.remedy == "load film"
    status = bench.daq.get_status("x")
    assert (status.substate, status.error) == ("Aborted", True)
    assert bench.a.sessions[bench.a.current].status is RecStatusName.ABORTED
    assert list(bench.m.states.values()) == [MetaDaqState.ABORTED]


def test_primaries_are_left_alone_when_metadata_do_not_start(bench: Bench) -> None:
    """The start ends with the first group that fails."""
    bench.m.faults["start_daq"] = MetaDaqException("no sensor", id="")
    with pytest.raises(DaqException, match="no sensor"):
        bench.start("a", "m")
    assert "rec_start" not in bench.a.calls


@pytest.mark.spec("ESO-025")
def test_a_dead_source_keeps_it_in_aborting(bench: Bench) -> None:
    """It may have started: abort fails until it is forced."""
    bench.a.faults["*"] = DEAD
    with pytest.raises(DaqException, match="a could not be aborted"):
        bench.start("a", "m", id="x")
    assert bench.phase("x") is Phase.ABORTING
    with pytest.raises(DaqException):
        bench.daq.abort_daq("x")
    reply = bench.daq.force_abort_daq("x")
    assert reply.error
    assert bench.phase("x") is Phase.ABORTED


def test_a_dead_source_that_comes_back_can_be_aborted(bench: Bench) -> None:
    """It has no such session: there is nothing to abort there."""
    bench.a.faults["*"] = DEAD
    with pytest.raises(DaqException):
        bench.start("a", id="x")
    bench.a.faults.clear()
    assert bench.daq.abort_daq("x").error
    assert bench.phase("x") is Phase.ABORTED
    assert "rec_abort" not in bench.a.calls


@pytest.mark.parametrize(
    "error",
    [
        NotFound("obs/a is wrong", why=NotFoundReason.MISSING_NODE, rest_of_name="a"),
        InterfaceMismatch("obs/a is wrong"),
    ],
    ids=["no such name", "another kind of object"],
)
def test_a_name_that_is_no_source_leaves_nothing_to_abort(bench: Bench, error: RemoteError) -> None:
    """A mistyped source cannot have started."""
    bench.a.faults["*"] = error
    with pytest.raises(DaqException, match="obs/a is wrong"):
        bench.start("a", id="x")
    assert bench.phase("x") is Phase.ABORTED


@pytest.mark.spec("ESO-016")
@pytest.mark.parametrize(
    ("files", "target"),
    [(["/data/a.fits"], {"sourceName": "a"}), (["/data/1.fits", "/data/2.fits"], None)],
)
def test_both_commands_give_the_same(
    bench: Bench, files: list[str], target: dict[str, str] | None
) -> None:
    """The specification of an equivalent V2 start differs in its ids only."""
    bench.a.files = files
    one = bench.start("a", "m")
    bench.a.end()
    first = bench.queued(one)
    document: dict[str, Any] = {
        "sources": [
            {"type": "primarySource", "sourceName": "a", "rrUri": "obs/a"},
            {"type": "metadataSource", "sourceName": "m", "rrUri": "obs/m"},
        ],
        **({"mergeTarget": target} if target else {}),
    }
    two = bench.daq.start_daq_v2(json.dumps(document)).id
    bench.a.end()
    second = bench.queued(two)
    assert first.sources[1:] == second.sources[1:]
    assert first.target.source == second.target.source


@pytest.mark.spec("ESO-017")
def test_without_sources_to_acquire_it_stops_by_itself(bench: Bench) -> None:
    """Files and keywords go straight to the merge."""
    sources: list[dict[str, Any]] = [
        {"type": "fitsFile", "sourceName": "f", "location": "/f.fits"},
        {"type": "fitsKeywords", "sourceName": "k", "keywords": []},
    ]
    id = bench.daq.start_daq_v2(json.dumps({"sources": sources})).id
    assert [each.source_name for each in bench.queued(id).sources] == ["ocm", "f", "k"]


@pytest.mark.spec("ESO-027", "ESO-028")
def test_commands_need_an_operational_server(bench: Bench) -> None:
    """Refused after disable and before enable; queries are answered."""
    bench.component.std.disable()
    with pytest.raises(DaqException, match="not Operational"):
        bench.start(id="x")
    with pytest.raises(DaqException, match="not Operational"):
        bench.daq.start_daq_v2("{}")
    assert bench.daq.get_active_list() == []
    bench.component.std.enable()
    assert bench.start(id="x") == "x"


def test_a_workspace_that_cannot_be_written_refuses_the_start(bench: Bench) -> None:
    """No source is asked, and no acquisition exists."""
    folder = bench.data_root / "ocm" / "in-progress"
    folder.rename(folder.with_name("gone"))
    with pytest.raises(DaqException, match="workspace cannot be written"):
        bench.start(id="x")
    folder.with_name("gone").rename(folder)
    assert bench.journal == []
    assert bench.daq.get_active_list() == []
    assert bench.start(id="x") == "x"


@pytest.mark.spec("ESO-015", "ESO-126")
def test_initial_keywords_reach_the_product(bench: Bench) -> None:
    """They are the coordinator's own contribution, behind the configured instrument."""
    keyword = {"type": "valueKeyword", "name": "OBJECT", "value": "M 31"}
    id = bench.start(properties=json.dumps({"keywords": [keyword]}))
    bench.a.end()
    own = {each.name: each.value for each in bench.queued(id).sources[0].keywords}  # type: ignore[union-attr]
    assert own["OBJECT"] == "M 31"
    assert own["INSTRUME"] == bench.settings.instrument_id


@pytest.mark.spec("ESO-166")
def test_keywords_that_nobody_has_heard_of_pass_as_they_are(bench: Bench) -> None:
    """Without a dictionary none is refused, completed or formatted."""
    keywords: list[dict[str, Any]] = [
        {"type": "valueKeyword", "name": "UNHEARD", "value": 0.1},
        {"type": "esoKeyword", "name": "IN NO DICTIONARY", "value": 3},
        {"type": "literalKeyword", "value": "STRANGE =    007.50 / as text"},
    ]
    id = bench.start("", "m", properties=json.dumps({"keywords": keywords[:1]}))
    bench.daq.update_keywords(id, json.dumps(keywords[1:]))
    bench.m.keywords = from_plain(list[FitsKeyword], keywords)
    bench.daq.stop_daq(id)
    own, said = bench.queued(id).sources[:2]
    for contribution in (own.keywords[2:], said.keywords):  # type: ignore[union-attr]
        assert contribution == from_plain(list[FitsKeyword], keywords)


def test_a_lost_source_is_asked_by_its_own_session(bench: Bench) -> None:
    """The source knows the acquisition by its file id, so ids may be used again."""
    first = bench.start("a", id="x")
    bench.daq.abort_daq(first)
    bench.start("a", id="x")
    eventually(lambda: bench.phase("x") is Phase.ACQUIRING)
    assert len(bench.a.sessions) == 2
