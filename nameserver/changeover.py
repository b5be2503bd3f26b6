"""Several name servers of which one leads: addresses, and calls that find the leader."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias, cast

from typing_extensions import override

from idl_like_interfaces.closing import Closing
from idl_like_interfaces.declare import interface_of
from idl_like_interfaces.errors import (
    BadParam,
    CommFailure,
    OutcomeUnknown,
    RemoteError,
)
from idl_like_interfaces.hosts import host_and_port
from idl_like_interfaces.mapping import narrow, release
from idl_like_interfaces.naming import DEFAULT_PORT, OBJECT_ID, NamingContext
from idl_like_interfaces.replication import OBJECT_ID as REPLICA_ID
from idl_like_interfaces.replication import NameReplica, NotLeading, ReplicaStatus

ENVIRONMENT = "OBSORB_NAMES"

_ATTEMPT_S = 2.0
"""So long one of several is waited for; then the other one may have taken over."""

_PATIENCE_S = 5.0
"""So long it is tried again; by then the other one has taken over, or both are gone."""

_PAUSE_S = 0.1
_STATUS_S = 2.0

Address: TypeAlias = tuple[str, int]

Where: TypeAlias = Address | Sequence[Address]
"""One address, or those of a pair."""

_OPERATIONS = interface_of(NamingContext).operations


def parse_address(text: str, field: str = "names") -> Address:
    """Read ``HOST:PORT``.

    Args:
        text: The address.
        field: What it is called in an error.

    Raises:
        BadParam: The text is not of that form.
    """
    host, colon, port = text.strip().rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 (TCP)
        raise BadParam(
            f"{text!r} is not the address of a name server",
            field=field,
            remedy=f"give HOST:PORT, e.g. localhost:{DEFAULT_PORT}, or two of them with a comma",
        )
    return host, int(port)


def parse_addresses(text: str, field: str = "names") -> tuple[Address, ...]:
    """Read ``HOST:PORT`` or several of them with commas between.

    Raises:
        BadParam: The text is not of that form.
    """
    return tuple(parse_address(each, field) for each in text.split(","))


def show_addresses(where: Where) -> str:
    """Write addresses so that ``parse_addresses`` reads them."""
    return ",".join(f"{host}:{port}" for host, port in addresses_of(where))


def addresses_of(where: Where) -> tuple[Address, ...]:
    """Return one address or several as several."""
    if isinstance(where[0], str):
        return (cast("Address", where),)
    return tuple(cast("Sequence[Address]", where))


def name_server_address(option: str | None = None) -> Where:
    """Find out where the name server is: the option, else $OBSORB_NAMES, else localhost:9090.

    Returns:
        One address, or those of a pair when the text has several with commas between.

    Raises:
        BadParam: The text is not ``HOST:PORT``, or several of them with commas between.
    """
    text = option or os.environ.get(ENVIRONMENT) or f"localhost:{DEFAULT_PORT}"
    addresses = parse_addresses(text)
    return addresses[0] if len(addresses) == 1 else addresses


def reference_of(address: Address, object_id: str = OBJECT_ID) -> str:
    """Return the URI of an object of the name server at an address."""
    return f"PYRO:{object_id}@{host_and_port(*address)}"


def status_of(address: Address, deadline_s: float = _STATUS_S) -> ReplicaStatus:
    """Ask a name server what it does and what it knows of the other one.

    Raises:
        CommFailure: It does not answer.
    """
    with _replica(address, deadline_s) as replica:
        return replica.get_status()


def dismiss_peer_of(address: Address, deadline_s: float = _STATUS_S) -> ReplicaStatus:
    """Tell a name server that the other one is dead; return what it does then.

    Raises:
        BadParam: It has no other one, or that one answers that it leads.
        CommFailure: It does not answer.
    """
    with _replica(address, deadline_s) as replica:
        replica.dismiss_peer()
        return replica.get_status()


@contextmanager
def _replica(address: Address, deadline_s: float) -> Iterator[NameReplica]:
    stub = narrow(reference_of(address, REPLICA_ID), NameReplica, deadline_s=deadline_s)
    try:
        yield stub
    finally:
        release(stub)


class Preference:
    """Which of several name servers is asked first: the one that answered last.

    Attributes:
        addresses: All, in the order in which they were given.
    """

    def __init__(self, where: Where) -> None:
        self.addresses = addresses_of(where)
        self._first = 0

    @property
    def address(self) -> Address:
        """The one that is asked first."""
        return self.addresses[self._first]

    def turn_from(self, address: Address) -> None:
        """Ask the next one first from now on, unless another thread has turned already."""
        if self.addresses[self._first] == address:
            self._first = (self._first + 1) % len(self.addresses)


class LeadingContext(Closing):
    """Makes the calls of a root context at the name server that leads.

    A call goes to the next address when it was certainly not executed (``NotLeading``, no
    connection), or may be repeated; within its deadline for as long as a take-over takes.

    Args:
        preference: The addresses.
        deadline_s: How long a call may take in all; a long-poll's ``timeout_s`` is added.
    """

    def __init__(self, preference: Preference, deadline_s: float) -> None:
        self._preference = preference
        self._deadline_s = deadline_s
        attempt_s = min(_ATTEMPT_S, deadline_s)
        self._stubs = {
            each: narrow(reference_of(each), NamingContext, deadline_s=attempt_s)
            for each in preference.addresses
        }
        self._pause = threading.Event()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_") or not hasattr(NamingContext, name):
            return cast("Callable[..., Any]", getattr(self._leading(), name))

        def call(*arguments: Any, **more: Any) -> Any:
            return self._call(name, arguments, more)

        return call

    @property
    def context(self) -> NamingContext:
        """The same with the type that it answers to."""
        return cast("NamingContext", self)

    @override
    def close(self) -> None:
        for stub in self._stubs.values():
            release(stub)

    def _leading(self) -> NamingContext:
        return self._stubs[self._preference.address]

    def _call(self, name: str, arguments: tuple[Any, ...], more: dict[str, Any]) -> Any:
        until = time.monotonic() + min(self._deadline_s, _PATIENCE_S)
        attempts = 0
        while True:
            address = self._preference.address
            try:
                return getattr(self._stubs[address], name)(*arguments, **more)
            except (NotLeading, CommFailure) as error:
                self._preference.turn_from(address)
                attempts += 1
                if not _may_repeat(name, error) or self._is_late(until, attempts):
                    raise
            if attempts % len(self._stubs) == 0:
                self._pause.wait(_PAUSE_S)

    def _is_late(self, until: float, attempts: int) -> bool:
        """Tell whether to give up: the time is over and each one was asked."""
        return attempts >= len(self._stubs) and time.monotonic() >= until


def _may_repeat(name: str, error: RemoteError) -> bool:
    """Tell whether a call may be made once more: it was not made, or twice does what once does."""
    return not isinstance(error, OutcomeUnknown) or _OPERATIONS[name].idempotent
