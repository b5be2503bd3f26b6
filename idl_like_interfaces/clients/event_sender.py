"""The sender of events: what ``send`` has taken reaches the disk of the logger, exactly once."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from typing_extensions import override

from idl_like_interfaces.accounts import Account, Drop, Flow, HopKind
from idl_like_interfaces.clients.accounts import Losses
from idl_like_interfaces.clients.event_backlog import Backlog
from idl_like_interfaces.clients.event_forwarder import FAREWELL_S, HEAP_BYTES, Forwarder
from idl_like_interfaces.clients.event_spool import EventSpool
from idl_like_interfaces.closing import Closing
from idl_like_interfaces.event_message import FRAME, EventHeader, frame_event
from idl_like_interfaces.event_server import EventServer, SenderIdentity
from idl_like_interfaces.octets import Buffer

PATIENCE_S = 5.0
"""For so long the logger may hold a batch while the queues of its streams are full."""

CLOSE_S = 10.0
"""So long the end of a ``with`` block waits until everything is durable."""


class WhenFull(StrEnum):
    """What ``send`` does when the spool is full."""

    BLOCK = "block"
    """Wait for room."""
    RAISE = "raise"
    """Raise ``SpoolFull``."""
    DROP = "drop"
    """Drop the event; the logger is told of the gap."""


class SpoolFull(TimeoutError):
    """The spool has no room for an event; it is not sent."""


class SenderEnded(RuntimeError):
    """The sender takes nothing any more: it was closed, or another start has taken its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderCounters:
    """What became of the events of this start.

    Attributes:
        produced: Given to ``send``.
        accepted: The logger has taken them.
        durable: They are on its disk.
        dropped: The logger was told that they never come.
        refused: The logger took them out: they were of no run, or damaged.
        waiting: Kept here: they are not durable.
        waiting_bytes: Bytes of their messages.
        batches: Calls that brought something.
        greetings: How often it had to say hello.
    """

    produced: int
    accepted: int
    durable: int
    dropped: int
    refused: int
    waiting: int
    waiting_bytes: int
    batches: int
    greetings: int


