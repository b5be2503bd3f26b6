"""Batches: many calls of one object in one round trip, with an outcome for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import msgspec
from typing_extensions import override

from idl_like_interfaces.declare import Operation, interface_of
from idl_like_interfaces.errors import BadOperation, RemoteError
from idl_like_interfaces.mapping.annex import Annex
from idl_like_interfaces.mapping.calling.outcome import cannot_travel, not_as_declared
from idl_like_interfaces.mapping.calling.outgoing import Request, crossed, result_of, revived
from idl_like_interfaces.mapping.calling.stub import Stub, caller_of, positional
from idl_like_interfaces.mapping.message import Flag, Message
from idl_like_interfaces.mapping.packing import encode_arguments, pack_plain, returns_octets
from idl_like_interfaces.mapping.wire import ANNEX
from idl_like_interfaces.object import Object
from idl_like_interfaces.octets import Buffer

_NAME = "<batch>"
_METHOD = pack_plain(_NAME)
_NO_KEYWORDS = b"\x80"
_EXCEPTION = int(Flag.EXCEPTION)


class Outcome:
    """What becomes of one call of a batch."""

    __slots__ = ("_error", "_is_done", "_operation", "_value")

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self._is_done = False
        self._value: Any = None
        self._error: RemoteError | None = None

    @property
    def error(self) -> RemoteError | None:
        """The refusal; ``None`` when the call was executed well, or is not sent yet."""
        return self._error

    def get(self) -> Any:
        """Return what the operation returned.

        Raises:
            RemoteError: The refusal of this call, or of the whole batch.
            RuntimeError: The batch is not sent yet: that happens at the end of its block.
        """
        if self._error is not None:
            raise self._error
        if not self._is_done:
            text = f"{self._operation.name} is not sent yet: leave the block of the batch first"
            raise RuntimeError(text)
        return self._value

    def settle(self, item: Item, annex: Any) -> None:
        """Take what came of it."""
        if item.error is not None:
            text = str(item.error.get("error_message", ""))
            self._error = revived(text, item.error.get("attributes") or item.error)
            return
        try:
            self._value = result_of(self._operation, item.value, annex)
        except RemoteError as error:
            self._error = error
        self._is_done = True

    def fail(self, error: RemoteError) -> None:
        """Take what became of the whole batch."""
        self._error = error


class Item(msgspec.Struct):
    """What a reply says of one call.

    Attributes:
        value: What the operation returned.
        error: The attributes of its error; ``None``: it was executed well.
    """

    value: msgspec.Raw = msgspec.Raw(b"\xc0")
    error: dict[str, Any] | None = None


class BatchRequest(Request):
    """All calls of a batch in one message; its value is the list of their items."""

    __slots__ = ()

    def __init__(self, calls: list[tuple[Operation, bytes]], annex: Annex) -> None:
        items = [(operation.name, msgspec.Raw(args)) for operation, args in calls]
        written = msgspec.msgpack.encode(items)
        self.assemble(_NAME, b"".join((_METHOD, written, _NO_KEYWORDS)), annex.joined())
        self.flags = int(Flag.BATCH)
        self.is_idempotent = all(operation.idempotent for operation, _ in calls)
        self.is_bulk = any(returns_octets(operation) for operation, _ in calls)

    @override
    def value(self, reply: Message) -> Any:
        if reply.header.flags & _EXCEPTION:
            raise crossed(_NAME, reply.payload)
        return read_items(reply.payload), reply.annotations.get(ANNEX)


def read_items(payload: Buffer) -> list[Item]:
    """Read the reply to a batch.

    Raises:
        Internal: It is none.
    """
    try:
        return msgspec.msgpack.decode(payload, type=list[Item])
    except (ValueError, RecursionError) as error:
        raise not_as_declared(_NAME, error) from error


class Batch:
    """Collects calls in a ``with`` or ``async with`` block; sends them at its end.

    All are executed, in their order, whatever becomes of the others. Each method is one of
    the stub and returns an ``Outcome``. When the block raises, nothing is sent.
    """

    def __init__(self, stub: Stub) -> None:
        self._stub = stub
        interface = caller_of(stub).target.interface
        self._operations = interface_of(Object).operations | interface.operations
        self._calls: list[tuple[Operation, bytes]] = []
        self._outcomes: list[Outcome] = []
        self._annex = Annex()

    def __getattr__(self, name: str) -> Callable[..., Outcome]:
        operation = self._operations.get(name)
        if operation is None:
            raise AttributeError(name)

        def add(*args: Any, **kwargs: Any) -> Outcome:
            return self._add(operation, positional(operation, args, kwargs) if kwargs else args)

        return add

    def __len__(self) -> int:
        return len(self._outcomes)

    def __iter__(self) -> Iterator[Outcome]:
        return iter(self._outcomes)

    def _add(self, operation: Operation, args: Any) -> Outcome:
        if operation.long_poll or operation.oneway:
            kind = "waits" if operation.long_poll else "has no reply"
            raise BadOperation(
                f"{operation.name} {kind} and cannot be part of a batch",
                cause="the other calls of the batch would wait for it"
                if operation.long_poll
                else "a batch tells what became of each call",
                remedy="call it by itself, with the stub",
            )
        try:
            written = encode_arguments(operation, args, self._annex)
        except (TypeError, NotImplementedError, UnicodeEncodeError, RecursionError) as error:
            raise cannot_travel(operation.name, error) from error
        outcome = Outcome(operation)
        self._calls.append((operation, written))
        self._outcomes.append(outcome)
        return outcome

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self._calls:
            with self._one_refusal_for_all():
                self._settle(*caller_of(self._stub).call(self._request()))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self._calls:
            with self._one_refusal_for_all():
                self._settle(*await caller_of(self._stub).aio.here().call(self._request()))

    def _request(self) -> BatchRequest:
        return BatchRequest(self._calls, self._annex)

    def _settle(self, items: list[Item], annex: Any) -> None:
        if len(items) != len(self._outcomes):
            raise not_as_declared(_NAME, f"{len(items)} outcomes of {len(self._outcomes)} calls")
        for outcome, item in zip(self._outcomes, items, strict=True):
            outcome.settle(item, annex)

    @contextmanager
    def _one_refusal_for_all(self) -> Iterator[None]:
        try:
            yield
        except RemoteError as error:
            for outcome in self._outcomes:
                outcome.fail(error)
            raise


def batch(stub: object) -> Batch:
    """Begin a batch of calls of a stub.

    Raises:
        TypeError: It is no stub.
    """
    caller_of(stub)
    assert isinstance(stub, Stub)
    return Batch(stub)
