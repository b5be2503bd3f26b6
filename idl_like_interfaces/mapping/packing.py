"""Messages of our own stubs and skeletons in msgpack: structs written and read in one pass."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal

import msgspec
from Pyro5.serializers import MsgpackSerializer

from idl_like_interfaces.declare import Operation, parts_of
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.first_use import ready
from idl_like_interfaces.mapping.annex import Annex, read_octets
from idl_like_interfaces.mapping.coding import (
    decode_arguments,
    decode_reply,
    encode,
    parameter_fields,
)
from idl_like_interfaces.octets import Buffer

_LONG_INTEGER = 0x31
"""Extension of Pyro5: an integer of more than 64 bits, as text."""


def encode_call(operation: Operation, args: Sequence[Any]) -> tuple[bytes, Buffer | None]:
    """Write the arguments of a request as one msgpack array; return it and the annex.

    Raises:
        TypeError: Something in them has no plain form.
        NotImplementedError: Likewise.
        UnicodeEncodeError: A text is none: it has half a surrogate pair.
    """
    way = _coder(operation).request_way
    if way == "direct":
        try:
            return _ENCODER.encode(args), None
        except OverflowError:
            pass
    annex = Annex()
    return _write(args, way, annex), annex.joined()


def encode_arguments(operation: Operation, args: Sequence[Any], annex: Annex) -> bytes:
    """As ``encode_call``, octets into an annex that other calls have, too.

    Raises:
        TypeError: Something in them has no plain form.
        NotImplementedError: Likewise.
        UnicodeEncodeError: A text is none: it has half a surrogate pair.
    """
    return _write(args, _coder(operation).request_way, annex)


def decode_request(operation: Operation, raw_args: Buffer, annex: Buffer | None) -> list[Any]:
    """Read the arguments of a request, as strictly as ``decode_arguments``.

    Args:
        operation: Which one is called.
        raw_args: The msgpack array of the positional arguments, as it came.
        annex: The annotation with the octets of this message.

    Returns:
        The arguments in the declared order, defaults filled in.

    Raises:
        BadParam: One is missing, unknown or of the wrong type; or it is no msgpack array.
    """
    try:
        read = _read(_coder(operation).request, raw_args, annex)
    except msgspec.ValidationError:
        # What exactly is wrong, and where, the way over plain values tells.
        plain = _plain(operation, raw_args)
        if not isinstance(plain, list):
            raise _no_msgpack(operation, "the arguments are no array") from None
        return decode_arguments(operation, plain, {}, annex)
    except (ValueError, RecursionError) as error:
        raise _no_msgpack(operation, error) from error
    return list(msgspec.structs.astuple(read))


def encode_reply(operation: Operation, value: Any) -> tuple[bytes, Buffer | None]:
    """Write what an operation returned: the payload and, when it has octets, the annex.

    Raises:
        TypeError: Something in it has no plain form.
        NotImplementedError: Likewise.
        UnicodeEncodeError: A text is none: it has half a surrogate pair.
    """
    annex = Annex()
    return _write(value, _coder(operation).reply_way, annex), annex.joined()


def decode_result(operation: Operation, payload: Buffer, annex: Buffer | None) -> Any:
    """Read a reply, as tolerantly as ``decode_reply``.

    Raises:
        BadParam: It is not what the operation declares.
    """
    try:
        return _read(_coder(operation).reply, payload, annex)
    except msgspec.ValidationError:
        return decode_reply(operation, _plain(operation, payload), annex)
    except (ValueError, RecursionError) as error:
        raise _no_msgpack(operation, error) from error


@cache
def returns_octets(operation: Operation) -> bool:
    """Tell whether a reply may have an annex."""
    return msgspec.inspect.CustomType in _kinds(msgspec.inspect.type_info(operation.returns))


def pack_plain(plain: Any) -> bytes:
    """Write plain values in msgpack."""
    try:
        return _ENCODER.encode(plain)
    except OverflowError:
        # An integer of more than 64 bits, which Pyro5 has an extension for.
        packed: bytes = _PYRO.dumps(plain)
        return packed


def unpack_plain(payload: Buffer) -> Any:
    """Read plain values from msgpack.

    Raises:
        ValueError: It is no msgpack, or holds what is no plain value.
        RecursionError: It is nested too deeply.
    """
    return _PLAIN_DECODER.decode(payload)


def _extension(code: int, octets: memoryview) -> int:
    if code != _LONG_INTEGER:
        text = f"MessagePack extension {code} is no plain value"
        raise ValueError(text)
    return int(bytes(octets))


_Way = Literal["direct", "octets", "plain"]


class _Coder:
    """What writes and reads the messages of one operation."""

    __slots__ = ("reply", "reply_way", "request", "request_way")

    def __init__(self, operation: Operation) -> None:
        self.request = msgspec.msgpack.Decoder(
            ready(_array_of(operation)), dec_hook=_read_octets, ext_hook=_extension
        )
        self.request_way = _way_of([each.type for each in operation.parameters])
        self.reply = msgspec.msgpack.Decoder(
            ready(operation.returns), dec_hook=_read_octets, ext_hook=_extension
        )
        self.reply_way = _way_of([operation.returns])


_coder = cache(_Coder)


def _array_of(operation: Operation) -> type[msgspec.Struct]:
    """Return a struct that is an array of the operation's arguments on the wire."""
    return msgspec.defstruct(
        f"{operation.name} array",
        parameter_fields(operation),
        array_like=True,
        forbid_unknown_fields=True,
    )


