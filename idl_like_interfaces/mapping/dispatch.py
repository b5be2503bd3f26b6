"""From a message to its reply: understand, admit, execute, count, answer."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import Pyro5.core
import Pyro5.errors
import Pyro5.server
from Pyro5.serializers import serializers_by_id

from idl_like_interfaces.declare import Operation, Role
from idl_like_interfaces.errors import (
    BadParam,
    DuplicateCall,
    Internal,
    NoPermission,
    Overloaded,
    RemoteError,
    TimeIsUp,
)
from idl_like_interfaces.mapping.access import Guard
from idl_like_interfaces.mapping.annex import Annex
from idl_like_interfaces.mapping.calls import SeenCalls, Tally
from idl_like_interfaces.mapping.coding import (
    decode_arguments,
    encode,
    encode_inline,
    encode_reply,
    pack_plain,
)
from idl_like_interfaces.mapping.context import begin_serving, end_serving
from idl_like_interfaces.mapping.headers import Unwelcome, inflated
from idl_like_interfaces.mapping.message import SERPENT, Flag, Kind, Message, pack
from idl_like_interfaces.mapping.peer import Peer
from idl_like_interfaces.mapping.replies import (
    Reply,
    crossed_error,
    failure,
    plain_result,
    result,
    unknown_object,
)
from idl_like_interfaces.mapping.requests import Request, is_heavy, read_request
from idl_like_interfaces.mapping.skeleton import Skeleton, crossing
from idl_like_interfaces.mapping.sparing import Sparing
from idl_like_interfaces.mapping.stock import StockDaemon
from idl_like_interfaces.waiting import Parked, allow_parking

log = logging.getLogger(__name__)
log.addFilter(Sparing())

_MOST_ITEMS = 10_000
"""Calls of one batch."""

_REST = 4.0
"""After a heavy message was decoded for a while, none is for so many times as long: the
others notice a fifth of the interpreter at most."""

_PLAIN_READING = frozenset({"ping", "info", "registered", "get_metadata", "lookup", "list", "count",
                            "yplookup", "get_next_stream_item", "close_stream"})  # fmt: skip
"""What a stock client may ask a stock object without changing anything."""


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
        is_express: To execute it takes none; known once it is open.
    """

    __slots__ = (
        "_args", "_arrived", "_daemon", "_execute", "_header", "_message", "_operation", "_peer",
        "_request", "_skeleton", "_tally", "_target", "_until", "is_express", "is_heavy",
    )  # fmt: skip

    _operation: Operation
    _target: Callable[..., Any]
    _request: Request
    _skeleton: Skeleton
    _tally: Tally
    _args: list[Any]

    def __init__(self, daemon: Dispatcher, message: Message, peer: Peer) -> None:
        self._daemon = daemon
        self._message = message
        self._header = message.header
        self._peer = peer
        self._arrived = time.monotonic()
        self._until: float | None = None
        self._execute: Callable[[], Reply | Parked[Any] | None]
        self.is_express = False
        self.is_heavy = bool(self._header.flags & Flag.COMPRESSED) or is_heavy(message)

    @property
    def size(self) -> int:
        """Return how many octets its message has."""
        return self._header.size

    # To understand it.

    def open(self) -> None:
        """Decode it, so far that it can be executed."""
        try:
            if self.is_heavy:
                self._open_alone()
            else:
                self._open()
        except Unwelcome as refused:
            self._answer(self._daemon.refusal(refused))
        except RemoteError as error:
            self._answer(self._failure(error))

    def _open_alone(self) -> None:
        self._daemon.take_turn()
        began = time.monotonic()
        try:
            self._open()
        finally:
            self._daemon.rest(time.monotonic() - began)

    def _open(self) -> None:
        if self._header.kind == Kind.PING:
            header = self._header
            self._answer(pack(Kind.PING, 0, header.sequence, header.serializer, b"pong"))
            return
        self._message = inflated(self._message)
        self._request = request = read_request(self._message)
        if request.mark is not None and request.mark.left_ms:
            self._until = self._arrived + request.mark.left_ms / 1000
        skeleton = self._daemon.stock.skeletons.get(request.object_id)
        if skeleton is None:
            self._open_stock(request)
            return
        self._skeleton = skeleton
        if request.is_batch:
            self._execute = self._batch if request.is_ours else self._stock_batch
        else:
            self._open_operation(skeleton, request)

    def _open_stock(self, request: Request) -> None:
        if request.object_id not in self._daemon.stock.objectsById:
            self._answer(self._failure(unknown_object()))
        else:
            self._refuse_undeclared_oneway(is_declared=False, name=request.operation)
            self._execute = self._stock

    def _open_operation(self, skeleton: Skeleton, request: Request) -> None:
        operation, target = skeleton.find(request.operation)
        self._operation, self._target = operation, target
        self._tally = skeleton.book.of(operation.name)
        self._refuse_undeclared_oneway(is_declared=operation.oneway, name=operation.name)
        self._args = request.arguments(operation)
        self._execute = self._once
        self.is_express = skeleton.is_own(operation.name)

    def _refuse_undeclared_oneway(self, *, is_declared: bool, name: str) -> None:
        if self._header.flags & Flag.ONEWAY and not is_declared:
            raise BadParam(
                f"oneway calls of {name[:80]} are refused: it is not declared so",
                field="message",
                cause="the client marks it as oneway by itself",
                remedy="wait for the reply",
            )

    def _answer(self, reply: Reply | None) -> None:
        self._execute = lambda: reply
        self.is_express = True

    def _failure(self, error: Exception) -> Reply | None:
        if self._header.flags & Flag.ONEWAY:
            log.warning("a oneway call of %s was refused: %s", self._peer.caller.address, error)
            return None
        return failure(self._header, error)

    # To execute it.

    def execute(self) -> Reply | Parked[Any] | None:
        """Execute it; ``None``: there is no reply."""
        return self._execute()

    def refuse(self, error: Exception) -> Reply | None:
        """Return the reply that says why it was not executed."""
        with contextlib.suppress(AttributeError):
            self._tally.drop()
        return self._failure(error)

    def forget(self) -> None:
        """Note that its client has gone while it was parked."""
        self._tally.forget(self)

    def look(self, parked: Parked[Any], *, is_last: bool) -> Reply | None:
        """Look again for the reply of a long-poll; ``None``: there is none yet."""
        begin_serving(self._until, self._peer.caller)
        try:
            found = parked.look()
            if found is None and is_last:
                found = parked.otherwise()
        except Exception as error:  # the outermost loop of a request
            return self._ended_badly(error)
        finally:
            end_serving()
        return None if found is None else self._ended_well(found)

    def _once(self) -> Reply | Parked[Any] | None:
        try:
            self._admit(self._operation)
            if not self._operation.idempotent:
                self._refuse_repeated()
        except DuplicateCall as repeated:
            return self.refuse(repeated)
        except RemoteError as refused:
            return self._failure(refused)
        self._tally.begin(self)
        begin_serving(self._until, self._peer.caller)
        if self._operation.long_poll:
            allow_parking(is_allowed=True)
        try:
            found = self._target(*self._args)
        except Parked as parked:
            return parked
        except Exception as error:  # the outermost loop of a request
            return self._ended_badly(error)
        finally:
            end_serving()
            if self._operation.long_poll:
                allow_parking(is_allowed=False)
        return self._ended_well(found)

    def _admit(self, operation: Operation) -> None:
        """See that an operation may be executed now, for this caller.

        Raises:
            TimeIsUp: Nobody waits for it any more.
            NoPermission: The caller's role does not allow it.
        """
        if self._until is not None and time.monotonic() > self._until:
            self._tally.drop()
            raise TimeIsUp(
                f"{operation.name} was not executed: its deadline passed before it began",
                cause="the object is busy with other calls",
                remedy="try again later, or give it more time",
            )
        guard = self._daemon.guard
        if guard is None:
            return
        try:
            guard.admit(self._peer.caller, self._skeleton.name, operation)
        except NoPermission as denied:
            self._tally.drop("denied")
            guard.note(self._peer.caller, self._skeleton.name, operation, denied.repository_id)
            raise

    def _refuse_repeated(self) -> None:
        """See that the message came for the first time.

        Raises:
            DuplicateCall: It was taken before.
        """
        mark, caller = self._request.mark, self._peer.caller
        if mark is not None and not self._daemon.seen.is_new(
            caller.address, caller.identity, mark.caller, mark.number
        ):
            raise DuplicateCall(
                f"{self._request.operation} was not executed: a call of this id was taken before",
                cause="a message was sent twice, by the network or by somebody who replays it",
                remedy="look at the state of the object; call again if it is still wanted",
            )

    def _ended_well(self, found: Any) -> Reply | None:
        request, operation, header = self._request, self._operation, self._header
        try:
            if header.flags & Flag.ONEWAY:
                reply = None
            elif request.is_ours:
                reply = result(header, *encode_reply(operation, found))
            else:
                reply = plain_result(header, encode_inline(found))
        except Exception as error:  # a reply that is not as declared is a bug of the servant
            return self._ended_badly(error)
        self._tally.end(self, time.monotonic() - self._arrived)
        self._note("ok")
        return reply

    def _ended_badly(self, error: Exception) -> Reply | None:
        crossed = crossing(error, self._operation)
        is_bug = isinstance(crossed, Internal)
        self._tally.end(self, time.monotonic() - self._arrived, "failed" if is_bug else "refused")
        self._note(crossed.repository_id)
        crossed.__traceback__ = error.__traceback__
        return self._failure(crossed)

    def _note(self, outcome: str) -> None:
        guard = self._daemon.guard
        if guard is not None:
            guard.note(self._peer.caller, self._skeleton.name, self._operation, outcome)

    # Batches.

    def _batch(self) -> Reply | None:
        """Execute all calls of a batch of our stubs, whatever becomes of each."""
        annex = Annex()
        try:
            items = self._checked_items()
            self._refuse_repeated()
        except RemoteError as error:
            return self._failure(error)
        outcomes = []
        for item in items:
            try:
                outcomes.append({"value": encode(self._item(item), annex)})
            except RemoteError as error:
                outcomes.append({"error": _attributes(crossed_error(error))})
        return result(self._header, pack_plain(outcomes), annex.joined(), Flag.BATCH)

    def _stock_batch(self) -> Reply | None:
        """Execute the calls of a stock batch up to the first error, as Pyro5 does."""
        outcomes: list[Any] = []
        try:
            items = self._checked_items()
        except RemoteError as error:
            return self._failure(error)
        for item in items:
            try:
                outcomes.append(encode_inline(self._item(item)))
            except RemoteError as error:
                outcomes.append(Pyro5.core._ExceptionWrapper(crossed_error(error)))  # noqa: SLF001 (what Pyro5's batches hold)
                break
        if self._header.flags & Flag.ONEWAY:
            return None
        return plain_result(self._header, outcomes, Flag.BATCH)

    def _checked_items(self) -> list[Any]:
        items = self._request.items()
        if len(items) > _MOST_ITEMS:
            raise BadParam(
                f"a batch of {len(items)} calls was sent, the most are {_MOST_ITEMS}",
                field="batch",
                remedy="send several batches",
            )
        return items

    def _item(self, item: Any) -> Any:
        """Execute one call of a batch.

        Raises:
            RemoteError: Whatever ended it; only what may cross.
        """
        match item:
            case [str(name), list() | tuple() as args]:
                kwargs: dict[str, Any] = {}
            case [str(name), list() | tuple() as args, dict() as kwargs]:
                pass
            case _:
                raise BadParam("a call of a batch is operation and arguments", field="batch")
        operation, target = self._skeleton.find(name)
        if operation.long_poll or (operation.oneway and self._request.is_ours):
            raise BadParam(
                f"{name} cannot be called in a batch",
                field="batch",
                cause="it waits, or has no outcome",
                remedy="call it by itself",
            )
        self._refuse_undeclared_oneway(is_declared=operation.oneway, name=name)
        self._operation, self._tally = operation, self._skeleton.book.of(name)
        return self._execute_item(
            target, decode_arguments(operation, args, kwargs, self._request.annex)
        )

    def _execute_item(self, target: Callable[..., Any], args: list[Any]) -> Any:
        operation, tally, item = self._operation, self._tally, object()
        began = time.monotonic()
        self._admit(operation)
        tally.begin(item)
        begin_serving(self._until, self._peer.caller)
        try:
            found = target(*args)
        except Exception as error:  # the outermost loop of a request
            crossed = crossing(error, operation)
            kind = "failed" if isinstance(crossed, Internal) else "refused"
            tally.end(item, time.monotonic() - began, kind)
            self._note(crossed.repository_id)
            raise crossed from error
        finally:
            end_serving()
        tally.end(item, time.monotonic() - began)
        self._note("ok")
        return found

    # What Pyro5 itself exposes.

    def _stock(self) -> Reply | None:
        guard = self._daemon.guard
        request = self._request
        if guard is not None:
            operation = _stock_operation(request.operation, is_batch=request.is_batch)
            try:
                guard.admit(self._peer.caller, request.object_id, operation)
            except RemoteError as denied:
                guard.note(self._peer.caller, request.object_id, operation, denied.repository_id)
                return self._failure(denied)
            guard.note(self._peer.caller, request.object_id, operation, "ok")
        begin_serving(self._until, self._peer.caller)
        try:
            return self._daemon.stock.answer(self._message, self._peer) or None
        finally:
            end_serving()


def _attributes(crossed: Exception) -> dict[str, Any]:
    """Return what tells an error apart, as plain values."""
    return dict(vars(crossed))


def _stock_operation(name: str, *, is_batch: bool) -> Operation:
    """Declare, for the guard, what Pyro5 exposes without a declaration."""
    is_reading = name in _PLAIN_READING and not is_batch
    return Operation(
        name=name[:80],
        parameters=(),
        returns=type(None),
        raises=(),
        idempotent=is_reading,
        long_poll=False,
        oneway=False,
        role=Role.OBSERVER if is_reading else Role.ENGINEER,
    )
