"""A simulated collector/router in the foreground: ``obsorb sim router NAME``.

It makes events, or replays files, and sends them as any other sender does; what it has sent it
counts by itself, so that what the loggers have written can be compared with it.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count as count_from
from pathlib import Path
from typing import Any

from msgspec import Struct

from idl_like_interfaces.clients.event_router import EventRouter, routes_of
from idl_like_interfaces.clients.event_sender import EventSender, SenderCounters, SenderEnded
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.event_logger import LoggerControl
from idl_like_interfaces.event_message import EventHeader, encode_event
from idl_like_interfaces.event_server import EventServer
from nameserver.client import Names, name_server_address
from objects.component.process import EndingSignals
from objects.logger_stream.files.reader import EventFile
from objects.logger_stream.made_events import MadeEvent, MadeEvents, mix_of, sizes_of
from objects.logger_stream.tally import Tally

Say = Callable[[str], None]

TELL_S = 1.0
OTHER_TYPE = b"D0MN"
UNKNOWN_STREAM = 65_000
STRAY = 1_000_000
"""Added to the run number of events that shall belong to no run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """What goes wrong, each as the part of the events that it strikes.

    Attributes:
        damage: A wrong bit; the event is then sent right, too.
        other: A message of another type before it.
        wrong_run: The run number of no run.
        unknown_stream: A stream that nobody has configured.
        die_after: Die (kill -9) after so many events; 0: never.
    """

    damage: float = 0.0
    other: float = 0.0
    wrong_run: float = 0.0
    unknown_stream: float = 0.0
    die_after: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterSimulation:
    """What is sent, and where to.

    Attributes:
        name: Name of the sender.
        names: ``HOST:PORT`` of the name server; None: as the environment says.
        loggers: Names of the loggers in the name service, e.g. ``obs/logger/1``.
        run: Run number; of replayed events 0: their own.
        rate: Events per second; 0: as fast as they are taken.
        size: Distribution of the sizes, see ``made_events.sizes_of``.
        streams: Mix of the streams, see ``made_events.mix_of``.
        lbn_every: Events of a luminosity block.
        seed: Of all that is left to chance.
        first: Number of the first event.
        count: Events to send; 0: without end.
        seconds: Seconds to send; 0: without end.
        replay: Event files that are sent instead of made-up events.
        spool: Folder of the sender's spool; None: in memory only.
        report: File for the count as JSON; None: none.
        chances: Members of ``Chances``.
        wait_s: How long to wait at the end until everything is durable.
    """

    name: str
    names: str | None = None
    loggers: tuple[str, ...] = ("obs/logger/1",)
    run: int = 0
    rate: float = 0.0
    size: str = "1024"
    streams: str = "1"
    lbn_every: int = 1000
    seed: int = 1
    first: int = 1
    count: int = 0
    seconds: float = 0.0
    replay: tuple[Path, ...] = ()
    spool: Path | None = None
    report: Path | None = None
    chances: Mapping[str, Any] = field(default_factory=dict)
    wait_s: float = 60.0


class RouterResult(Struct, frozen=True, kw_only=True):
    """What became of a simulation.

    Attributes:
        events: Events that were sent.
        bytes: Of their payloads.
        seconds: How long it took, until they were durable.
        refused: Messages that the loggers took out.
        waiting: Messages that are not durable; to several loggers each counts.
        is_durable: Everything is on the disk.
    """

    events: int
    bytes: int
    seconds: float
    refused: int
    waiting: int
    is_durable: bool


def simulate_router(*, on_message: Say, **options: Any) -> RouterResult:
    """Send events until all are sent, or SIGTERM or SIGINT; return what became of them."""
    simulation = RouterSimulation(**options)
    if not simulation.run and not simulation.replay:
        raise BadParam(
            "made-up events need a run number", field="run", remedy="give --run, or --replay FILE"
        )
    events = events_of(simulation)
    ended = threading.Event()
    signals = EndingSignals()
    with signals, opened_router(simulation) as router:
        signals.lead_to(ended.set)
        run = _Run(simulation, router, ended, on_message)
        try:
            run.send_all(events)
        except SenderEnded as error:
            on_message(str(error))
        return run.end()


def events_of(simulation: RouterSimulation) -> Iterator[tuple[int, MadeEvent]]:
    """Return run and content of each event.

    Raises:
        BadParam: The sizes or streams are malformed.
    """
    if simulation.replay:
        return _replayed(simulation)
    sizes, mix = sizes_of(simulation.size), mix_of(simulation.streams)
    made = MadeEvents(simulation.run, sizes, mix, simulation.lbn_every, simulation.seed)
    last = simulation.first + simulation.count if simulation.count else None
    numbers = range(simulation.first, last) if last else count_from(simulation.first)
    return ((simulation.run, made.event(number)) for number in numbers)


def _replayed(simulation: RouterSimulation) -> Iterator[tuple[int, MadeEvent]]:
    for path in simulation.replay:
        with EventFile(path) as file:
            for event in file:
                header = event.header
                yield (
                    simulation.run or header.run,
                    MadeEvent(
                        event=header.event, lbn=header.lbn, streams=header.streams,
                        payload=memoryview(event.payload),
                    ),
                )  # fmt: skip


