"""What it costs the channel to hold many events for late readers, beside a stream of Redis."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.channel_account import body
from benchmarks.channel_sides import REDIS, Served, serve_obsorb
from benchmarks.counts import Counts
from benchmarks.figures import Figure, Goal, Measure, figure
from benchmarks.processes import memory
from benchmarks.programs import Child
from idl_like_interfaces.clients.records import encode_record

RECORD_GOAL = Goal(of=Measure.RATIO, at_most=2.0)
PACE_GOAL = Goal(of=Measure.RATIO, at_least=0.7)

RECORDS = "their records alone"
STREAM = "a stream of Redis"

_BYTES_OF_EVENT = 512
_PORTIONS = 20
_ENDS = 4
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """What a server became with all events.

    Attributes:
        grown_mib: By how much its memory grew (PSS).
        whole_mib: Its memory then (RSS).
        rates: Events taken in a second, for each portion.
    """

    grown_mib: float
    whole_mib: float
    rates: list[float]


def measure_held(counts: Counts) -> list[Figure]:
    """Fill a channel and, where Redis is installed, a stream there."""
    ours = _fill_ours(counts.held)
    theirs = [_fill_redis(counts.held)] if REDIS.is_installed else []
    record = len(encode_record(0, body(counts.held)))
    group = f"{counts.held} events held for late readers"
    return [
        figure(
            group, "memory for each event", "bytes", [_MIB * ours.grown_mib / counts.held],
            peer=RECORDS, theirs=[record], goal=RECORD_GOAL,
        ),
        figure(
            group, "memory for all", "MiB", [ours.grown_mib],
            peer=STREAM, theirs=[each.grown_mib for each in theirs],
        ),
        figure(group, "memory of the channel's process, RSS", "MiB", [ours.whole_mib]),
        figure(
            group, "events taken when it holds them", "1/s", ours.rates[-_ENDS:],
            peer="when it is empty", theirs=ours.rates[:_ENDS], goal=PACE_GOAL,
        ),
    ]  # fmt: skip


def _fill_ours(events: int) -> _Held:
    bounds = f"max_events={events}", f"max_bytes={_BYTES_OF_EVENT * events}"
    with ExitStack() as stack:
        channel = stack.enter_context(serve_obsorb(*bounds))
        filler = Child("benchmarks.held_obsorb:Filler", channel.where)
        return _fill(channel, stack.enter_context(filler), events)


def _fill_redis(events: int) -> _Held:
    with ExitStack() as stack:
        server = stack.enter_context(REDIS.serve())
        filler = Child("benchmarks.held_redis:Filler", server.where)
        return _fill(server, stack.enter_context(filler), events)


def _fill(server: Served, filler: Child, events: int) -> _Held:
    filler.do("fill", events=1)
    before = memory(server.pid)
    portion = events // _PORTIONS
    rates = [portion / float(filler.do("fill", events=portion)) for _ in range(_PORTIONS)]
    after = memory(server.pid)
    grown = after["PSS"] - before["PSS"]
    return _Held(grown_mib=grown, whole_mib=after["RSS"], rates=rates)
