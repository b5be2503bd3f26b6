"""One accepted connection: reads whole messages and writes replies without being held up.

A peer may send a byte a minute or never take its reply. So nothing here waits longer than
the short time that the socket itself is given; what is not done then goes on when the
socket is ready again.
"""

from __future__ import annotations

import contextlib
import mmap
import socket
import ssl
import struct
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from Pyro5.errors import ConnectionClosedError

from idl_like_interfaces.mapping.context import Caller
from idl_like_interfaces.mapping.hosting.headers import Unwelcome
from idl_like_interfaces.mapping.message import (
    HEADER_SIZE,
    Header,
    Message,
    parse_body,
    parse_header,
    parse_short,
)
from idl_like_interfaces.octets import Buffer

if TYPE_CHECKING:
    from idl_like_interfaces.mapping.hosting.tls import ServerChannel

_READ_AHEAD = 8192
"""Most bytes that are read before they are asked for; what belongs to a large message is
copied once more."""

_ALIVE = 16 * 1024
"""Bytes at once: who sends so many sends the rest as well, so that it is waited for."""

_TURN = 1024 * 1024
_LONG_TURN = 4 * _TURN
_TURN_S = 0.02
"""What is read of a long message in one turn, and for how long a turn goes on at most, also
that of a reply: then it is another connection's. The long one is for who may wait."""

_MAPPED_FROM = 128 * 1024
"""Bytes: a longer message gets pages of its own, which cost memory only when they are
filled. Who announces much and sends nothing shall not use up the memory."""

_HUGE = 2 * 1024 * 1024
"""Bytes of a huge page: one fault in place of 512, each of which costs as much as to copy what
it holds."""

_TIMEVAL = struct.Struct("ll")


