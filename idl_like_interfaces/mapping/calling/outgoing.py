"""One request and its reply as bytes: what is the same however they are sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from idl_like_interfaces.declare import Operation
from idl_like_interfaces.errors import BadOperation, BadParam, Internal, RemoteError
from idl_like_interfaces.mapping.calling.outcome import NotActive, cannot_travel, not_as_declared
from idl_like_interfaces.mapping.context import MARK
from idl_like_interfaces.mapping.message import MSGPACK, Flag, Kind, Message, pack, pack_marked
from idl_like_interfaces.mapping.packing import (
    decode_result,
    encode_call,
    pack_plain,
    returns_octets,
    unpack_plain,
)
from idl_like_interfaces.mapping.wire import (
    ANNEX,
    LARGEST_MESSAGE,
    LARGEST_PAYLOAD,
    revive_attributes,
)
from idl_like_interfaces.octets import Buffer

LONGEST_WAIT_S = 1e9
"""Of a long-poll; a socket refuses a timeout beyond nine times as much."""

_CALL_OF_FOUR, _NO_KEYWORDS = b"\x94", b"\x80"
ONEWAY = int(Flag.ONEWAY)
"""Among the flags of a request: it gets no reply."""

_INVOKE, _EXCEPTION = int(Kind.INVOKE), int(Flag.EXCEPTION)
_MARK, _ANNEX = MARK.encode(), ANNEX.encode()
_ROOM = 1024
"""Bytes of a message beside what a caller gives."""


class Request:
    """A call as it is sent, as often as needed, over whatever connection.

    Attributes:
        name: Of the operation, for a person.
        is_idempotent: It may be sent again after its reply was lost.
        wait_s: How long the object may wait of its own accord.
        is_bulk: Its reply carries octets.
        flags: Of the message.
    """

    __slots__ = ("_annex", "_body", "_operation", "flags", "is_bulk", "is_idempotent", "name",
                 "wait_s")  # fmt: skip

    def __init__(self, operation: Operation, args: Sequence[Any]) -> None:
        form = _form_of(operation)
        try:
            written, annex = encode_call(operation, args)
        except (TypeError, NotImplementedError, UnicodeEncodeError, RecursionError) as error:
            raise cannot_travel(operation.name, error) from error
        body = b"".join((form.method, written, _NO_KEYWORDS))
        self.assemble(operation.name, body, annex)
        self._operation = operation
        self.is_idempotent = operation.idempotent
        self.is_bulk = form.is_bulk
        self.flags = form.flags
        if operation.long_poll:
            self.wait_s = _waiting_time(operation, args)

    def assemble(self, name: str, body: bytes, annex: Buffer | None) -> None:
        """Take the parts of the message.

        Args:
            name: What it calls.
            body: All of the payload behind the object's id.
            annex: All octets.

        Raises:
            BadParam: It is longer than what a peer reads.
        """
        size = len(body) + (0 if annex is None else len(annex))
        if size > LARGEST_MESSAGE - _ROOM:
            raise cannot_travel(name, f"{size} bytes, the most are {LARGEST_MESSAGE - _ROOM}")
        if len(body) > LARGEST_PAYLOAD - _ROOM:
            most = LARGEST_PAYLOAD - _ROOM
            raise cannot_travel(name, f"{len(body)} bytes of values, the most are {most}")
        self.name = name
        self.wait_s = 0.0
        self._body = body
        self._annex = annex

    def parts(self, head: bytes, sequence: int, mark: bytes) -> list[Buffer]:
        """Return the message as the buffers to send.

        Args:
            head: Begin of the payload, with the object's id (``head_of``).
            sequence: Number of the call on its connection.
            mark: Id and time of this attempt.
        """
        payload = head + self._body
        if self._annex is None:
            return pack_marked(_INVOKE, self.flags, sequence, MSGPACK, payload, mark)
        annotations = ((_MARK, mark), (_ANNEX, self._annex))
        return pack(_INVOKE, self.flags, sequence, MSGPACK, payload, annotations)

    def value(self, reply: Message) -> Any:
        """Return what the operation returned.

        Raises:
            RemoteError: The operation was refused, or the reply cannot be read.
            NotActive: The peer has no such object.
        """
        if reply.header.flags & _EXCEPTION:
            raise crossed(self.name, reply.payload)
        return result_of(self._operation, reply.payload, reply.annotations.get(ANNEX))


@dataclass(frozen=True, slots=True)
class _Form:
    method: bytes
    is_bulk: bool
    flags: int


@cache
def _form_of(operation: Operation) -> _Form:
    flags = ONEWAY if operation.oneway else 0
    return _Form(pack_plain(operation.name), returns_octets(operation), flags)


def head_of(object_id: str) -> bytes:
    """Return the begin of the payload of each call of an object."""
    return _CALL_OF_FOUR + pack_plain(object_id)


def result_of(operation: Operation, payload: Buffer, annex: Buffer | None) -> Any:
    """Read what an operation returned.

    Raises:
        Internal: It is not as declared.
    """
    try:
        return decode_result(operation, payload, annex)
    except BadParam as error:
        raise not_as_declared(operation.name, error.message) from error


def crossed(name: str, payload: Buffer) -> Exception:
    """Return the error that a peer has sent instead of a reply.

    Returns:
        The declared error, or ``NotActive``.
    """
    try:
        plain = unpack_plain(payload)
        kind, texts = plain["__class__"], plain["args"]
    except (ValueError, RecursionError, TypeError, LookupError) as error:
        return not_as_declared(name, error)
    text = str(texts[0]) if isinstance(texts, list) and texts else ""
    return _crossed(name, str(kind), text, plain.get("attributes") or {})


def _crossed(name: str, kind: str, text: str, attributes: dict[str, Any]) -> Exception:
    if kind == "Pyro5.errors.DaemonError" and "unknown object" in text:
        return NotActive(text)
    if kind.endswith("AttributeError"):
        return BadOperation(f"the object has no operation {name}")
    return revived(text, attributes)


def revived(text: str, attributes: dict[str, Any]) -> RemoteError:
    """Make the declared error again of what crossed."""
    try:
        return revive_attributes(text, attributes)
    except (BadParam, TypeError, ValueError, AttributeError) as error:
        return Internal(
            text or "the object failed",
            cause=f"its error cannot be read: {error}",
            remedy="bring client and server to the same release",
        )


def _waiting_time(operation: Operation, args: Sequence[Any]) -> float:
    """Return how long a long-poll may wait at the object."""
    for index, each in enumerate(operation.parameters):
        if each.name == "timeout_s":
            given = args[index] if index < len(args) else each.default
            is_number = isinstance(given, int | float)
            return min(max(0.0, given), LONGEST_WAIT_S) if is_number else 0.0
    return 0.0


class Greeting(msgspec.Struct):
    """What a client says first.

    Attributes:
        object: Id of the object that it wants.
        handshake: Nothing of meaning; Pyro5's own.
    """

    object: str
    handshake: str = "hello"


def greeting(object_id: str) -> list[Buffer]:
    """Return the first message on a connection."""
    written = msgspec.msgpack.encode(Greeting(object=object_id))
    return pack(int(Kind.CONNECT), 0, 0, MSGPACK, written)
