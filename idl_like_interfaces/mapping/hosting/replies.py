"""Replies as messages: results, errors, and what a stock client reads of them."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from typing import Any

import Pyro5.errors
from Pyro5.serializers import serializers_by_id

from idl_like_interfaces.errors import BadParam, RemoteError
from idl_like_interfaces.mapping.message import Flag, Header, Kind, pack
from idl_like_interfaces.mapping.wire import (
    ANNEX,
    LARGEST_MESSAGE,
    to_pyro_error,
)
from idl_like_interfaces.octets import Buffer

Reply = list[Buffer]

_ANNEX = ANNEX.encode()


def result(header: Header, payload: Buffer, annex: Buffer | None = None, flags: int = 0) -> Reply:
    """Return the reply to a request: its payload and octets.

    One that is too long becomes the error that says so.
    """
    annotations: Sequence[tuple[bytes, Buffer]] = () if annex is None else ((_ANNEX, annex),)
    if len(payload) + (0 if annex is None else len(annex)) > LARGEST_MESSAGE:
        return failure(header, _too_long())
    return pack(Kind.RESULT, flags, header.sequence, header.serializer, payload, annotations)


def plain_result(header: Header, plain: Any, flags: int = 0) -> Reply:
    """Return the reply to a stock client's request, written by its serializer."""
    return result(header, serializers_by_id[header.serializer].dumps(plain), flags=flags)


def failure(header: Header, error: Exception) -> Reply:
    """Return the reply that raises an error at the client.

    An error of ours crosses as ``PyroError``, one of Pyro5 as itself.
    """
    crossed = crossed_error(error)
    payload = serializers_by_id[header.serializer].dumps(crossed)
    return pack(Kind.RESULT, Flag.EXCEPTION, header.sequence, header.serializer, payload)


def crossed_error(error: Exception) -> Exception:
    """Return the form of an error that any Pyro client can read, with its traceback."""
    crossed: Exception = to_pyro_error(error) if isinstance(error, RemoteError) else error
    crossed._pyroTraceback = traceback.format_exception(error)  # type: ignore[attr-defined]  # noqa: SLF001 (Pyro5's name)
    return crossed


def unknown_object() -> Exception:
    """Return the error of Pyro5 for an id under which nothing is active."""
    return Pyro5.errors.DaemonError("unknown object")  # type: ignore[no-any-return]


def _too_long() -> BadParam:
    return BadParam(
        f"the reply has more than {LARGEST_MESSAGE} bytes",
        field="reply",
        cause="too much was asked for at once",
        remedy="ask for less at a time, where the operation has a limit",
    )
