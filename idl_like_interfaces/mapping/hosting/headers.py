"""What a daemon decides from the header of a message, before anything of it is read or decoded.

Pyro5 would unmarshal, decompress or queue whatever the flags ask for: a few bytes of
``marshal`` can end a process, 300 kB of zlib fill its memory.
"""

from __future__ import annotations

import zlib
from dataclasses import replace

import Pyro5.errors

from idl_like_interfaces.mapping.message import MSGPACK, SERPENT, Flag, Header, Kind, Message
from idl_like_interfaces.mapping.wire import (
    LARGEST_MESSAGE,
    LARGEST_PAYLOAD,
    LARGEST_SERPENT,
)

LARGEST_GREETING = 16 * 1024
"""Bytes of the message with which a stranger introduces itself."""

_EXPECTED = frozenset({Kind.INVOKE, Kind.PING})


class Unwelcome(Pyro5.errors.ProtocolError):  # type: ignore[misc]
    """A message that is refused for its header.

    Attributes:
        header: The header.
        remedy: What the client may do.
        can_be_answered: The sender waits for an answer that it can read, and what it
            sends can be passed over.
    """

    def __init__(
        self, text: str, header: Header, remedy: str, *, is_hopeless: bool = False
    ) -> None:
        super().__init__(text)
        self.header = header
        self.remedy = remedy
        is_readable = header.serializer in (SERPENT, MSGPACK) and not header.flags & Flag.ONEWAY
        self.can_be_answered = is_readable and not is_hopeless and header.size <= LARGEST_MESSAGE


def check_greeting(header: Header) -> None:
    """Refuse what is no greeting of a client.

    Raises:
        Unwelcome: Says why.
    """
    if header.kind != Kind.CONNECT or header.size > LARGEST_GREETING:
        text = f"a greeting was expected, not a message of kind {header.kind}, {header.size} bytes"
        raise Unwelcome(text, header, "connect with Pyro5", is_hopeless=True)
    _check_form(header)


def check_request(header: Header) -> None:
    """Refuse what must not be decoded.

    Raises:
        Unwelcome: Says why.
    """
    if (
        header.serializer == MSGPACK
        and header.kind == Kind.INVOKE
        and not header.flags & Flag.KEEP_SERIALIZED
        and header.data_size <= LARGEST_PAYLOAD
        and header.size <= LARGEST_MESSAGE
    ):
        return  # as almost all are
    if header.kind not in _EXPECTED:
        text = f"a request was expected, not a message of kind {header.kind}"
        raise Unwelcome(text, header, "connect with Pyro5", is_hopeless=True)
    if header.kind == Kind.PING and header.size <= LARGEST_GREETING:
        return
    _check_form(header)


def _check_form(header: Header) -> None:
    if header.serializer not in (SERPENT, MSGPACK):
        text = f"serializer {header.serializer} is refused; use serpent or msgpack"
        raise Unwelcome(text, header, "set the serializer to serpent")
    if header.flags & Flag.KEEP_SERIALIZED:
        raise Unwelcome("serialized blobs are refused", header, "send plain values")
    if header.size > largest(header):
        text = f"a message of {header.size} bytes is refused, the most are {largest(header)}"
        raise Unwelcome(text, header, "send less at a time; write bulk data to a file")
    if header.data_size > LARGEST_PAYLOAD:
        text = f"values of {header.data_size} bytes are refused, the most are {LARGEST_PAYLOAD}"
        raise Unwelcome(text, header, "send less at a time; send bulk data as octets")


def largest(header: Header) -> int:
    """Return how many bytes a message may have, by its serializer."""
    return LARGEST_SERPENT if header.serializer == SERPENT else LARGEST_MESSAGE


def inflated(message: Message) -> Message:
    """Return a message with its payload as it was before it was compressed.

    Raises:
        Unwelcome: It is no zlib stream, or its payload would be too long.
    """
    header = message.header
    if not header.flags & Flag.COMPRESSED:
        return message
    most = min(largest(header), LARGEST_PAYLOAD)
    try:
        payload = zlib.decompressobj().decompress(message.payload, most + 1)
    except zlib.error as error:
        text = f"the payload is said to be compressed and is not: {error}"
        raise Unwelcome(text, header, "set COMPRESSION to False") from error
    if len(payload) > most:
        text = f"a payload that inflates to more than {most} bytes is refused"
        raise Unwelcome(text, header, "send less at a time; write bulk data to a file")
    plain = replace(header, flags=header.flags & ~Flag.COMPRESSED, data_size=len(payload))
    return Message(plain, message.annotations, payload)
