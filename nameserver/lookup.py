"""A client of the name service: resolves names, and makes stubs of what they stand for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TypeVar, cast
from weakref import WeakSet

from typing_extensions import override

from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.mapping import narrow, release, release_when_gone
from idl_like_interfaces.naming import BindingType, NamingContext, NotFound, NotFoundReason
from idl_like_interfaces.object import Object
from nameserver.changeover import Address, LeadingContext, Preference, Where, reference_of

_ALIVE_DEADLINE_S = 1.0
_RESOLVE_DEADLINE_S = 3.0
"""A look-up stands before another call, whose caller expects an end after its own deadline."""

_CALL_DEADLINE_S = 10.0

MOST_STUBS = 1024
"""So many stubs are kept; of one more, the connections of who was asked for longest ago are closed."""

T = TypeVar("T")


class Names(Closing):
    """A client of one name service; usable from any thread.

    Given the addresses of a pair of name servers, it calls the one that leads and changes
    over when the other one does.

    Args:
        where: Where it is: one address, or several.

    Attributes:
        addresses: All of them.
        context: Stub of the root context.
    """

    def __init__(self, where: Where) -> None:
        self._preference = Preference(where)
        self.addresses = self._preference.addresses
        self._contexts: dict[float, NamingContext] = {}
        self._stubs: OrderedDict[tuple[str, type, float], object] = OrderedDict()
        self._forgotten: WeakSet[object] = WeakSet()
        self._lock = threading.Lock()
        self.context: NamingContext = self.context_within(_CALL_DEADLINE_S)
        self._directory: NamingContext = self.context_within(_RESOLVE_DEADLINE_S)

    @property
    def address(self) -> Address:
        """Where the name server is that is called first."""
        return self._preference.address

    @property
    def reference(self) -> str:
        """URI of the root context there."""
        return reference_of(self.address)

    def context_within(self, deadline_s: float) -> NamingContext:
        """Return a stub of the root context whose calls have that deadline; the same each time."""
        with self._lock:
            if deadline_s not in self._contexts:
                self._contexts[deadline_s] = self._make_context(deadline_s)
            return self._contexts[deadline_s]

    def _make_context(self, deadline_s: float) -> NamingContext:
        if len(self.addresses) == 1:
            return narrow(self.reference, NamingContext, deadline_s=deadline_s)
        return LeadingContext(self._preference, deadline_s).context

    def resolve(self, name: str) -> str:
        """Return the URI of an object.

        Raises:
            NotFound: There is no such name, or it is a context.
            InvalidName: It is not a name.
            CommFailure: The name server does not answer.
        """
        binding = self._directory.resolve(name)
        if binding.type is BindingType.CONTEXT:
            raise NotFound(
                f"{name!r} is a context, not an object",
                why=NotFoundReason.NOT_OBJECT,
                rest_of_name=name,
                remedy="give the full name of an object",
            )
        return binding.uri

    def narrow(self, reference: str, interface: type[T], deadline_s: float = 10.0) -> T:
        """Return a typed stub for a name or a URI; for the same arguments the same one.

        It works for as long as somebody has it, also when ``MOST_STUBS`` others were asked for.
        """
        key = (reference, interface, deadline_s)
        with self._lock:
            stub = self._stubs.get(key)
            if stub is None:
                stub = self._stubs[key] = narrow(
                    reference, interface, resolve=self.resolve, deadline_s=deadline_s
                )
            self._stubs.move_to_end(key)
            surplus = self._forget_one() if len(self._stubs) > MOST_STUBS else None
        if surplus is not None:
            release(surplus)
            release_when_gone(surplus)
        return cast("T", stub)

    def _forget_one(self) -> object:
        """Keep one stub less; who still has it may use it until the end."""
        _, stub = self._stubs.popitem(last=False)
        self._forgotten.add(stub)
        return stub

    def is_alive(self, uri: str) -> bool:
        """Tell whether an object answers at a URI, within a second."""
        stub = narrow(uri, Object, deadline_s=_ALIVE_DEADLINE_S)
        try:
            stub.ping()
        except RemoteError:
            return False
        finally:
            release(stub)
        return True

    @override
    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            stubs = [*self._stubs.values(), *self._forgotten]
            self._stubs.clear()
            contexts = list(self._contexts.values())
        for each in contexts:
            if isinstance(each, LeadingContext):
                each.close()
            else:
                release(each)
        for stub in stubs:
            release(stub)
