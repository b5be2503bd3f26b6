"""One connection of a client in an event loop: carries one call at a time, within its time."""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
from typing import cast

import Pyro5.errors
from typing_extensions import override

from idl_like_interfaces.mapping.calling.dialing import Place, check_greeting, tls_context
from idl_like_interfaces.mapping.calling.outcome import Late, Lost, NotExecuted, NotSent, NotTrusted
from idl_like_interfaces.mapping.calling.outgoing import Request, greeting, head_of
from idl_like_interfaces.mapping.context import time_left
from idl_like_interfaces.mapping.message import (
    HEADER_SIZE,
    Header,
    Kind,
    Message,
    parse_body,
    parse_header,
)
from idl_like_interfaces.mapping.trust import no_handshake, server_refused
from idl_like_interfaces.mapping.wire import LARGEST_MESSAGE
from idl_like_interfaces.octets import Buffer

_READ_AHEAD = 8192
_RESULT = int(Kind.RESULT)


class AioLine(asyncio.BufferedProtocol):
    """A connection that an event loop reads; nothing here blocks.

    Attributes:
        place: The object that it leads to.
        used_at: When its last call ended (monotonic).
        ended: Done when the connection is closed by either side.
        failure: What ended it, if not the peer in good order.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.used_at = 0.0
        self.failure: Exception | None = None
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self._head = head_of(place.object_id)
        self._sequence = 0
        self._transport: asyncio.Transport | None = None
        self._poll = select.poll()
        self._reply: asyncio.Future[Message] | None = None
        self._flowing: asyncio.Future[None] | None = None
        self._ahead = memoryview(bytearray(_READ_AHEAD))
        self._header: Header | None = None
        self._body = self._ahead
        self._filled = 0

    @property
    def is_stale(self) -> bool:
        """Tell whether it is closed: also by a peer of whom the loop does not know it yet."""
        if self._transport is None or self._transport.is_closing():
            return True
        return bool(self._poll.poll(0))

    def close(self) -> None:
        """Close it at once; a call that waits at the peer is forgotten there."""
        if self._transport is not None:
            self._transport.abort()

    def end(self) -> None:
        """Close it when all that was written is sent; the peer still takes that."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        # With TLS there is no half of a connection to close.
        if transport.can_write_eof():
            transport.write_eof()
        else:
            transport.close()

    async def has_ended(self, until: float) -> bool:
        """Wait until the peer has taken all and closed too; tell whether it did in time."""
        await asyncio.wait([self.ended], timeout=max(0.0, time_left(until)))
        return self.ended.done()

    async def exchange(self, request: Request, mark: bytes, left_s: float) -> Message:
        """Send a request and return the reply.

        Args:
            request: What to send.
            mark: Its id and time.
            left_s: How much time there is.

        Raises:
            NotSent: The time was over before it was sent whole.
            Lost: The connection was lost before the reply came.
            Late: The time was over before.
        """
        self._sequence = (self._sequence + 1) & 0xFFFF
        reply = await self._answer(request.parts(self._head, self._sequence, mark), left_s)
        header = reply.header
        if header.sequence != self._sequence or header.kind != _RESULT:
            raise Lost(f"the peer answers call {header.sequence}, not call {self._sequence}")
        return reply

    async def post(self, request: Request, mark: bytes, left_s: float) -> None:
        """Send a request that gets no reply; wait while the peer takes no more.

        Raises:
            NotSent: The time was over before it was sent whole.
            NotExecuted: The connection was lost before.
        """
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._write(request.parts(self._head, self._sequence, mark))
        if self._flowing is not None:
            await asyncio.wait([self._flowing], timeout=left_s)
            if self._flowing is not None:
                raise NotSent("the peer takes no data")
        if self._transport is None or self._transport.is_closing():
            raise NotExecuted("the connection is lost")

    async def greet(self, left_s: float) -> None:
        """Shake hands in Pyro5's way.

        Raises:
            NotExecuted: The peer refuses, is lost, or says nothing in time.
        """
        try:
            check_greeting(self.place, await self._answer(greeting(self.place.object_id), left_s))
        except (Lost, Late, NotSent) as error:
            if isinstance(self.failure, ssl.SSLError):
                raise NotTrusted(server_refused(self.failure)) from error
            raise NotExecuted(f"no handshake with {self.place.uri}: {error}") from error

    async def _answer(self, parts: list[Buffer], left_s: float) -> Message:
        if left_s <= 0:
            raise NotSent("the time is over")
        if self._transport is None:
            raise Lost("the peer has closed the connection")
        reply: asyncio.Future[Message] = self._loop.create_future()
        self._reply = reply
        timer = self._loop.call_later(left_s, self._expire, reply)
        try:
            self._write(parts)
            return await reply
        finally:
            timer.cancel()
            self._reply = None

    def _write(self, parts: list[Buffer]) -> None:
        transport = self._transport
        assert transport is not None
        for part in parts:
            transport.write(part)

    def _expire(self, reply: asyncio.Future[Message]) -> None:
        if reply.done():
            return
        assert self._transport is not None
        if self._transport.get_write_buffer_size():
            reply.set_exception(NotSent("the peer takes no data"))
        else:
            reply.set_exception(Late("the peer says nothing"))

    def _fail(self, text: str) -> None:
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(Lost(text))
        self.close()

    # What the event loop tells.

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._poll.register(transport.get_extra_info("socket"), select.POLLIN)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.failure = exc
        self._fail(f"connection lost: {exc}" if exc else "the peer has closed the connection")
        self._transport = None
        self.resume_writing()
        if not self.ended.done():
            self.ended.set_result(None)

    @override
    def pause_writing(self) -> None:
        self._flowing = self._loop.create_future()

    @override
    def resume_writing(self) -> None:
        flowing, self._flowing = self._flowing, None
        if flowing is not None and not flowing.done():
            flowing.set_result(None)

    @override
    def get_buffer(self, sizehint: int) -> memoryview:
        return self._body[self._filled :]

    @override
    def buffer_updated(self, nbytes: int) -> None:
        self._filled += nbytes
        try:
            if self._header is None and self._filled >= HEADER_SIZE:
                self._begin(parse_header(self._ahead))
            elif self._header is not None and self._filled == self._header.size:
                self._deliver(self._header, self._body)
        except Pyro5.errors.ProtocolError as error:
            self._fail(str(error))

    def _begin(self, header: Header) -> None:
        have = self._filled - HEADER_SIZE
        if have > header.size or header.size > LARGEST_MESSAGE:
            self._fail(f"the peer sends a reply of {header.size} bytes")
            return
        body = memoryview(bytearray(header.size))
        body[:have] = self._ahead[HEADER_SIZE : self._filled]
        if have == header.size:
            self._deliver(header, body)
        else:
            self._header, self._body, self._filled = header, body, have

    def _deliver(self, header: Header, body: memoryview) -> None:
        self._header, self._body, self._filled = None, self._ahead, 0
        if self._reply is not None and not self._reply.done():
            self._reply.set_result(parse_body(header, body))
        else:
            self._fail("a reply that nobody has asked for")