@contextmanager
def opened_router(simulation: RouterSimulation) -> Iterator[EventRouter]:
    """Find the loggers and open a sender to each."""
    with Names(name_server_address(simulation.names)) as names:
        routes: dict[int, str] = {}
        if len(simulation.loggers) > 1:
            statuses = {
                each: names.narrow(f"{each}/control", LoggerControl).get_status()
                for each in simulation.loggers
            }
            routes = routes_of(statuses)
        senders: dict[str, EventSender] = {}
        try:
            for each in simulation.loggers:
                server = names.narrow(f"{each}/events", EventServer)
                spool = simulation.spool and simulation.spool / each.replace("/", "-")
                senders[each] = EventSender(server, simulation.name, spool=spool)
            yield EventRouter(senders, routes)
        finally:
            for sender in senders.values():
                sender.finish(0.0)


class _Run:
    """Sends, counts, and says how it goes."""

    def __init__(
        self, simulation: RouterSimulation, router: EventRouter, ended: threading.Event, say: Say
    ) -> None:
        self._simulation = simulation
        self._router = router
        self._ended = ended
        self._say = say
        self._chances = Chances(**simulation.chances)
        self._luck = random.Random(simulation.seed)  # noqa: S311 (keeps no secret)
        self._tally = Tally()
        self._began = time.monotonic()
        self._told_at, self._told_events = self._began, 0
        self._events = self._bytes = 0

    def send_all(self, events: Iterator[tuple[int, MadeEvent]]) -> None:
        """Send until there are no more, it is told to end, or the time is over."""
        seconds, most = self._simulation.seconds, self._simulation.count
        for run, event in events:
            if self._pace() or (seconds and time.monotonic() - self._began >= seconds):
                break
            self._send(run, event)
            self._tell_now_and_then()
            if most and self._events >= most:
                break

    def _pace(self) -> bool:
        """Wait until the next event is due; tell whether it shall end."""
        rate = self._simulation.rate
        ahead_s = self._events / rate - (time.monotonic() - self._began) if rate else 0.0
        return self._ended.wait(ahead_s) if ahead_s > 0 else self._ended.is_set()

    def _send(self, run: int, event: MadeEvent) -> None:
        chances, luck, streams = self._chances, self._luck.random, event.streams
        if chances.other and luck() < chances.other:
            self._router.send_raw(OTHER_TYPE + bytes(16))
        if chances.damage and luck() < chances.damage:
            self._router.send_raw(_damaged(run, event))
        if chances.wrong_run and luck() < chances.wrong_run:
            run += STRAY
        if chances.unknown_stream and luck() < chances.unknown_stream:
            streams = (*streams, UNKNOWN_STREAM)
        self._router.send(run, event.event, event.lbn, streams, event.payload)
        self._tally.add(run, event.event, event.lbn, event.payload, streams)
        self._events += 1
        self._bytes += len(event.payload)
        if self._events == chances.die_after:
            os.kill(os.getpid(), signal.SIGKILL)

    def _tell_now_and_then(self) -> None:
        now = time.monotonic()
        if now < self._told_at + TELL_S:
            return
        rate = (self._events - self._told_events) / (now - self._told_at)
        self._told_at, self._told_events = now, self._events
        left = sum(each.waiting for each in self._counters())
        text = f"{self._events} events sent, {rate:.0f}/s; {left} not durable yet"
        problems = [each.problem for each in self._router.senders.values() if each.problem]
        self._say("; ".join([text, *problems]))

    def end(self) -> RouterResult:
        """Wait until everything is durable, write the count; return how it went."""
        is_durable = self._router.finish(self._simulation.wait_s)
        took_s = time.monotonic() - self._began
        counters = self._counters()
        found = RouterResult(
            events=self._events, bytes=self._bytes, seconds=took_s, is_durable=is_durable,
            refused=sum(each.refused for each in counters),
            waiting=sum(each.waiting for each in counters),
        )  # fmt: skip
        self._say(_told(found))
        if self._simulation.report is not None:
            self._tally.write(self._simulation.report)
            self._say(f"count: {self._simulation.report}")
        return found

    def _counters(self) -> list[SenderCounters]:
        return [each.counters for each in self._router.senders.values()]


def _damaged(run: int, event: MadeEvent) -> bytes:
    header = EventHeader(run=run, event=event.event, lbn=event.lbn, streams=event.streams)
    octets = bytearray(encode_event(header, event.payload))
    octets[-1] ^= 1
    return bytes(octets)


def _told(found: RouterResult) -> str:
    text = (
        f"{found.events} events ({found.bytes / 1e6:.1f} MB) in {found.seconds:.1f} s, "
        f"{found.events / found.seconds:.0f}/s"
    )
    if found.refused:
        text += f"; {found.refused} messages were refused"
    return (
        f"{text}; all is durable"
        if found.is_durable
        else f"{text}; {found.waiting} are not durable"
    )
