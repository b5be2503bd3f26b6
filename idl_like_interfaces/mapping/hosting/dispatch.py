"""From a message to its reply: understand, admit, execute, count, answer."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from Pyro5.serializers import serializers_by_id

from idl_like_interfaces.errors import BadParam, Overloaded, RemoteError
from idl_like_interfaces.mapping.hosting.access import Guard
from idl_like_interfaces.mapping.hosting.calls import SeenCalls
from idl_like_interfaces.mapping.hosting.headers import Unwelcome, inflated
from idl_like_interfaces.mapping.hosting.order import Asked
from idl_like_interfaces.mapping.hosting.peer import Peer
from idl_like_interfaces.mapping.hosting.replies import Reply, failure, unknown_object
from idl_like_interfaces.mapping.hosting.requests import Request, is_heavy, read_request
from idl_like_interfaces.mapping.hosting.sparing import Sparing
from idl_like_interfaces.mapping.hosting.stock import StockDaemon
from idl_like_interfaces.mapping.hosting.work import (
    Answer,
    Batch,
    Single,
    Stock,
    StockBatch,
    Work,
    refusal,
    undeclared_oneway,
)
from idl_like_interfaces.mapping.message import SERPENT, Flag, Kind, Message, pack
from idl_like_interfaces.waiting import Parked

log = logging.getLogger(__name__)
log.addFilter(Sparing())

_REST = 4.0
"""After a heavy message was decoded for a while, none is for so many times as long: the
others notice a fifth of the interpreter at most."""


class Dispatcher:
    """Answers the messages of one daemon.

    Args:
        stock: Pyro5's own daemon, for what it exposes itself, and with our skeletons.
        guard: Decides who may call what; ``None``: everybody everything.
    """

    def __init__(self, stock: StockDaemon, guard: Guard | None) -> None:
        self.stock = stock
        self.guard = guard
        self.seen = SeenCalls()
        self._resting_until = 0.0
        self._ended = threading.Event()

    def greet(self, message: Message, peer: Peer) -> tuple[Reply, bool]:
        try:
            return self.stock.greet(inflated(message), peer)
        except Unwelcome as refused:
            return self.no_greeting(str(refused)), False

    def receive(self, message: Message, peer: Peer) -> Call:
        return Call(self, message, peer)

    def refusal(self, refused: Unwelcome) -> Reply:
        return failure(
            refused.header,
            BadParam(
                str(refused),
                field="message",
                cause="the client's Pyro5 is configured for another kind of message",
                remedy=refused.remedy,
            ),
        )

    def too_many(self) -> Exception:
        return Overloaded(
            "too many calls wait for their turn",
            cause="the object is asked faster than it can answer, or its operations hang",
            remedy="try again in a while; see obsorb top",
        )

    def no_greeting(self, why: str) -> Reply:
        payload = serializers_by_id[SERPENT].dumps(why)
        return pack(Kind.CONNECT_FAIL, 0, 0, SERPENT, payload)

    def take_turn(self) -> None:
        """Wait until a heavy message may be decoded; called by one thread at a time."""
        self._ended.wait(max(0.0, self._resting_until - time.monotonic()))

    def rest(self, worked_s: float) -> None:
        """Have the next heavy message wait."""
        self._resting_until = time.monotonic() + _REST * worked_s

    def end(self) -> None:
        """Wait no more."""
        self._ended.set()


class Call:
    """One message that asks for something, on its way to the reply.

    Attributes:
        is_heavy: To understand it takes time: ``open`` it alone.
    """

    __slots__ = ("_arrived", "_daemon", "_message", "_peer", "_work", "is_heavy")

    _work: Work

    def __init__(self, daemon: Dispatcher, message: Message, peer: Peer) -> None:
        self._daemon = daemon
        self._message = message
        self._peer = peer
        self._arrived = time.monotonic()
        self.is_heavy = bool(message.header.flags & Flag.COMPRESSED) or is_heavy(message)

    @property
    def size(self) -> int:
        """Return how many octets its message has."""
        return self._message.header.size

    @property
    def is_express(self) -> bool:
        """Tell whether to execute it takes no time; known once it is open."""
        return self._work.is_express

    def open(self) -> None:
        """Decode it, so far that it can be executed."""
        try:
            self._work = self._opened_alone() if self.is_heavy else self._opened()
        except Unwelcome as refused:
            self._work = Answer(self._daemon.refusal(refused))
        except RemoteError as error:
            self._work = Answer(self._refusal(error))

    def execute(self) -> Reply | Parked[Any] | None:
        """Execute it; ``None``: there is no reply."""
        return self._work.execute()

    def look(self, parked: Parked[Any], *, is_last: bool) -> Reply | None:
        """Look again for the reply of a long-poll; ``None``: there is none yet."""
        return self._work.look(parked, is_last=is_last)

    def refuse(self, error: Exception) -> Reply | None:
        """Return the reply that says why it was not executed."""
        if hasattr(self, "_work"):
            self._work.drop()
        return self._refusal(error)

    def forget(self) -> None:
        """Note that its client has gone while it was parked."""
        self._work.forget()

    def _refusal(self, error: Exception) -> Reply | None:
        return refusal(self._message.header, self._peer.caller, error)

    def _opened_alone(self) -> Work:
        self._daemon.take_turn()
        began = time.monotonic()
        try:
            return self._opened()
        finally:
            self._daemon.rest(time.monotonic() - began)

    def _opened(self) -> Work:
        header = self._message.header
        if header.kind == Kind.PING:
            return Answer(pack(Kind.PING, 0, header.sequence, header.serializer, b"pong"))
        request = read_request(inflated(self._message))
        skeleton = self._daemon.stock.skeletons.get(request.object_id)
        if skeleton is None:
            return self._opened_stock(request)
        left_ms = request.mark.left_ms if request.mark is not None else 0
        asked = Asked(
            skeleton,
            self._peer.caller,
            until=self._arrived + left_ms / 1000 if left_ms else None,
            arrived=self._arrived,
            guard=self._daemon.guard,
            seen=self._daemon.seen,
        )
        if not request.is_batch:
            return Single(request, asked)
        return (Batch if request.is_ours else StockBatch)(request, asked)

    def _opened_stock(self, request: Request) -> Work:
        stock = self._daemon.stock
        if request.object_id not in stock.objectsById:
            return Answer(self._refusal(unknown_object()))
        if request.message.header.flags & Flag.ONEWAY:
            raise undeclared_oneway(request.operation)
        return Stock(request, self._peer, self._daemon.guard, stock.answer)