async def aio_connect(place: Place, until: float, hosts: list[str]) -> AioLine:
    """Make a connection to an object and shake hands.

    Args:
        place: The object.
        until: When the time for it is over (monotonic).
        hosts: Addresses of its host, to be tried in this order.

    Raises:
        NotExecuted: It cannot be reached in time, or refuses.
    """
    lost: Exception | None = None
    for host in hosts:
        try:
            async with asyncio.timeout(max(0.0, time_left(until))):
                line = await _dial(place, host)
        except OSError as error:
            if _is_of_tls(error):
                raise NotTrusted(no_handshake(error)) from error
            lost = error
            continue
        try:
            await line.greet(time_left(until))
        except BaseException:
            line.close()
            raise
        return line
    where = place.path or f"{place.host}:{place.port}"
    raise NotExecuted(f"cannot connect to {where}: {str(lost) or 'no answer in time'}") from lost


def _is_of_tls(error: OSError) -> bool:
    """Tell whether a peer was reached and did not agree on TLS."""
    if isinstance(error, ConnectionError) and not isinstance(error, ConnectionRefusedError):
        return tls_context() is not None
    return isinstance(error, ssl.SSLError)


async def _dial(place: Place, host: str) -> AioLine:
    loop = asyncio.get_running_loop()
    context = tls_context()
    name = place.host if context is not None else None
    if place.path:
        _, line = await loop.create_unix_connection(lambda: AioLine(place), place.path)
        return line
    _, line = await loop.create_connection(
        lambda: AioLine(place), host, place.port, ssl=context, server_hostname=name
    )
    return line


async def addresses_of(place: Place) -> list[str]:
    """Return the addresses of a host, IPv4 first as our daemons listen.

    Raises:
        NotExecuted: The host is unknown.
    """
    if place.path:
        return [""]
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NotExecuted(f"{place.host}: {error}") from error
    ways = sorted(found, key=lambda way: way[0] != socket.AF_INET)
    return list(dict.fromkeys(str(way[4][0]) for way in ways))
