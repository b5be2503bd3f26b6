"""Subscribed consumers in one thread: plain sockets, so that the channel is measured."""

from __future__ import annotations

import select
import time
from array import array
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from benchmarks.channel_account import SILENCE_S, own_topics
from benchmarks.latency import allow_many_files, percentiles_ms
from benchmarks.raw import RawConnection
from idl_like_interfaces.clients.records import decode_record
from idl_like_interfaces.declare import interface_of
from idl_like_interfaces.events import EventChannel, FetchReply
from idl_like_interfaces.mapping import narrow, release
from idl_like_interfaces.mapping.message import HEADER_SIZE, parse_body, parse_header
from idl_like_interfaces.mapping.packing import decode_result
from idl_like_interfaces.mapping.wire import ANNEX

_LIMIT = 4096
_POLL_S = 20.0
_SPARE_S = 10.0
_NS_OF_US = 1000

_FETCH = interface_of(EventChannel).operations["fetch"]


@dataclass(slots=True)
class _Reader:
    """One of them: its connection, its subscription, and where it is."""

    connection: RawConnection
    subscription: str
    cursor: str

    def ask(self) -> None:
        """Send its next question."""
        self.connection.request(
            "fetch", self.subscription, self.cursor, _LIMIT, _POLL_S, left_s=_POLL_S + _SPARE_S
        )

    def answer(self) -> FetchReply:
        """Read the reply that has come, and ask again."""
        octets = self.connection.reply
        message = parse_body(parse_header(octets), octets[HEADER_SIZE:])
        reply: FetchReply = decode_result(_FETCH, message.payload, message.annotations.get(ANNEX))
        self.cursor = reply.cursor
        self.ask()
        return reply


class Crowd(ExitStack):
    """All of them."""

    hello = ""

    def __init__(self, uri: str) -> None:
        super().__init__()
        allow_many_files()
        self._uri = uri
        self._readers: dict[int, _Reader] = {}

    def subscribe(self, count: int, topics: int) -> int:
        """Connect so many; of many topics each wants one, in turn."""
        channel = narrow(self._uri, EventChannel)
        names = own_topics(topics)
        for number in range(count):
            topic = names[number % topics]
            given = channel.connect_consumer(f"bench {number}", [topic])
            connection = self.enter_context(RawConnection(self._uri, is_ours=True))
            reader = _Reader(connection, given.subscription_id, given.cursor)
            self._readers[connection.sock.fileno()] = reader
            reader.ask()
        release(channel)
        return count

    def read(self, deliveries: int) -> dict[str, Any]:
        """Read until so many events have come, over all, or silence.

        Returns:
            ``lost``, percentiles of the ages in ms, deliveries in a second and in a reply.
        """
        ages, replies = array("q"), 0
        began = ended = time.monotonic()
        with select.epoll() as poll:
            for number in self._readers:
                poll.register(number, select.EPOLLIN)
            while len(ages) < deliveries and time.monotonic() - ended < SILENCE_S:
                for number, _ in poll.poll(SILENCE_S):
                    reader = self._readers[number]
                    if reader.connection.take():
                        _note(reader.answer(), ages)
                        replies += 1
                        ended = time.monotonic()
        return {
            **percentiles_ms(ages),
            "lost": deliveries - len(ages),
            "rate": len(ages) / (ended - began),
            "together": len(ages) / max(1, replies),
        }


def _note(reply: FetchReply, ages: array[int]) -> None:
    now = time.time_ns()
    for delivery in reply.deliveries:
        for encoded in delivery.batch.records:
            ages.append((now - decode_record(encoded).time_ns) // _NS_OF_US)
