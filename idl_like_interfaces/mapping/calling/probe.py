"""Calls as a stranger makes them: of any operation with any arguments, in stock Pyro5's way."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Self, TypeVar

import msgspec
import Pyro5.client
import Pyro5.errors
from Pyro5.serializers import serializers_by_id
from typing_extensions import override

from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import BadOperation, OutcomeUnknown, Transient
from idl_like_interfaces.mapping.calling.connecting import connect
from idl_like_interfaces.mapping.calling.dialing import Place, tls_context
from idl_like_interfaces.mapping.calling.outcome import NotExecuted, Unanswered
from idl_like_interfaces.mapping.calling.outgoing import Request
from idl_like_interfaces.mapping.coding import from_plain
from idl_like_interfaces.mapping.context import time_left
from idl_like_interfaces.mapping.message import SERPENT, Flag, Kind, Message, pack
from idl_like_interfaces.mapping.tolerance import without_unknown
from idl_like_interfaces.mapping.wire import CALL_DEADLINE_S, revive
from idl_like_interfaces.octets import Buffer

T = TypeVar("T")

_serpent = serializers_by_id[SERPENT]


class _StockRequest(Request):
    """A call written by serpent, without a mark of ours."""

    __slots__ = ("_payload",)

    def __init__(self, payload: bytes, flags: int) -> None:
        self._payload = payload
        self.flags = flags
        self.is_bulk = False

    @override
    def parts(self, head: bytes, sequence: int, mark: bytes) -> list[Buffer]:
        return pack(int(Kind.INVOKE), self.flags, sequence, SERPENT, self._payload)


class Probe(Closing):
    """One connection to an object that nothing is known of.

    Args:
        uri: ``PYRO:id@host:port``.
        deadline_s: How long each call may take.

    Raises:
        BadParam: The reference is malformed.
        Transient: The object cannot be reached.
    """

    def __init__(self, uri: str, deadline_s: float = CALL_DEADLINE_S) -> None:
        self._place = Place.parse(uri)
        self._deadline_s = deadline_s
        try:
            self._line = connect(self._place, self._until())
        except NotExecuted as error:
            raise Transient(
                f"{uri} cannot be reached: {error}",
                cause="its component is not running, or is starting",
                remedy="start the component, or try again in a few seconds",
            ) from error

    def call(
        self, operation: str, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Call and return the plain values of the reply.

        Raises:
            RemoteError: The call was refused, or there was no reply.
        """
        request = self._request(operation, args, kwargs or {})
        until = self._until()
        try:
            reply = self._line.exchange(request, b"", until, time_left(until))
        except Unanswered as error:
            raise OutcomeUnknown(f"no reply to {operation}: {error}") from error
        return _value(operation, reply)

    def read(self, type_: type[T], operation: str, args: Sequence[Any] = ()) -> T:
        """Call and return the declared value; fields of a newer object are passed over.

        Raises:
            RemoteError: As ``call``; ``BadParam`` when it is not as declared.
        """
        known = without_unknown(msgspec.inspect.type_info(type_), self.call(operation, args))
        return from_plain(type_, known, operation)

    def tell(self, operation: str) -> None:
        """Send a call that waits for no reply, and see that the next call still has its own.

        Raises:
            RemoteError: There was something else than the reply to that next call.
        """
        self._line.post(self._request(operation, (), {}, Flag.ONEWAY), b"", self._until())
        self.call("ping")

    def ping_by_stock_proxy(self) -> bool:
        """Call ``ping`` by a proxy of Pyro5 itself; tell whether that was possible.

        It is not with TLS, whose certificates Pyro5 takes from its own configuration.

        Raises:
            RemoteError: It was refused.
            OutcomeUnknown: There was no reply.
        """
        if tls_context() is not None:
            return False
        with Pyro5.client.Proxy(self._place.uri) as proxy:
            proxy._pyroSerializer = "serpent"  # noqa: SLF001 (Pyro5's own names)
            proxy._pyroTimeout = self._deadline_s  # noqa: SLF001 (Pyro5's own names)
            try:
                proxy.ping()
            except Pyro5.errors.CommunicationError as error:
                raise OutcomeUnknown(f"a stock proxy got no reply: {error}") from error
            except Pyro5.errors.PyroError as error:
                raise revive(error) from error
        return True

    @override
    def close(self) -> None:
        self._line.close()

    @override
    def __enter__(self) -> Self:
        return self

    def _until(self) -> float:
        return time.monotonic() + self._deadline_s

    def _request(
        self, operation: str, args: Sequence[Any], kwargs: Mapping[str, Any], flags: int = 0
    ) -> Request:
        object_id = self._place.object_id
        payload = _serpent.dumpsCall(object_id, operation, list(args), dict(kwargs))
        return _StockRequest(bytes(payload), flags)


def _value(operation: str, reply: Message) -> Any:
    try:
        plain = _serpent.loads(reply.payload)
    except (ValueError, Pyro5.errors.SerializeError) as error:
        raise OutcomeUnknown(f"the reply to {operation} cannot be read: {error}") from error
    if not reply.header.flags & Flag.EXCEPTION:
        return plain
    if isinstance(plain, AttributeError):
        raise BadOperation(f"the object has no operation {operation}")
    raise revive(plain)
