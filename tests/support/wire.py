"""One servant, three ways to call it: the contract suites run over each of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import Pyro5.api
import Pyro5.errors

from idl_like_interfaces.declare import interface_of
from idl_like_interfaces.mapping import ObjectAdapter, narrow, release
from idl_like_interfaces.mapping.calling.stub import positional
from idl_like_interfaces.mapping.coding import decode_reply, encode_inline
from idl_like_interfaces.mapping.wire import revive

T = TypeVar("T")

MODES = ("in-process", "msgpack", "stock")


@contextmanager
def wired(servant: object, interface: type[T], mode: str) -> Iterator[T]:
    """Yield a client of a servant.

    Args:
        servant: Implements the interface.
        interface: The declaration.
        mode: ``in-process`` the servant itself; ``msgpack`` a typed stub over loopback;
            ``stock`` a plain Pyro5 proxy with serpent, its values read by the declaration.
    """
    if mode == "in-process":
        yield cast("T", servant)
        return
    with ObjectAdapter() as adapter:
        uri = adapter.activate(servant, interface, "tested")
        if mode == "msgpack":
            stub = narrow(uri, interface)
            yield stub
            release(stub)
        else:
            stock = StockClient(uri, interface)
            yield cast("T", stock)
            stock.close()


class StockClient:
    """Calls through an unmodified ``Pyro5.api.Proxy``; a proxy for each call, so any thread may."""

    def __init__(self, uri: str, interface: type) -> None:
        self._uri = uri
        self._interface = interface_of(interface)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in self._interface.operations:
            raise AttributeError(name)
        return functools.partial(self._invoke, name)

    def _invoke(self, name: str, *args: Any, **kwargs: Any) -> Any:
        operation = self._interface.operations[name]
        ordered = positional(operation, args, kwargs) if kwargs else args
        with Pyro5.api.Proxy(self._uri) as proxy:
            try:
                reply = getattr(proxy, name)(*[encode_inline(each) for each in ordered])
            except Pyro5.errors.PyroError as error:
                raise revive(error) from error
        return decode_reply(operation, reply, None)

    def close(self) -> None:
        """Nothing stays open between calls."""
