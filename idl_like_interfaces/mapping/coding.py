"""Coding by declared type: structs to plain values and back, strictly.

A message is plain values (dict, list, str, number, bool, None) and at most one
*annex* with its octets. Between our own stubs and skeletons structs are written and read
in one pass (``packing``). The way over plain values remains for stock clients, for times,
which the wire has as text, and to say what exactly is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import EllipsisType
from typing import Any, TypeVar

import msgspec

from idl_like_interfaces.declare import Operation
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.first_use import ready
from idl_like_interfaces.mapping.annex import Annex, read_octets
from idl_like_interfaces.mapping.json_text import json_value
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
        parameter_fields(operation),
        kw_only=True,
        forbid_unknown_fields=True,
    )


def parameter_fields(operation: Operation) -> list[Any]:
    """Return the operation's parameters as fields for ``defstruct``."""
    return [
        (p.name, p.type) if p.is_required else (p.name, p.type, _default(p.default))
        for p in operation.parameters
    ]


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
    return from_plain(type_, json_value(text, field), field)


def _convert(plain: Any, type_: type[T], annex: Buffer | None, field: str = "") -> T:
    def special(wanted: type, found: Any) -> Any:
        # Settings of components name folders and files; interfaces cannot.
        if wanted is Path and isinstance(found, str):
            return Path(found)
        return read_octets(wanted, found, annex)

    try:
        return msgspec.convert(plain, ready(type_), dec_hook=special)
    except msgspec.ValidationError as error:
        raise bad_param(str(error), field, msgspec.inspect.type_info(type_), plain) from None
