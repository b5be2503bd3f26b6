"""Coding by declared type: structs to plain values and back, strictly.

A message is plain values (dict, list, str, number, bool, None) and at most one
*annex* with its octets. Between our own stubs and skeletons structs are written and read
in one pass (``encode_request`` and the like). The way over plain values remains for stock
clients, for times, which the wire has as text, and to say what exactly is wrong.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import EllipsisType
from typing import Any, Literal, TypeVar

import msgspec
from Pyro5.serializers import MsgpackSerializer

from idl_like_interfaces.declare import Operation, parts_of
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.mapping.annex import Annex as Annex  # noqa: PLC0414 (exported)
from idl_like_interfaces.mapping.annex import read_octets
from idl_like_interfaces.mapping.refusals import bad_param
from idl_like_interfaces.mapping.tolerance import without_unknown
from idl_like_interfaces.octets import Buffer, OctetBlocks, Octets

_PLAIN = frozenset({str, int, float, bool, type(None)})

T = TypeVar("T")


def encode(value: Any, annex: Annex) -> Any:
    """Turn a declared value into plain values, octets into the annex.

    Raises:
        TypeError: Something in it has no plain form.
    """
    if type(value) in _PLAIN:
        return value
    return msgspec.to_builtins(value, enc_hook=annex.lay)


def _inline(value: Any) -> bytes | list[bytes]:
    match value:
        case Octets():
            return bytes(value)
        case OctetBlocks():
            return [bytes(block) for block in value]
        case _:
            # Numbers and arrays of numpy would give their memory as octets.
            text = f"objects of type {type(value).__name__} cannot travel"
            raise NotImplementedError(text)


def encode_inline(value: Any) -> Any:
    """As ``encode``, octets as bytes in place, for peers that do not know the annex."""
    if type(value) in _PLAIN:
        return value
    return msgspec.to_builtins(value, enc_hook=_inline, builtin_types=(bytes,))


def to_plain(value: Any) -> Any:
    """Turn a declared value without octets into plain values."""
    return encode(value, Annex())


def to_json(value: Any) -> str:
    """Turn a declared value without octets into JSON text."""
    return msgspec.json.encode(to_plain(value)).decode()


@cache
def arguments_of(operation: Operation) -> type[msgspec.Struct]:
    """Return a struct whose fields are the operation's parameters."""
    return msgspec.defstruct(
        f"{operation.name} arguments",
        [
            (p.name, p.type) if p.is_required else (p.name, p.type, _default(p.default))
            for p in operation.parameters
        ],
        kw_only=True,
        forbid_unknown_fields=True,
    )


def _default(value: Any) -> Any:
    if isinstance(value, list | dict):
        return msgspec.field(default_factory=lambda: type(value)(value))
    return value


@cache
def _names_of(operation: Operation) -> tuple[str, ...]:
    return tuple(p.name for p in operation.parameters)


@cache
def _scalars_of(operation: Operation) -> tuple[Any, ...]:
    """Return the types of the parameters when all are scalars without a constraint, else ()."""
    types = tuple(p.type for p in operation.parameters)
    return types if all(type_ in _PLAIN for type_ in types) else ()


@cache
def reply_of(operation: Operation) -> type[msgspec.Struct]:
    """Return a struct whose one field ``reply`` is what the operation returns."""
    return msgspec.defstruct(f"{operation.name} reply", [("reply", operation.returns)])


def decode_arguments(
    operation: Operation, args: Sequence[Any], kwargs: Mapping[str, Any], annex: Buffer | None
) -> list[Any]:
    """Check a request and return its arguments in the declared order.

    Raises:
        BadParam: One is missing, unknown, given twice or of the wrong type.
    """
    if args and not kwargs and tuple(map(type, args)) == _scalars_of(operation):
        return list(args)
    names = _names_of(operation)
    if len(args) > len(names):
        raise BadParam(
            f"{operation.name} takes {len(names)} arguments ({', '.join(names)}), got {len(args)}",
            field=operation.name,
            remedy="leave out the arguments behind the last declared one",
        )
    given = dict(zip(names, args, strict=False))
    if kwargs:
        if twice := given.keys() & kwargs.keys():
            name = min(twice)
            raise BadParam(f"argument {name} of {operation.name} is given twice", field=name)
        given |= kwargs
    return list(msgspec.structs.astuple(_convert(given, arguments_of(operation), annex)))


