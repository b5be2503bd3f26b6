"""The supplier's side of the event channel: publishing that never waits for the channel."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from idl_like_interfaces.clients.records import encode_record
from idl_like_interfaces.clients.spooler import Bounds, Counters, Parcel, Spooler
from idl_like_interfaces.clients.topics import check_topic
from idl_like_interfaces.events import Batch, EventChannel, InvalidTopic, MalformedBatch
from idl_like_interfaces.octets import OctetBlocks

BATCH_EVENTS = 512
BATCH_BYTES = 256 * 1024
BATCH_WINDOW_S = 0.005

# What an event weighs in the spool beside its record.
_OVERHEAD = 64


class EventSupplier:
    """Sends the events of one source in batches, in order, each once.

    While the channel is away events wait in the spool; when that is full the oldest
    are dropped, and the channel tells its consumers so by a gap.
    """

    def __init__(
        self,
        channel: EventChannel,
        source: str,
        incarnation: str,
        *,
        spool_events: int = 100_000,
        spool_bytes: int = 64 * 1024 * 1024,
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
        )
        self._spooler: Spooler[tuple[str, bytes]] = Spooler(
            f"events of {source}", self._send, bounds, refusals=(InvalidTopic, MalformedBatch)
        )

    def publish(self, topic: str, body: Any, repository_id: str = "") -> None:
        """Send an event; returns at once, whatever the channel does.

        Args:
            topic: A path such as ``daq/status``.
            body: A declared struct or plain values; encoded before the call returns.
            repository_id: Type of the body; empty for free content.

        Raises:
            InvalidTopic: It is no topic; nothing is sent.
            BadParam: The body cannot travel; nothing is sent.
        """
        check_topic(topic)
        record = encode_record(self._time_ns(), body, repository_id)
        self._spooler.put((topic, record), len(record) + _OVERHEAD)

    @property
    def counters(self) -> Counters:
        """Events produced, acknowledged by the channel, and dropped."""
        return self._spooler.counters

    def flush(self, timeout_s: float) -> bool:
        """Wait until the channel has all events; tell whether it has."""
        return self._spooler.flush(timeout_s)

    def close(self, timeout_s: float = 2.0) -> bool:
        """Send what waits, for at most ``timeout_s``, and end; tell whether all got through."""
        return self._spooler.close(timeout_s)

    def _send(self, parcel: Parcel[tuple[str, bytes]]) -> None:
        self._channel.publish(self._batch(parcel))

    def _batch(self, parcel: Parcel[tuple[str, bytes]]) -> Batch:
        topics, records = zip(*parcel.items, strict=True)
        index = {topic: at for at, topic in enumerate(dict.fromkeys(topics))}
        return Batch(
            source=self.source,
            incarnation=self.incarnation,
            first=parcel.first,
            topics=list(index),
            topic_of=[index[topic] for topic in topics] if len(index) > 1 else [],
            records=OctetBlocks(b"".join(records), map(len, records)),
            lost=parcel.lost,
        )
