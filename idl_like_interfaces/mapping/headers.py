"""What a daemon decides from the header of a message, before anything of it is decoded.

Pyro5 would unmarshal, decompress or queue whatever the flags ask for: a few bytes of
``marshal`` can end a process, 300 kB of zlib fill its memory.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import ClassVar, Self

import Pyro5.errors

from idl_like_interfaces.mapping.wire import LARGEST_MESSAGE, LARGEST_SERPENT

_SERPENT, _MSGPACK = 1, 4
_COMPRESSED, _ONEWAY, _KEEP_SERIALIZED = 1 << 1, 1 << 2, 1 << 5
_REFUSED = _COMPRESSED | _ONEWAY | _KEEP_SERIALIZED
_FORM = struct.Struct("!BBHHII")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What matters of a header.

    Attributes:
        TAIL: Octets of a header behind the first six.
        serializer: Its number.
        flags: Pyro5's.
        sequence: Goes into the answer.
        size: Octets that follow: annotations and payload.
    """

    TAIL: ClassVar[int] = 34

    serializer: int
    flags: int
    sequence: int
    size: int

    @classmethod
    def of(cls, tail: bytes | bytearray) -> Self:
        """Read the octets behind the first six."""
        _type, serializer, flags, sequence, data, annotations = _FORM.unpack_from(tail)
        return cls(serializer=serializer, flags=flags, sequence=sequence, size=data + annotations)

    @property
    def can_be_answered(self) -> bool:
        """Tell whether the sender waits for an answer that it can read."""
        is_known = self.serializer in (_SERPENT, _MSGPACK)
        return is_known and not self.flags & _ONEWAY and self.size <= LARGEST_MESSAGE


class Unwelcome(Pyro5.errors.ProtocolError):  # type: ignore[misc]
    """A message that is refused for its header.

    Attributes:
        header: The header.
        remedy: What the client may do.
    """

    def __init__(self, text: str, header: Header, remedy: str) -> None:
        super().__init__(text)
        self.header = header
        self.remedy = remedy


def check_tail(tail: bytes | bytearray) -> None:
    """Refuse what must not be decoded, by the octets behind the first six of its header.

    Raises:
        Unwelcome: Says why.
    """
    _type, serializer, flags, _sequence, data, annotations = _FORM.unpack_from(tail)
    # All that our stubs send passes here; the rest is looked at more closely.
    if serializer != _MSGPACK or flags & _REFUSED or data + annotations > LARGEST_MESSAGE:
        check_header(Header.of(tail))


def check_header(header: Header) -> None:
    """Refuse what must not be decoded.

    Raises:
        Unwelcome: Says why.
    """
    flags, size = header.flags, header.size
    if header.serializer not in (_SERPENT, _MSGPACK):
        text = f"serializer {header.serializer} is refused; use serpent or msgpack"
        raise Unwelcome(text, header, "set the serializer to serpent")
    if flags & _KEEP_SERIALIZED:
        raise Unwelcome("serialized blobs are refused", header, "send plain values")
    if flags & _COMPRESSED:
        raise Unwelcome("compressed messages are refused", header, "set COMPRESSION to False")
    if flags & _ONEWAY:
        raise Unwelcome("oneway calls are refused", header, "wait for the reply")
    most = LARGEST_SERPENT if header.serializer == _SERPENT else LARGEST_MESSAGE
    if size > most:
        text = f"a message of {size} bytes is refused, the most are {most}"
        raise Unwelcome(text, header, "send less at a time; write bulk data to a file")
