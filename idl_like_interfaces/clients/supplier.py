"""The supplier's side of the event channel: publishing that never waits for the channel."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from idl_like_interfaces.accounts import Account, Flow, HopKind
from idl_like_interfaces.clients.disk_spool import DiskSpool
from idl_like_interfaces.clients.heirs import Heirs
from idl_like_interfaces.clients.limits import within
from idl_like_interfaces.clients.parcels import Bounds, Counters, Parcel
from idl_like_interfaces.clients.records import encode_record
from idl_like_interfaces.clients.sight import BLIND_AFTER_S
from idl_like_interfaces.clients.spool_file import Entry, Key
from idl_like_interfaces.clients.spooler import Spooler
from idl_like_interfaces.clients.topics import check_topic
from idl_like_interfaces.event_errors import InvalidTopic, MalformedBatch
from idl_like_interfaces.event_quality import LONGEST_BLOCK_S
from idl_like_interfaces.events import Batch, EventChannel, Priority
from idl_like_interfaces.octets import OctetBlocks

BATCH_EVENTS = 512
BATCH_BYTES = 256 * 1024
BATCH_WINDOW_S = 0.005
BATCH_HEAP = 4
"""When more events wait than a batch has, batches are so many times larger."""

# What an event weighs in the spool beside its record.
_OVERHEAD = 64

_PATIENCE_S = LONGEST_BLOCK_S + 1.0
"""A consumer may hold a batch up for so long, with a second for the way; who says nothing for
longer hangs, and is asked again over a new connection."""

_NORMAL = Priority.NORMAL


class EventSupplier:
    """Sends the events of one source in batches, in order, each once.

    While the channel is away events wait in the spool; when that is full the oldest
    are dropped, and the channel tells its consumers so by a gap.

    Args:
        channel: The channel, usually a stub.
        source: Who supplies the events.
        incarnation: This start of the source; events are numbered within it.
        spool_events: Events that wait at most.
        spool_bytes: The same in bytes.
        spool: Folder for events on disk; each source has its own within it. Events are there
            when ``publish`` returns; what a kill -9 leaves the next start sends first, with its
            old incarnation and numbers. ``None``: events wait in memory only.
        time_ns: The time.
    """

    def __init__(
        self,
        channel: EventChannel,
        source: str,
        incarnation: str,
        *,
        spool_events: int = 100_000,
        spool_bytes: int = 64 * 1024 * 1024,
        spool: Path | None = None,
        time_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.source = source
        self.incarnation = incarnation
        self._channel = channel
        self._time_ns = time_ns
        bounds = Bounds(
            spool_items=spool_events,
            spool_bytes=spool_bytes,
            batch_items=BATCH_EVENTS,
            batch_bytes=BATCH_BYTES,
            window_s=BATCH_WINDOW_S,
            heap=BATCH_HEAP,
        )
        self._disk = DiskSpool(spool, source, incarnation, bounds) if spool else None
        heritage = self._disk.heritage if self._disk else []
        self._heirs = Heirs(heritage)
        # What is written first must be numbered first.
        self._order = threading.RLock()
        self._spooler: Spooler[Entry] = Spooler(
            f"events of {source}",
            self._send,
            bounds,
            refusals=(InvalidTopic, MalformedBatch),
            heritage=heritage,
            done=self._done if self._disk else None,
        )

    def publish(
        self, topic: str, body: Any, repository_id: str = "", priority: Priority = _NORMAL
    ) -> None:
        """Send an event; returns at once, whatever the channel does.

        Args:
            topic: A path such as ``daq/status``.
            body: A declared struct or plain values; encoded before the call returns.
            repository_id: Type of the body; empty for free content.
            priority: How urgent it is.

        Raises:
            InvalidTopic: It is no topic; nothing is sent.
            BadParam: The body cannot travel; nothing is sent.
        """
        check_topic(topic)
        record = encode_record(self._time_ns(), body, repository_id)
        key: Key = topic if priority is _NORMAL else (topic, Priority(priority))
        if self._disk is None:
            self._spooler.put((key, record), len(record) + _OVERHEAD)
        else:
            self._keep(self._disk, (key, record))

    def _keep(self, disk: DiskSpool, entry: Entry) -> None:
        with self._order:
            disk.append(entry)
            self._spooler.put(entry, len(entry[1]) + _OVERHEAD)

    @property
    def counters(self) -> Counters:
        """Events of this start produced, acknowledged by the channel, and dropped."""
        return self._spooler.counters

    @property
    def is_blind(self) -> bool:
        """Tell whether the channel has left a batch unacknowledged for too long.

        A consumer that holds up the suppliers makes blind, too: for as long nobody knows.
        """
        return self._spooler.unacknowledged_s >= BLIND_AFTER_S

    @property
    def spool_problem(self) -> str:
        """Why events are not on disk although they should be; empty when all is well."""
        return self._disk.problem if self._disk else ""

    def accounts(self, hop: str = "") -> list[Account]:
        """Return what became of the events of this start, and of those before that it sends.

        Args:
            hop: Name in the accounts; empty: the source's.
        """
        counters = self._spooler.counters
        # What is on disk the next start sends.
        is_kept = self._disk is not None and not self._disk.problem
        drops = [each for each in counters.drops if not (is_kept and each.reason == "closed")]
        dropped = sum(each.count for each in drops)
        own = Account(
            hop=hop or self.source, kind=HopKind.SUPPLIER, flow=Flow.EVENTS,
            source=self.source, incarnation=self.incarnation,
            taken=counters.produced, passed=counters.acknowledged,
            in_flight=counters.produced - counters.acknowledged - dropped,
            drops=drops, first=min(counters.produced, 1), last=counters.produced,
            hop_incarnation=self.incarnation,
        )  # fmt: skip
        return [*self._heirs.accounts(hop or self.source, self.source), own]

    def flush(self, timeout_s: float) -> bool:
        """Wait until the channel has all events; tell whether it has."""
        return self._spooler.flush(timeout_s)

    def close(self, timeout_s: float = 2.0) -> bool:
        """Send what waits, for at most ``timeout_s``, and end; tell whether all got through.

        What did not stays on disk for the next start, if there is a spool on disk.
        """
        got_through = self._spooler.close(timeout_s)
        if self._disk:
            self._disk.close()
        return got_through

    def _send(self, parcel: Parcel[Entry]) -> None:
        with within(_PATIENCE_S):
            self._channel.publish(self._batch(parcel))

    def _done(self, parcel: Parcel[Entry]) -> None:
        assert self._disk is not None
        self._disk.acknowledge(parcel.incarnation or self.incarnation, parcel.last)
        self._heirs.sent(parcel)

    def _batch(self, parcel: Parcel[Entry]) -> Batch:
        keys, records = zip(*parcel.items, strict=True)
        index = {key: at for at, key in enumerate(dict.fromkeys(keys))}
        is_plain = all(isinstance(key, str) for key in index)
        return Batch(
            source=self.source,
            incarnation=parcel.incarnation or self.incarnation,
            first=parcel.first,
            topics=[_topic_of(key) for key in index],
            topic_of=[index[key] for key in keys] if len(index) > 1 else [],
            records=OctetBlocks(b"".join(records), map(len, records)),
            lost=parcel.lost,
            priorities=[] if is_plain else [_priority_of(key) for key in index],
        )


def _topic_of(key: Key) -> str:
    return key if isinstance(key, str) else key[0]


def _priority_of(key: Key) -> Priority:
    return _NORMAL if isinstance(key, str) else key[1]
