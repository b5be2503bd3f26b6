"""Requests as they came: object, operation and arguments, of our stubs and of stock clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import serpent

from idl_like_interfaces.declare import Operation
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.mapping.coding import check_texts, decode_arguments
from idl_like_interfaces.mapping.context import MARK, CallMark
from idl_like_interfaces.mapping.message import MSGPACK, SERPENT, Flag, Message
from idl_like_interfaces.mapping.packing import decode_request, unpack_plain
from idl_like_interfaces.mapping.wire import ANNEX
from idl_like_interfaces.octets import Buffer

_HEAVY_SERPENT = 2 * 1024
_HEAVY_MSGPACK = 256 * 1024
"""Bytes of a payload from which on it is not decoded beside others: Python's parser, and
msgspec with millions of small values, hold the interpreter while they work."""


class _Envelope(msgspec.Struct, array_like=True, forbid_unknown_fields=True, frozen=True):
    """What Pyro5 calls a call, its arguments not yet decoded."""

    object_id: str
    operation: str
    args: msgspec.Raw
    kwargs: msgspec.Raw


_envelope = msgspec.msgpack.Decoder(_Envelope)

_CHECKED = 64 * 1024
_MOST_CONTAINERS = 100_000
"""Lists and dicts of a message. Empty ones are an octet each and become sixty; four million
of them keep the interpreter busy for seconds."""

_NO_CONTAINERS = bytes({*range(256)} - {*range(0x80, 0xA0)} - {*range(0xDC, 0xE0)})

_NO_KWARGS = msgspec.Raw(b"\x80")


@dataclass(frozen=True, slots=True)
class Request:
    """A request, its arguments not yet checked.

    Attributes:
        object_id: Which object it is for.
        operation: Which operation.
        message: The whole message.
        mark: Its id and deadline; ``None``: the sender gave none.
        is_ours: One of our stubs sent it.
    """

    object_id: str
    operation: str
    message: Message
    mark: CallMark | None
    is_ours: bool
    _args: Any
    _kwargs: dict[str, Any]

    @property
    def annex(self) -> Buffer | None:
        """Its octets."""
        return self.message.annotations.get(ANNEX)

    @property
    def is_batch(self) -> bool:
        """Tell whether it holds many calls."""
        return bool(self.message.header.flags & Flag.BATCH)

    def arguments(self, operation: Operation) -> list[Any]:
        """Return the arguments in their declared order.

        Raises:
            BadParam: They are not as declared.
        """
        if isinstance(self._args, msgspec.Raw):
            return decode_request(operation, self._args, self.annex)
        if self.message.header.serializer == SERPENT:
            check_texts((self._args, self._kwargs), operation.name)
        return decode_arguments(operation, self._args, self._kwargs, self.annex)

    def items(self) -> list[Any]:
        """Return the calls of a batch, as they came.

        Raises:
            BadParam: They are no list.
        """
        args = self._args
        if isinstance(args, msgspec.Raw):
            try:
                args = unpack_plain(args)
            except (ValueError, RecursionError) as error:
                raise _no_call(error) from error
        if not isinstance(args, list | tuple):
            raise _no_call("the calls of a batch are no list")
        return list(args)


def is_heavy(message: Message) -> bool:
    """Tell whether to decode a message may take so long that others would notice."""
    size = len(message.payload)
    return size > (_HEAVY_MSGPACK if message.header.serializer == MSGPACK else _HEAVY_SERPENT)


def read_request(message: Message) -> Request:
    """Read the payload of a request as far as is needed to know what it is for.

    Raises:
        BadParam: It is no call.
    """
    annotation = message.annotations.get(MARK)
    is_ours = annotation is not None
    mark = CallMark.parse(annotation) if annotation is not None else None
    if message.header.serializer == MSGPACK:
        return _read_msgpack(message, mark, is_ours=is_ours)
    return _of_plain(message, mark, _parse_serpent(message.payload), is_ours=is_ours)


def _read_msgpack(message: Message, mark: CallMark | None, *, is_ours: bool) -> Request:
    _check_containers(message.payload)
    try:
        envelope = _envelope.decode(message.payload)
        if is_ours and envelope.kwargs == _NO_KWARGS:
            return Request(
                envelope.object_id, envelope.operation, message, mark, is_ours, envelope.args, {}
            )
        return _of_plain(message, mark, unpack_plain(message.payload), is_ours=is_ours)
    except (ValueError, RecursionError, msgspec.DecodeError) as error:
        raise _no_call(error) from error


def _check_containers(payload: Buffer) -> None:
    """Refuse a message with too many lists and dicts, before they are made.

    All octets that may begin one are counted, also within texts: only long messages of
    small parts, or of octets that should not pass a serializer, have so many.
    """
    if len(payload) <= _CHECKED:
        return
    number = len(bytes(payload).translate(None, _NO_CONTAINERS))
    if number > _MOST_CONTAINERS:
        raise BadParam(
            f"the payload may hold {number} lists and dicts, {_MOST_CONTAINERS} are allowed",
            field="call",
            cause="it has too many small parts, or octets in bulk",
            remedy="send less at a time; send octets through one of our stubs",
        )


def _parse_serpent(payload: Buffer) -> Any:
    try:
        return serpent.loads(bytes(payload))
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise _no_call(error) from error


def _of_plain(message: Message, mark: CallMark | None, plain: Any, *, is_ours: bool) -> Request:
    match plain:
        case [str(object_id), str(operation), list() | tuple() as args, (dict() | None) as kwargs]:
            check_texts((object_id, operation), "call")
            kwargs = kwargs or {}  # Pyro5's batches have none
            if all(isinstance(name, str) for name in kwargs):
                return Request(object_id, operation, message, mark, is_ours, args, kwargs)
        case [str(object_id), str(operation), list() | tuple() as args, None] if (
            message.header.flags & Flag.BATCH
        ):
            # So Pyro5 writes a batch.
            check_texts((object_id, operation), "call")
            return Request(object_id, operation, message, mark, is_ours, args, {})
        case _:
            pass
    raise _no_call("it is not object, operation, arguments and keyword arguments")


def _no_call(why: object) -> BadParam:
    return BadParam(
        f"the payload is no call: {str(why)[:200]}",
        field="call",
        cause="the client is not one of Pyro5, or its message was damaged",
        remedy="call through Pyro5.api.Proxy or one of our stubs",
    )