class EventSender(Closing):
    """Sends events to one logger in batches, in order; any thread may call ``send``.

    An event is kept until it is durable. So nothing is lost and nothing is written twice when
    connections break or the logger is started anew; with a spool on disk also when this
    process is.

    Args:
        server: The logger's event server, usually a stub for ``obs/logger/<n>/events``.
        name: The sender's, the same after each start, e.g. ``cr1``.
        spool_events: Events that are kept at most.
        spool_bytes: And bytes of their messages.
        spool: Folder for a copy on disk; each sender has its own within it. An event is there
            when ``send`` returns; what a kill -9 leaves the next start sends first. ``None``:
            in memory only.
        when_full: What ``send`` does then.
        incarnation: Of this start; 0: chosen at random.
        patience_s: How long the logger may hold a batch.

    Attributes:
        name: As given.
        incarnation: Of this start.
    """

    def __init__(
        self,
        server: EventServer,
        name: str,
        *,
        spool_events: int = 200_000,
        spool_bytes: int = 64 * 1024 * 1024,
        spool: Path | None = None,
        when_full: WhenFull = WhenFull.BLOCK,
        incarnation: int = 0,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.name = name
        self.incarnation = incarnation or secrets.randbits(62) + 1
        self._most = spool_events, spool_bytes
        self._when_full = WhenFull(when_full)
        # What is written first must be numbered first.
        self._order = threading.Lock()
        # Taken by itself where nobody waits: Condition's own way in is Python code.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._own = Backlog(incarnation=self.incarnation)
        self._spool: EventSpool | None = None
        if spool is not None:
            self._spool = EventSpool(spool, name, self.incarnation, spool_events, spool_bytes)
        self._losses = Losses()
        self._is_closing = self._is_closed = False
        identity = SenderIdentity(
            name=name, incarnation=self.incarnation, host=socket.gethostname(), pid=os.getpid()
        )
        heritage = self._spool.heritage if self._spool else []
        self._forwarder = Forwarder(
            server, identity, [*heritage, self._own], self._changed, self._forget, patience_s
        )

    def send(  # noqa: PLR0913 (they are the fields of a message)
        self,
        run: int,
        event: int,
        lbn: int,
        streams: Sequence[int],
        payload: Buffer,
        *,
        node: int = 0,
        flags: int = 0,
        time_ns: int | None = None,
        timeout_s: float | None = None,
    ) -> int:
        """Take an event; it will be written to all its streams.

        Args:
            run: Run number.
            event: Number in the run, from 1.
            lbn: Luminosity block number.
            streams: Ids of the streams.
            payload: Its bytes; they are copied.
            node: Node of the level-3 farm.
            flags: Free for the facility.
            time_ns: Nanoseconds since 1970 UTC; None: now.
            timeout_s: How long to wait for room in the spool; None: as long as it takes.

        Returns:
            Its sequence, for ``wait_durable``.

        Raises:
            SpoolFull: There is no room (any more), see ``when_full``.
            SenderEnded: It was closed, or a later start has taken its place.
            BadParam: A number does not fit its field, or the payload is too long.
        """
        with self._order:
            has_room = self._await_room(timeout_s)
            header = EventHeader(
                run=run, event=event, lbn=lbn, streams=tuple(streams), node=node, flags=flags,
                time_ns=time.time_ns() if time_ns is None else time_ns,
                sender=self.incarnation, sequence=self._own.produced + 1,
            )  # fmt: skip
            return self._take(frame_event(header, payload), has_room=has_room)

    def send_raw(self, message: Buffer, timeout_s: float | None = None) -> int:
        """Take a message of another type, as it is; a logger skips and counts it.

        Args:
            message: Begins with four letters of type, see ``event_message``.
            timeout_s: As of ``send``.

        Raises:
            SpoolFull: See ``send``.
            SenderEnded: See ``send``.
        """
        frame = FRAME.pack(len(message))
        with self._order:
            has_room = self._await_room(timeout_s)
            return self._take(b"".join((frame, message, frame)), has_room=has_room)

    def _take(self, message: bytes, *, has_room: bool) -> int:
        sequence = self._own.produced + 1
        if not has_room:
            self._drop(sequence)
            return sequence
        if self._spool is not None:
            self._spool.append(message)
        self._keep(sequence, message)
        return sequence

    def _await_room(self, timeout_s: float | None) -> bool:
        """Return whether there is room; raises SpoolFull when nobody wants to drop the event."""
        if self._has_room():
            return True
        if self._when_full is WhenFull.DROP:
            return False
        if self._when_full is WhenFull.BLOCK:
            with self._changed:
                if self._changed.wait_for(self._has_room, timeout_s):
                    return True
        raise SpoolFull(
            f"the sender {self.name} keeps {len(self._own)} events "
            f"({self._own.size_bytes} bytes) that are not durable: "
            f"{self._forwarder.problem or 'the logger takes or syncs them too slowly'}"
        )

    def _has_room(self) -> bool:
        end = self._forwarder.end
        if end is not None or self._is_closing:
            raise SenderEnded(str(end or f"the sender {self.name} is closed"))
        own, (events, size) = self._own, self._most
        return own.size_bytes < size and own.produced - own.durable < events

    def _drop(self, sequence: int) -> None:
        if self._spool is not None:
            self._spool.skip()
        with self._changed:
            self._own.produced = sequence
            self._losses.add("spool", 1, sequence)
            self._changed.notify_all()

    def _keep(self, sequence: int, message: bytes) -> None:
        with self._lock:
            own = self._own
            had = own.waiting_bytes
            own.put(sequence, message)
            # Nobody is woken for each event, but for the first and the one that fills a batch.
            if not had or had < HEAP_BYTES <= own.waiting_bytes:
                self._changed.notify_all()

    def _forget(self, incarnation: int, durable: int) -> None:
        if self._spool is not None:
            self._spool.durable(incarnation, durable)

    @property
    def durable(self) -> int:
        """All events up to this one are on the disk of the logger, or declared as missing."""
        return self._own.durable

    @property
    def problem(self) -> str:
        """Why events do not get through, or are not on disk here; empty when all is well."""
        return self._forwarder.problem or (self._spool.problem if self._spool else "")

    @property
    def counters(self) -> SenderCounters:
        """What became of the events of this start."""
        with self._changed:
            own, way = self._own, self._forwarder
            return SenderCounters(
                produced=own.produced, accepted=own.accepted, durable=own.durable,
                dropped=self._losses.total, refused=way.refused, waiting=len(own),
                waiting_bytes=own.size_bytes, batches=way.batches, greetings=way.greetings,
            )  # fmt: skip

    def accounts(self, hop: str = "") -> list[Account]:
        """Return what became of the events of this start.

        Args:
            hop: Name in the account; empty: the sender's.
        """
        with self._changed:
            own, way = self._own, self._forwarder
            drops = [*self._losses.drops()]
            if way.refused:
                drops.append(Drop(reason="refused", count=way.refused))
            passed = own.accepted - way.declared - way.refused
            left = own.produced - passed - self._losses.total - way.refused
            account = Account(
                hop=hop or self.name, kind=HopKind.SUPPLIER, flow=Flow.EVENTS,
                source=self.name, incarnation=str(self.incarnation),
                taken=own.produced, passed=passed, in_flight=left, drops=drops,
                first=min(own.produced, 1), last=own.produced,
                hop_incarnation=str(self.incarnation),
            )  # fmt: skip
        return [account]

    def flush(self, timeout_s: float) -> bool:
        """Wait until the logger has accepted all events; tell whether it has."""
        return self._wait(lambda: self._forwarder.is_sent, timeout_s)

    def wait_durable(self, timeout_s: float, sequence: int | None = None) -> bool:
        """Wait until events are on the logger's disk; tell whether they are.

        Args:
            timeout_s: How long.
            sequence: Up to which event; None: all that were sent until now.
        """
        with self._changed:
            wanted = self._own.produced if sequence is None else sequence
        return self._wait(lambda: self._own.durable >= wanted, timeout_s)

    def _wait(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        way = self._forwarder
        with self._changed:
            way.hurry = True
            self._changed.notify_all()
            try:
                self._changed.wait_for(lambda: condition() or way.end is not None, timeout_s)
            finally:
                way.hurry = False
            return condition()

    def finish(self, timeout_s: float) -> bool:
        """Wait for at most ``timeout_s`` until all is durable, and end; tell whether all is.

        What is not stays on disk for the next start if there is a spool on disk; else the
        logger is told that it never comes.
        """
        with self._changed:
            if self._is_closed:
                return self._own.is_done
            self._is_closing = self._is_closed = True
        is_done = self._wait(lambda: self._forwarder.is_idle, timeout_s)
        self._forwarder.stop(FAREWELL_S)
        if is_done or self._spool is None:
            self._forwarder.say_farewell()
        if self._spool is not None:
            self._spool.close()
        return is_done

    @override
    def close(self) -> None:
        self.finish(CLOSE_S)