def check_texts(plain: Any, field: str) -> None:
    """Refuse what nothing could write or send on: half a surrogate pair, complex numbers, ``...``.

    Only serpent brings such, which is Python; msgpack carries UTF-8 and plain values.

    Raises:
        BadParam: There is one, at any depth.
    """
    match plain:
        case str() if not plain.isascii():
            try:
                plain.encode()
            except UnicodeEncodeError as error:
                raise BadParam(
                    f"an argument of {field} is no Unicode text: {error}",
                    field=field,
                    cause="bytes were read as text with the wrong encoding",
                    remedy="give text without lone surrogates",
                ) from error
        case list() | tuple() | set():
            for each in plain:
                check_texts(each, field)
        case dict():
            for pair in plain.items():
                check_texts(pair, field)
        case complex() | EllipsisType():
            raise BadParam(
                f"an argument of {field} holds {plain!r}, which is no plain value",
                field=field,
                remedy="give dicts, lists, texts, real numbers, booleans and null",
            )
        case _:
            pass


def decode_reply(operation: Operation, plain: Any, annex: Buffer | None) -> Any:
    """Read a reply; fields that a newer minor version added are passed over.

    Raises:
        BadParam: It is not what the operation declares.
    """
    if operation.returns in _PLAIN and type(plain) is operation.returns:
        return plain
    wanted = reply_of(operation)
    try:
        decoded = _convert({"reply": plain}, wanted, annex)
    except BadParam:
        known = without_unknown(msgspec.inspect.type_info(operation.returns), plain)
        decoded = _convert({"reply": known}, wanted, annex)
    return decoded.reply  # type: ignore[attr-defined]


def from_plain(type_: type[T], plain: Any, field: str = "") -> T:
    """Read plain values as a declared type, strictly.

    Args:
        type_: The type.
        plain: The values.
        field: Name of the whole, the begin of the path in an error.

    Raises:
        BadParam: A field is missing, unknown or of the wrong type or value.
    """
    return _convert(plain, type_, None, field)


def parse_json(type_: type[T], text: str | bytes, field: str = "") -> T:
    """Read JSON text as a declared type, strictly.

    Raises:
        BadParam: The text is not JSON, or as ``from_plain``.
    """
    try:
        plain = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise BadParam(
            f"{field or 'the text'} is not JSON: {error}",
            field=field,
            cause="a quote, comma or bracket is missing or too many",
            remedy="check the text with a JSON tool",
        ) from error
    return from_plain(type_, plain, field)


def _convert(plain: Any, type_: type[T], annex: Buffer | None, field: str = "") -> T:
    def special(wanted: type, found: Any) -> Any:
        # Settings of components name folders and files; interfaces cannot.
        if wanted is Path and isinstance(found, str):
            return Path(found)
        return read_octets(wanted, found, annex)

    try:
        return msgspec.convert(plain, type_, dec_hook=special)
    except msgspec.ValidationError as error:
        raise bad_param(str(error), field, msgspec.inspect.type_info(type_), plain) from None


# In one pass, between our own stubs and skeletons.


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
            _array_of(operation), dec_hook=_read_octets, ext_hook=_extension
        )
        self.request_way = _way_of([each.type for each in operation.parameters])
        self.reply = msgspec.msgpack.Decoder(
            operation.returns, dec_hook=_read_octets, ext_hook=_extension
        )
        self.reply_way = _way_of([operation.returns])


_coder = cache(_Coder)


def _array_of(operation: Operation) -> type[msgspec.Struct]:
    """Return a struct that is an array of the operation's arguments on the wire."""
    fields = [
        (p.name, p.type) if p.is_required else (p.name, p.type, _default(p.default))
        for p in operation.parameters
    ]
    return msgspec.defstruct(
        f"{operation.name} array", fields, array_like=True, forbid_unknown_fields=True
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


_LONG_INTEGER = 0x31
_PYRO = MsgpackSerializer()
_ENCODER = msgspec.msgpack.Encoder()
_PLAIN_DECODER = msgspec.msgpack.Decoder(ext_hook=_extension)
