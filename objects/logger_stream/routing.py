"""Which events of a batch go to which streams; decides only, puts nothing anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from idl_like_interfaces.waiting import News, Wake
from objects.logger_stream.records import Numbers, Records
from objects.logger_stream.run import ActiveRun, RunStream
from objects.logger_stream.runs import Runs

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Events of a batch for one stream, or strays of one run.

    Attributes:
        run: Number of the run.
        stream: Where they go; None: no run takes them.
        rows: Which they are, rising.
    """

    run: int
    stream: RunStream | None
    rows: Rows

    @property
    def key(self) -> tuple[int, int]:
        """Run and id of the stream; -1: they are strays."""
        return self.run, -1 if self.stream is None else self.stream.configuration.id

    @property
    def target(self) -> object:
        """What takes them: the stream, or the run's strays."""
        return self.key if self.stream is None else self.stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What becomes of a batch.

    Attributes:
        shares: Of each stream.
        end: The row of the first event that must wait; the number of all: none must.
        reason: Why it must.
        runs: Active runs of which there are events.
        unassigned: Stream ids that nobody has configured, with the rows that name them.
    """

    shares: list[Share]
    end: int
    reason: str
    runs: list[ActiveRun]
    unassigned: list[tuple[int, Rows]]


def plan(records: Records, runs: Runs) -> Plan:
    """Decide for each event which streams take it, up to the first whose run is paused."""
    numbers = records.index["run"]
    distinct = [int(each) for each in np.unique(numbers)]
    routes = {number: runs.route(number) for number in distinct}
    end, reason = _first_that_waits(numbers, routes, runs.hold)
    shares: list[Share] = []
    unassigned: list[tuple[int, Rows]] = []
    for number in distinct:
        rows = np.flatnonzero(numbers[:end] == number)
        if not len(rows):
            continue
        run = routes[number]
        if run is None:
            shares.append(Share(run=number, stream=None, rows=rows))
        else:
            shares += _shares(records, rows, run, unassigned)
    taking = [run for run in routes.values() if run is not None]
    return Plan(shares=shares, end=end, reason=reason, runs=taking, unassigned=unassigned)


def _first_that_waits(
    numbers: Numbers, routes: dict[int, ActiveRun | None], hold: str
) -> tuple[int, str]:
    if hold:
        return 0, hold
    end, reason = len(numbers), ""
    for number, run in routes.items():
        if run is not None and run.is_paused:
            first = int(np.argmax(numbers == number))
            if first < end:
                end, reason = first, run.reason or f"run {number} is paused"
    return end, reason


def _shares(
    records: Records, rows: Rows, run: ActiveRun, unassigned: list[tuple[int, Rows]]
) -> Iterator[Share]:
    """Yield the shares of the streams of one run."""
    own = Records(records.view, records.index[rows])
    at, ids = own.stream_ids()
    by_stream: dict[int, tuple[RunStream, list[Numbers]]] = {}
    for number, where in _grouped(at, ids):
        stream = run.streams.get(number)
        if stream is None:
            unassigned.append((number, rows[np.unique(where)]))
            stream = run.unassigned([number])
        by_stream.setdefault(id(stream), (stream, []))[1].append(where)
    none = np.flatnonzero(own.index["streams"] == 0)
    if len(none):
        stream = run.unassigned([])
        by_stream.setdefault(id(stream), (stream, []))[1].append(none)
    for stream, several in by_stream.values():
        # An event may name a stream twice, or two that nobody knows: it is written once.
        where = np.unique(np.concatenate(several))
        yield Share(run=run.number, stream=stream, rows=rows[where])


def _grouped(at: Numbers, ids: Numbers) -> Iterator[tuple[int, Numbers]]:
    if not len(ids):
        return
    order = np.argsort(ids, kind="stable")
    ids, at = ids[order], at[order]
    cuts = [0, *(np.flatnonzero(ids[1:] != ids[:-1]) + 1).tolist(), len(ids)]
    for begin, end in pairwise(cuts):
        yield int(ids[begin]), at[begin:end]


class AnyNews(News):
    """News from one of several places; which, is asked anew whenever somebody begins to wait."""

    def __init__(self, places: Callable[[], Iterable[News]]) -> None:
        super().__init__()
        self._places = places

    @override
    def subscribe(self, wake: Wake) -> Callable[[], None]:
        cancels = [each.subscribe(wake) for each in self._places()]

        def cancel() -> None:
            for each in cancels:
                each()

        return cancel