def _pages(size: int) -> memoryview:
    """Return pages of its own for a message; huge ones only behind what came before in others."""
    length = -(-size // _HUGE) * _HUGE
    # The last one may be a little larger than what it holds.
    end = length if length - size <= size // 8 else length - _HUGE
    # Python's default are shared pages, of which each costs half as much again.
    private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    pages = mmap.mmap(-1, length if end > _HUGE else size, flags=private)
    if end > _HUGE:
        with contextlib.suppress(OSError):  # a kernel without them
            pages.madvise(mmap.MADV_HUGEPAGE, _HUGE, end - _HUGE)
    return memoryview(pages)[:size]


class Peer:
    """A connection, and what is known of who is at its other end.

    At each moment one thread has it: the one that watches, or the one that serves it.

    Attributes:
        sock: Its socket; blocks, but never longer than ``stay_s``.
        caller: Who it is.
        is_greeted: It has shaken hands.
        is_watched: The watching thread has it.
        is_doomed: It is too slow, or too much is kept for it: who has it ends it.
        last_used: When it was served last (monotonic).
        deadline: Until when it must have done what is expected of it; ``None``: any time.
        check: Looks at each header before the rest is read.
        parked: What its call waits for; ``None``: it does not wait.
        number: Of its file, also after it was closed.
    """

    __slots__ = (
        "_ahead", "_body", "_filled", "_header", "_skip", "_unsent", "caller", "channel", "check",
        "deadline", "is_doomed", "is_greeted", "is_watched", "last_used", "number", "parked", "sock",
    )  # fmt: skip

    def __init__(
        self,
        sock: socket.socket,
        address: str,
        stay_s: float,
        check: Callable[[Header], None],
        channel: ServerChannel | None = None,
    ) -> None:
        self.sock = sock
        self.number = sock.fileno()
        self.caller = Caller(address=address)
        self.channel = channel
        self.check = check
        self.is_greeted = self.is_watched = self.is_doomed = False
        self.last_used = 0.0
        self.deadline: float | None = None
        self.parked: Any = None
        self._ahead: bytes | memoryview = b""
        self._header: Header | None = None
        self._body: memoryview = memoryview(b"")
        self._filled = 0
        self._skip = 0
        self._unsent: list[memoryview] = []
        stay = _TIMEVAL.pack(*divmod(max(1, round(stay_s * 1e6)), 1_000_000))
        sock.settimeout(None)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, stay)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, stay)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def is_within_message(self) -> bool:
        """Tell whether a part of a message has come, or of one that is passed over."""
        return self._header is not None or len(self._ahead) > 0 or self._skip > 0

    @property
    def is_within_body(self) -> bool:
        """Tell whether the rest of a message is awaited, or of one that is passed over."""
        return self._header is not None or self._skip > 0

    @property
    def is_gone(self) -> bool:
        """Tell whether the peer has closed the connection, while nothing is read from it."""
        return self._peek() == b""

    @property
    def has_more(self) -> bool:
        """Tell whether something has come that is not read yet."""
        return bool(self._peek())

    def _peek(self) -> bytes | None:
        """Return the next octet; empty: the connection is closed; ``None``: nothing has come."""
        try:
            return self.sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    @property
    def kept(self) -> int:
        """Return how many octets of an unfinished message or reply are in memory."""
        return self._filled + self.unsent

    @property
    def unsent(self) -> int:
        """Return how many octets of a reply are not sent yet."""
        return sum(map(len, self._unsent))

    def read(self, *, stay: bool) -> Message | None:
        """Return the next message; ``None``: it has not come, or not whole.

        Args:
            stay: Wait a moment for its begin, and for more of it while more comes.

        Raises:
            ConnectionClosedError: The peer has closed the connection or lost it.
            ProtocolError: What comes is no message.
            Unwelcome: Its header is refused; the next ``read`` passes it over.
        """
        try:
            if self._header is None and not self._ahead and not self._skip:
                message = self._short(stay=stay)
                if message is not None or not self._ahead:
                    return message
                stay = False
            if self._skip and not self._passed_over():
                return None
            if self._header is None and not self._begin(stay=stay):
                return None
            return self._rest(stay=stay)
        except OSError as error:
            raise _lost(error) from error

    def _short(self, *, stay: bool) -> Message | None:
        """Read a message that comes at once and alone, as almost all do; else keep what came."""
        received = self._receive(_READ_AHEAD, 0 if stay else socket.MSG_DONTWAIT)
        message = parse_short(received)
        if message is None:
            self._ahead = received
        else:
            self.check(message.header)
        return message

    def _begin(self, *, stay: bool) -> bool:
        """Read a header; a short message mostly comes with it."""
        ahead = self._ahead
        flags = 0 if stay else socket.MSG_DONTWAIT
        while len(ahead) < HEADER_SIZE:
            received = self._receive(_READ_AHEAD, flags)
            if not received:
                self._ahead = ahead
                return False
            ahead = b"".join((ahead, received)) if ahead else received
            flags = socket.MSG_DONTWAIT
        header = parse_header(ahead)
        self._ahead = memoryview(ahead)[HEADER_SIZE:]
        try:
            self.check(header)
        except Unwelcome:
            self._skip = header.size
            raise
        self._header, self._filled = header, 0
        return True

    def _rest(self, *, stay: bool) -> Message | None:
        header = self._header
        assert header is not None
        size, ahead = header.size, self._ahead
        if self._filled == 0 and size <= len(ahead):
            self._header, self._ahead = None, ahead[size:]
            return parse_body(header, ahead[:size])
        if self._filled == 0:
            self._body = _pages(size) if size >= _MAPPED_FROM else memoryview(bytearray(size))
            self._body[: len(ahead)] = ahead
            self._filled, self._ahead = len(ahead), b""
        if not self._fill(size, socket.MSG_WAITALL if stay else socket.MSG_DONTWAIT):
            return None
        body, self._body, self._header = self._body, memoryview(b""), None
        self._filled = 0
        return parse_body(header, body)

    def _fill(self, size: int, then: socket.MsgFlag) -> bool:
        """Receive more of a long message; tell whether it is whole.

        Args:
            size: Of all of it.
            then: Flags of each receiving but the first.
        """
        flags = socket.MSG_DONTWAIT
        goal = min(size, self._filled + (_TURN if then == flags else _LONG_TURN))
        until = time.monotonic() + _TURN_S
        while self._filled < goal and time.monotonic() < until:
            count = self._receive_into(self._body[self._filled : goal], flags)
            self._filled += count
            if count < _ALIVE and self._filled < goal:
                break
            flags = then
        return self._filled == size

    def _passed_over(self) -> bool:
        while self._skip:
            self._ahead = self._ahead or self._receive(_READ_AHEAD, socket.MSG_DONTWAIT)
            if not self._ahead:
                return False
            step = min(self._skip, len(self._ahead))
            self._ahead = memoryview(self._ahead)[step:]
            self._skip -= step
        return True

    def _receive(self, most: int, flags: int) -> bytes:
        """Return what has come; empty when nothing has."""
        if self.channel is not None:
            return self.channel.receive(self.sock, flags)
        try:
            received = self.sock.recv(most, flags)
        except BlockingIOError:
            return b""
        if not received:
            raise _closed()
        return received

    def _receive_into(self, view: memoryview, flags: int) -> int:
        if self.channel is not None:
            received = self._ahead or self.channel.receive(self.sock, flags & socket.MSG_DONTWAIT)
            count = min(len(view), len(received))
            view[:count] = received[:count]
            self._ahead = received[count:]
            return count
        try:
            count = self.sock.recv_into(view, 0, flags)
        except BlockingIOError:
            return 0
        if not count:
            raise _closed()
        return count

    def send(self, parts: list[Buffer]) -> bool:
        """Send a reply; tell whether all of it is gone. What is left goes with ``flush``.

        Raises:
            ConnectionClosedError: The peer has lost the connection.
        """
        if self.channel is None and len(parts) == 1:
            try:
                sent = self.sock.send(parts[0])
            except BlockingIOError:
                sent = 0
            except OSError as error:
                raise _lost(error) from error
            if sent == len(parts[0]):
                return True
            self._unsent = [memoryview(parts[0])[sent:]]
            return False
        if self.channel is not None:
            parts = [self.channel.sealed(parts)]
        self._unsent = [memoryview(part) for part in parts]
        return self.flush()

    def flush(self) -> bool:
        """Go on with a reply that was not sent whole; tell whether all of it is gone now.

        Raises:
            ConnectionClosedError: The peer has lost the connection.
        """
        unsent = self._unsent
        try:
            until = time.monotonic() + _TURN_S
            while unsent and time.monotonic() < until:
                sent = self.sock.sendmsg(unsent)
                while unsent and sent >= len(unsent[0]):
                    sent -= len(unsent.pop(0))
                if unsent:
                    unsent[0] = unsent[0][sent:]
                    if not sent:
                        break
        except BlockingIOError:
            pass
        except OSError as error:
            raise _lost(error) from error
        return not unsent

    def shake(self) -> bool:
        """Go on with the handshake of TLS, if there is one; tell whether it is done.

        Raises:
            ConnectionClosedError: It failed.
        """
        if self.channel is None or self.channel.is_open:
            return True
        try:
            if not self.channel.shake(self.sock):
                return False
        except ssl.SSLError as error:
            raise _lost(error) from error
        except OSError as error:
            raise _lost(error) from error
        self.caller = Caller(
            address=self.caller.address,
            identity=self.channel.identity,
            stated=self.channel.stated,
        )
        return True

    def close(self) -> None:
        """Close the connection; the peer notices at once."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        self._unsent, self._body = [], memoryview(b"")


def _closed() -> ConnectionClosedError:
    return ConnectionClosedError("the peer has closed the connection")


def _lost(error: OSError) -> ConnectionClosedError:
    return ConnectionClosedError(f"connection lost: {error}")
