"""One connection of a client to an object: carries one call at a time, within its time."""

from __future__ import annotations

import contextlib
import select
import socket
import struct

import Pyro5.errors

from idl_like_interfaces.mapping.calling.dialing import Place, check_greeting
from idl_like_interfaces.mapping.calling.outcome import (
    Late,
    Lost,
    NotExecuted,
    NotSent,
    Unanswered,
)
from idl_like_interfaces.mapping.calling.outgoing import Request, greeting, head_of
from idl_like_interfaces.mapping.context import time_left
from idl_like_interfaces.mapping.message import (
    HEADER_SIZE,
    Header,
    Kind,
    Message,
    parse_body,
    parse_header,
    parse_short,
)
from idl_like_interfaces.mapping.wire import LARGEST_MESSAGE
from idl_like_interfaces.octets import Buffer

_READ_AHEAD = 8192
"""Bytes: a short reply comes with its header in one system call."""

_SENT_AT_ONCE = 16 * 1024
"""Bytes that a socket takes without waiting for the peer, when it has sent all before."""

_RESULT = int(Kind.RESULT)
_TIMEVAL = struct.Struct("ll")


class Line:
    """A connection whose time limit the kernel keeps.

    With one of Python's a socket does not block, so that each operation begins with a
    ``poll`` and a long message comes in many small parts.

    Attributes:
        place: The object that it leads to.
        used_at: When its last call ended (monotonic).
    """

    __slots__ = ("_allowed_s", "_head", "_poll", "_sequence", "_sock", "place", "used_at")

    def __init__(self, sock: socket.socket, place: Place) -> None:
        self._sock = sock
        self._head = head_of(place.object_id)
        self._sequence = 0
        self._allowed_s = -1.0
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        self.place = place
        self.used_at = 0.0

    def __del__(self) -> None:
        self._sock.close()

    @property
    def is_stale(self) -> bool:
        """Tell whether the peer has closed it: nothing else comes between calls."""
        return bool(self._poll.poll(0))

    def close(self) -> None:
        """Close it; a call that waits at the peer is forgotten there."""
        self._sock.close()

    def exchange(self, request: Request, mark: bytes, until: float, left_s: float) -> Message:
        """Send a request and return the reply.

        Args:
            request: What to send.
            mark: Its id and time.
            until: When its time is over (monotonic).
            left_s: How much of it is left now.

        Raises:
            NotExecuted: The connection was lost before it was sent whole.
            NotSent: The time was over before.
            Lost: The connection was lost before the reply came.
            Late: The time was over before.
        """
        sequence = self._sequence = (self._sequence + 1) & 0xFFFF
        if left_s != self._allowed_s:
            self._allow(left_s)
        parts = request.parts(self._head, sequence, mark)
        try:
            self._give(parts, until)
        except OSError as error:
            raise _not_sent(error) from error
        if len(parts) > 1 or len(parts[0]) > _SENT_AT_ONCE:
            # The peer may have taken its time to take it.
            self._allow_until(until)
        reply = self._receive(until, HEADER_SIZE if request.is_bulk else _READ_AHEAD)
        header = reply.header
        if header.sequence != sequence or header.kind != _RESULT:
            text = f"the peer answers call {header.sequence}, not call {sequence}"
            raise Lost(text)
        return reply

    def post(self, request: Request, mark: bytes, until: float) -> None:
        """Send a request that gets no reply.

        Raises:
            NotExecuted: The connection was lost before it was sent whole.
            NotSent: The time was over before.
        """
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._allow(time_left(until))
        self._send(request.parts(self._head, self._sequence, mark), until)

    def end(self) -> None:
        """Tell the peer that nothing more comes; what was sent it still takes."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)

    def has_ended(self, until: float) -> bool:
        """Wait until the peer has taken all and closed too; tell whether it did in time."""
        try:
            self._allow(max(time_left(until), 1e-6))
            while self._take(_READ_AHEAD):
                self._allow_until(until)
        except Late:
            return False
        except Lost:
            pass
        return True

    def greet(self, until: float) -> None:
        """Shake hands in Pyro5's way.

        Raises:
            NotExecuted: The peer refuses, is lost, or says nothing in time.
        """
        try:
            self._allow(time_left(until))
            self._send(greeting(self.place.object_id), until)
            check_greeting(self.place, self._receive(until, _READ_AHEAD))
        except (Lost, Late, NotSent, NotExecuted) as error:
            raise self._no_greeting(error) from error

    def _no_greeting(self, error: Unanswered) -> NotExecuted:
        if isinstance(error, NotExecuted) and error.__cause__ is None:
            return error  # in the words of the peer
        return NotExecuted(f"no handshake with {self.place.uri}: {error}")

    def _send(self, parts: list[Buffer], until: float) -> None:
        try:
            self._give(parts, until)
        except OSError as error:
            raise _not_sent(error) from error

    def _give(self, parts: list[Buffer], until: float) -> None:
        if len(parts) == 1:
            sent = self._sock.send(parts[0])
            if sent == len(parts[0]):
                return
        else:
            sent = self._sock.sendmsg(parts)
        unsent = [memoryview(part) for part in parts]
        while rest := _behind(unsent, sent):
            unsent = rest
            self._allow(time_left(until))
            sent = self._sock.sendmsg(unsent)

    def _receive(self, until: float, most: int) -> Message:
        """Receive a message, most octets of it in the first go.

        Of octets this is the header only, so that they come into a buffer of their own:
        to copy them costs more than one more call.
        """
        ahead = self._take(most)
        if not ahead:
            raise Lost("the peer has closed the connection")
        try:
            return parse_short(ahead) or self._receive_more(ahead, until)
        except Pyro5.errors.ProtocolError as error:
            raise Lost(str(error)) from error

    def _receive_more(self, ahead: bytes, until: float) -> Message:
        while len(ahead) < HEADER_SIZE:
            self._allow_until(until)
            more = self._take(HEADER_SIZE - len(ahead))
            if not more:
                raise Lost("the peer has closed the connection in the middle of a reply")
            ahead += more
        header = parse_header(ahead)
        return parse_body(header, self._rest(header, ahead, until))

    def _rest(self, header: Header, ahead: bytes, until: float) -> bytearray:
        done = len(ahead) - HEADER_SIZE
        if header.size > LARGEST_MESSAGE or done > header.size:
            raise Lost(f"the peer sends a reply of {header.size} bytes")
        whole = bytearray(header.size)
        whole[:done] = memoryview(ahead)[HEADER_SIZE:]
        with memoryview(whole) as view:
            while done < header.size:
                self._allow_until(until)
                done += self._fill(view[done:])
        return whole

    def _take(self, most: int) -> bytes:
        try:
            return self._sock.recv(most)
        except (BlockingIOError, TimeoutError) as error:
            raise Late("the peer says nothing") from error
        except OSError as error:
            raise Lost(f"receiving: connection lost: {error}") from error

    def _fill(self, view: memoryview) -> int:
        try:
            count = self._fill_some(view)
        except (BlockingIOError, TimeoutError) as error:
            raise Late("the peer stopped in the middle of a reply") from error
        except OSError as error:
            raise Lost(f"receiving: connection lost: {error}") from error
        if not count:
            raise Lost("the peer has closed the connection in the middle of a reply")
        return count

    def _fill_some(self, view: memoryview) -> int:
        return self._sock.recv_into(view, 0, socket.MSG_WAITALL)

    def _allow_until(self, until: float) -> None:
        left_s = time_left(until)
        if left_s <= 0:
            raise Late("the peer is slow")
        self._allow(left_s)

    def _allow(self, left_s: float) -> None:
        """Have each operation of the socket end within a time.

        Raises:
            NotSent: There is none left.
        """
        if left_s <= 0:
            raise NotSent("the time is over")
        self._allowed_s = left_s
        # To the kernel 0 means for ever.
        limit = _TIMEVAL.pack(*divmod(max(1, round(left_s * 1_000_000)), 1_000_000))
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)


def _not_sent(error: OSError) -> Unanswered:
    if isinstance(error, BlockingIOError | TimeoutError):
        return NotSent("the peer takes no data")
    return NotExecuted(f"sending: connection lost: {error}")


def _behind(parts: list[memoryview], sent: int) -> list[memoryview]:
    """Return what is left of some parts."""
    for index, part in enumerate(parts):
        if sent < len(part):
            return [part[sent:], *parts[index + 1 :]]
        sent -= len(part)
    return []
