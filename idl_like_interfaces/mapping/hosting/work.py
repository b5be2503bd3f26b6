"""What a message asks for, understood: an answer, one operation, many, or one of Pyro5's own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import Pyro5.core
from typing_extensions import override

from idl_like_interfaces.declare import Operation, Role
from idl_like_interfaces.errors import BadParam, DuplicateCall, RemoteError
from idl_like_interfaces.mapping.annex import Annex
from idl_like_interfaces.mapping.coding import decode_arguments, encode, encode_inline
from idl_like_interfaces.mapping.context import Caller, begin_serving, end_serving
from idl_like_interfaces.mapping.hosting.access import Guard
from idl_like_interfaces.mapping.hosting.order import Asked, Order
from idl_like_interfaces.mapping.hosting.peer import Peer
from idl_like_interfaces.mapping.hosting.replies import (
    Reply,
    crossed_error,
    failure,
    plain_result,
    result,
)
from idl_like_interfaces.mapping.hosting.requests import Request
from idl_like_interfaces.mapping.hosting.sparing import Sparing
from idl_like_interfaces.mapping.message import Flag, Header, Message
from idl_like_interfaces.mapping.packing import encode_reply, pack_plain
from idl_like_interfaces.waiting import Parked

log = logging.getLogger(__name__)
log.addFilter(Sparing())

_MOST_ITEMS = 10_000
"""Calls of one batch."""

_STOCK_READING = frozenset({
    "ping", "info", "registered", "get_metadata", "lookup", "list", "count", "yplookup",
    "get_next_stream_item", "close_stream",
})  # fmt: skip
"""What a stock client may ask an object that Pyro5 exposes, without changing anything."""


class Work:
    """Something to be executed for one message."""

    __slots__ = ()

    is_express = False
    """It takes no time and needs no slot."""

    def execute(self) -> Reply | Parked[Any] | None:
        """Execute it; ``None``: there is no reply."""
        raise NotImplementedError

    def look(self, parked: Parked[Any], *, is_last: bool) -> Reply | None:
        """Look again for the reply, when it was parked; ``None``: there is none yet."""
        raise NotImplementedError

    def forget(self) -> None:
        """Note that its client has gone while it was parked."""

    def drop(self) -> None:
        """Note that it will not be executed."""


class Answer(Work):
    """A reply that is known already."""

    __slots__ = ("_reply",)

    is_express = True

    def __init__(self, reply: Reply | None) -> None:
        self._reply = reply

    @override
    def execute(self) -> Reply | None:
        return self._reply


class Single(Work):
    """One operation of one servant.

    Raises:
        BadOperation: It is not declared.
        BadParam: Its arguments are not as declared, or it is oneway and not declared so.
    """

    __slots__ = ("_args", "_asked", "_order", "_request", "is_express")

    def __init__(self, request: Request, asked: Asked) -> None:
        self._request = request
        self._asked = asked
        self._order = order = Order(asked, request.operation)
        operation = order.operation
        if request.message.header.flags & Flag.ONEWAY and not operation.oneway:
            raise undeclared_oneway(operation.name)
        self._args = request.arguments(operation)
        self.is_express = order.is_express

    @override
    def execute(self) -> Reply | Parked[Any] | None:
        order = self._order
        try:
            order.admit()
            if not order.operation.idempotent:
                refuse_repeated(self._request, self._asked)
            return self._reply(order.run(self._args, may_park=order.operation.long_poll))
        except Parked as parked:
            return parked
        except DuplicateCall as repeated:
            order.tally.drop()
            return self._refusal(repeated)
        except RemoteError as error:
            return self._refusal(error)

    @override
    def look(self, parked: Parked[Any], *, is_last: bool) -> Reply | None:
        try:
            found = self._order.look(parked, is_last=is_last)
        except RemoteError as error:
            return self._refusal(error)
        return None if found is None and not is_last else self._reply(found)

    @override
    def forget(self) -> None:
        self._order.tally.forget(self._order)

    @override
    def drop(self) -> None:
        self._order.tally.drop()

    def _reply(self, found: Any) -> Reply | None:
        header, order = self._request.message.header, self._order
        try:
            if header.flags & Flag.ONEWAY:
                reply = None
            elif self._request.is_ours:
                reply = result(header, *encode_reply(order.operation, found))
            else:
                reply = plain_result(header, encode_inline(found))
        except Exception as error:  # noqa: BLE001 (a reply that is not as declared: the servant's bug)
            return self._refusal(order.end_badly(error))
        order.end_well()
        return reply

    def _refusal(self, error: Exception) -> Reply | None:
        return refusal(self._request.message.header, self._asked.caller, error)


class Batch(Work):
    """Many calls of one of our stubs: each has its outcome, whatever became of the others."""

    __slots__ = ("_asked", "_request")

    def __init__(self, request: Request, asked: Asked) -> None:
        self._request = request
        self._asked = asked

    @override
    def execute(self) -> Reply | None:
        header = self._request.message.header
        annex = Annex()
        try:
            items = self._items()
            refuse_repeated(self._request, self._asked)
        except RemoteError as error:
            return refusal(header, self._asked.caller, error)
        outcomes = [self._outcome(item, annex) for item in items]
        return result(header, pack_plain(outcomes), annex.joined(), Flag.BATCH)

    def _outcome(self, item: Any, annex: Annex) -> dict[str, Any]:
        try:
            return {"value": self._executed(item, lambda found: encode(found, annex))}
        except RemoteError as error:
            return {"error": dict(vars(crossed_error(error)))}

    def _items(self) -> list[Any]:
        items = self._request.items()
        if len(items) > _MOST_ITEMS:
            raise BadParam(
                f"a batch of {len(items)} calls was sent, the most are {_MOST_ITEMS}",
                field="batch",
                remedy="send several batches",
            )
        return items

    def _executed(self, item: Any, encoded: Callable[[Any], Any]) -> Any:
        """Execute one call.

        Raises:
            RemoteError: Whatever ended it; only what may cross.
        """
        name, args, kwargs = _parts(item)
        order = Order(self._asked, name)
        self._check(order.operation)
        arguments = decode_arguments(order.operation, args, kwargs, self._request.annex)
        order.admit()
        found = order.run(arguments, may_park=False)
        try:
            plain = encoded(found)
        except Exception as error:
            raise order.end_badly(error) from error
        order.end_well()
        return plain

    def _check(self, operation: Operation) -> None:
        if operation.long_poll or operation.oneway:
            raise BadParam(
                f"{operation.name} cannot be called in a batch",
                field="batch",
                cause="it waits, or has no outcome",
                remedy="call it by itself",
            )


class StockBatch(Batch):
    """Many calls of a stock client: as Pyro5 does it, up to the first error."""

    __slots__ = ()

    @override
    def execute(self) -> Reply | None:
        header = self._request.message.header
        outcomes: list[Any] = []
        try:
            for item in self._items():
                outcomes.append(self._stock_outcome(item))
                if isinstance(outcomes[-1], Pyro5.core._ExceptionWrapper):  # noqa: SLF001 (what Pyro5's batches hold)
                    break
        except RemoteError as error:
            return refusal(header, self._asked.caller, error)
        return None if header.flags & Flag.ONEWAY else plain_result(header, outcomes, Flag.BATCH)

    def _stock_outcome(self, item: Any) -> Any:
        try:
            return self._executed(item, encode_inline)
        except RemoteError as error:
            return Pyro5.core._ExceptionWrapper(crossed_error(error))  # noqa: SLF001 (what Pyro5's batches hold)

    @override
    def _check(self, operation: Operation) -> None:
        if self._request.message.header.flags & Flag.ONEWAY and not operation.oneway:
            raise undeclared_oneway(operation.name)
        if operation.long_poll:
            super()._check(operation)


class Stock(Work):
    """A call of an object that Pyro5 itself exposes."""

    __slots__ = ("_answer", "_guard", "_message", "_operation", "_peer", "_request")

    def __init__(
        self,
        request: Request,
        peer: Peer,
        guard: Guard | None,
        answer: Callable[[Message, Peer], Reply],
    ) -> None:
        self._request = request
        self._peer = peer
        self._guard = guard
        self._answer = answer

    @override
    def execute(self) -> Reply | None:
        message, caller = self._request.message, self._peer.caller
        try:
            self._admit(caller)
        except RemoteError as denied:
            return refusal(message.header, caller, denied)
        begin_serving(None, caller)
        try:
            return self._answer(message, self._peer) or None
        finally:
            end_serving()

    def _admit(self, caller: Caller) -> None:
        guard, object_id = self._guard, self._request.object_id
        if guard is None:
            return
        operation = _stock_operation(self._request.operation, is_batch=self._request.is_batch)
        try:
            guard.admit(caller, object_id, operation)
        except RemoteError as denied:
            guard.note(caller, object_id, operation, denied.repository_id)
            raise
        guard.note(caller, object_id, operation, "ok")


def refusal(header: Header, caller: Caller, error: Exception) -> Reply | None:
    """Return the reply that raises an error at the client, if it waits for one."""
    if header.flags & Flag.ONEWAY:
        log.warning("a oneway call of %s was refused: %s", caller.address, error)
        return None
    return failure(header, error)


def undeclared_oneway(name: str) -> BadParam:
    """Return the error of a call that is marked as oneway by its client alone."""
    return BadParam(
        f"oneway calls of {name[:80]} are refused: it is not declared so",
        field="message",
        cause="the client marks it as oneway by itself",
        remedy="wait for the reply",
    )


def refuse_repeated(request: Request, asked: Asked) -> None:
    """See that a message came for the first time.

    Raises:
        DuplicateCall: It was taken before.
    """
    mark, caller = request.mark, asked.caller
    if mark is not None and not asked.seen.is_new(
        caller.address, caller.identity, mark.caller, mark.number
    ):
        raise DuplicateCall(
            f"{request.operation} was not executed: a call of this id was taken before",
            cause="a message was sent twice, by the network or by somebody who replays it",
            remedy="look at the state of the object; call again if it is still wanted",
        )


def _parts(item: Any) -> tuple[str, list[Any], dict[str, Any]]:
    """Take a call of a batch apart; a stock client may name arguments."""
    match item:
        case [str(name), list() | tuple() as args]:
            return name, list(args), {}
        case [str(name), list() | tuple() as args, dict() as kwargs]:
            return name, list(args), kwargs
        case _:
            raise BadParam("a call of a batch is operation and arguments", field="batch")


def _stock_operation(name: str, *, is_batch: bool) -> Operation:
    """Declare, for the guard, what Pyro5 exposes without a declaration."""
    is_reading = name in _STOCK_READING and not is_batch
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