def _way_of(types: Sequence[Any]) -> _Way:
    kinds = {kind for type_ in types for kind in _kinds(msgspec.inspect.type_info(type_))}
    # msgspec writes times into msgpack as an extension; the wire has them as text. What is
    # not declared may hold one.
    if kinds & {msgspec.inspect.DateTimeType, msgspec.inspect.AnyType}:
        return "plain"
    return "octets" if msgspec.inspect.CustomType in kinds else "direct"


def _kinds(info: msgspec.inspect.Type) -> set[type[msgspec.inspect.Type]]:
    """Return the kinds of types that a type is made of, at any depth."""
    found: set[type[msgspec.inspect.Type]] = set()
    seen: set[type] = set()
    waiting = [info]
    while waiting:
        each = waiting.pop()
        found.add(type(each))
        if isinstance(each, msgspec.inspect.StructType):
            if each.cls in seen:
                continue
            seen.add(each.cls)
        waiting += [part for _, part in parts_of(each)]
    return found


def _write(value: Any, way: _Way, annex: Annex) -> bytes:
    try:
        if way == "direct":
            return _ENCODER.encode(value)
        if way == "octets":
            return msgspec.msgpack.encode(value, enc_hook=annex.lay)
    except OverflowError:
        annex.clear()
    return pack_plain(encode(value, annex))


class _Reading(threading.local):
    annex: Buffer | None = None


_reading = _Reading()


def _read_octets(wanted: type, found: Any) -> Any:
    return read_octets(wanted, found, _reading.annex)


def _read(decoder: msgspec.msgpack.Decoder[Any], payload: Buffer, annex: Buffer | None) -> Any:
    if annex is None:
        return decoder.decode(payload)
    # A decoder has one hook for all messages, and making one costs more than a message.
    _reading.annex = annex
    try:
        return decoder.decode(payload)
    finally:
        _reading.annex = None


def _plain(operation: Operation, payload: Buffer) -> Any:
    try:
        return unpack_plain(payload)
    except (ValueError, RecursionError) as error:
        raise _no_msgpack(operation, error) from error


def _no_msgpack(operation: Operation, found: object) -> BadParam:
    return BadParam(
        f"the message of {operation.name} cannot be read: {found}",
        field=operation.name,
        cause="the peer writes another form of messages, or a bug",
        remedy="bring client and server to the same release",
    )


_PYRO = MsgpackSerializer()
_ENCODER = msgspec.msgpack.Encoder()
_PLAIN_DECODER = msgspec.msgpack.Decoder(ext_hook=_extension)
