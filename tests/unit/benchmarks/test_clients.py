"""Many clients, and a crowd, are measured beside the servers of the peers."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from importlib.util import find_spec

import pytest
from typing_extensions import override

from benchmarks import clients, clients_sides
from benchmarks.clients_sides import OURS, THREAD, Run
from benchmarks.counts import QUICK
from benchmarks.crowd import ALONE, PEER, measure_crowd
from benchmarks.latency import Call, ThreadedClients, percentile, percentiles_ms
from benchmarks.programs import Child, ProgramFailed


@pytest.mark.parametrize(
    ("values", "part", "value"),
    [([5.0], 0.99, 5.0), ([1.0, 2.0], 0.5, 1.0), ([*map(float, range(1, 101))], 0.99, 99.0)],
)
def test_a_percentile_is_one_of_the_values(values: list[float], part: float, value: float) -> None:
    """The least that so large a part does not exceed."""
    assert percentile(values, part) == value


def test_percentiles_are_told_in_milliseconds() -> None:
    """Of nothing at all they are 0."""
    told = percentiles_ms(range(1000, 101_000, 1000))
    assert told == {"p50": 50.0, "p99": 99.0, "worst": 100.0}
    assert percentiles_ms([]) == {"p50": 0.0, "p99": 0.0, "worst": 0.0}


def test_what_the_processes_of_clients_saw_is_summed_up() -> None:
    """Rates are added, latencies ordered together."""
    run = Run.of(
        [
            {"latencies_us": [2000, 1000], "seconds": 2.0},
            {"latencies_us": [4000], "seconds": 1.0},
        ]
    )
    assert run == Run(rate=2.0, p50_ms=2.0, p99_ms=4.0)


def test_all_clients_call_at_the_same_time() -> None:
    """Each in its thread; every call is counted."""
    called: list[int] = []

    class Clients(ThreadedClients):
        @override
        def connected(self) -> Call:
            number = len(self._calls)
            return lambda: called.append(number)

    with Clients() as some:
        assert some.connect(3) == 3
        warm = len(called)
        told = some.run(2, 0.01)
    assert set(called[warm:]) == {0, 1}
    assert len(told["latencies_us"]) == len(called) - warm


def test_each_number_of_clients_stands_beside_each_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that speaks another protocol has no place where the server is measured alone."""

    def fail(_: int) -> AbstractContextManager[str]:
        raise ProgramFailed("it does not start")

    other = replace(clients_sides.TANGO, serve=fail)
    monkeypatch.setattr(clients, "PEERS", (THREAD, other))
    rows = clients.measure_clients(QUICK)
    assert {row.at for row in rows} == set(QUICK.clients)
    assert {row.theirs is None for row in rows if row.peer == other.title} == {True}
    assert {row.peer for row in rows if row.group == clients.CALLS} == {THREAD.title, other.title}
    assert {row.peer for row in rows if row.group == clients.SERVER} == {THREAD.title}
    assert all(row.met is not None for row in rows if row.goal and row.theirs)


def test_a_peer_that_cannot_be_run_is_left_out_with_the_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The others are measured all the same; what it had begun is ended."""
    broken = replace(OURS, title="broken", clients="benchmarks.no_such_module:Clients")
    with ExitStack() as stack:
        assert clients_sides.start(stack, broken, 1) is None
    assert "broken is left out" in capsys.readouterr().err


def test_tango_is_called_where_it_is_installed() -> None:
    """By its own clients only."""
    if find_spec("tango") is None:
        pytest.skip("PyTango is not installed")
    with ExitStack() as stack:
        sides = clients_sides.start(stack, clients_sides.TANGO, 2)
        assert sides is not None
        assert set(sides) == {"own"}
        sides["own"].connect(2)
        assert sides["own"].run(2, 0.05).rate > 0


def test_raw_clients_are_told_of_a_refusal() -> None:
    """Instead of counting errors as calls."""
    with (
        Child("benchmarks.clients_obsorb:Server") as server,
        Child("benchmarks.raw:Clients", server.hello.replace("target", "nobody"), "ours") as raw,
        pytest.raises(ProgramFailed, match="the server refuses"),
    ):
        raw.do("connect", count=1)


def test_a_crowd_is_measured_beside_that_of_the_peer() -> None:
    """And calls beside it against those without it."""
    rows = measure_crowd(QUICK)
    assert {row.peer for row in rows} == {PEER, ALONE}
    assert all(row.theirs is not None for row in rows)
    threads = rows[0]
    assert threads.name == "threads"
    assert threads.theirs is not None
    assert threads.theirs.median > 2 * QUICK.crowd
