"""Hosting: one object adapter per component, by default on the loopback interface."""

from __future__ import annotations

import logging
import socket
import ssl
from typing import Any, Self

from Pyro5 import config
from typing_extensions import override

from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.hosts import is_loopback
from idl_like_interfaces.mapping.hosting.access import Guard
from idl_like_interfaces.mapping.hosting.dispatch import Dispatcher
from idl_like_interfaces.mapping.hosting.limits import Limits, Load
from idl_like_interfaces.mapping.hosting.skeleton import Skeleton
from idl_like_interfaces.mapping.hosting.stock import StockDaemon
from idl_like_interfaces.mapping.hosting.transport import Transport
from idl_like_interfaces.mapping.wire import LARGEST_MESSAGE, make_incarnation

log = logging.getLogger(__name__)

config.SOCK_NODELAY = True
config.MAX_MESSAGE_SIZE = LARGEST_MESSAGE
# An expected lost peer is told by our own errors; Pyro5 would log each as an error.
logging.getLogger("Pyro5.client").setLevel(logging.CRITICAL)


class ObjectAdapter(Closing):
    """Makes servants reachable (CORBA's object adapter).

    Args:
        host: Name or address on which it listens.
        port: 0: any free port.
        incarnation: This start of the component; made when it is not given.
        limits: What its peers are allowed.
        tls: Of the server; peers must then have a certificate that it trusts.
        guard: Decides who may call what; ``None``: everybody everything.
        insecure: Serve an address beyond the loopback interface without TLS.

    Attributes:
        host: As given.
        port: Where it listens.
        incarnation: Goes into each object id, so that a reference from before a
            restart names nothing.

    Raises:
        BadParam: The host is not a loopback address, and there is no TLS.
        OSError: The port is in use.
    """

    def __init__(
        self,
        host: str = "localhost",
        port: int = 0,
        incarnation: str | None = None,
        *,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
        guard: Guard | None = None,
        insecure: bool = False,
    ) -> None:
        if tls is None and not insecure and not is_loopback(host):
            raise BadParam(
                f"address {host} is not on the loopback interface",
                field="host",
                cause="without TLS everybody on the network could command the objects",
                remedy="make certificates (obsorb certs init) and serve with TLS, or use localhost "
                "and reach it through an ssh tunnel",
            )
        self.host = host
        self.incarnation = incarnation or make_incarnation()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=1024)
        self.port: int = listener.getsockname()[1]
        self._stock = StockDaemon(host, self.port)
        self._dispatcher = Dispatcher(self._stock, guard)
        self._transport = Transport(self._dispatcher, listener, limits or Limits(), tls)

    def activate(self, servant: object, interface: type, object_id: str) -> str:
        """Make a servant reachable under its interface and return its URI.

        The id in the URI is ``object_id~incarnation``.
        """
        return self._activate(servant, interface, f"{object_id}~{self.incarnation}")

    def activate_fixed(self, servant: object, interface: type, object_id: str) -> str:
        """As ``activate``, under an id that is the same after a restart."""
        return self._activate(servant, interface, object_id)

    def _activate(self, servant: object, interface: type, full_id: str) -> str:
        skeleton = Skeleton(servant, interface, full_id, self.incarnation)
        self._stock.skeletons[full_id] = skeleton
        return str(self._stock.uriFor(full_id))

    def activate_stock(self, exposed: Any, object_id: str) -> str:
        """Make an object reachable that Pyro5 itself knows how to expose."""
        return str(self._stock.register(exposed, object_id))

    def deactivate(self, object_id: str) -> None:
        """Take a servant out; calls to it find no object."""
        for each in (object_id, f"{object_id}~{self.incarnation}"):
            self._stock.skeletons.pop(each, None)
            self._stock.unregister(each)

    def start(self) -> None:
        """Begin to serve, in threads."""
        self._transport.start()

    def load(self) -> Load:
        """Return what there is to do just now."""
        return self._transport.load()

    def drain(self) -> None:
        """Take no more requests; calls that are being served may still reply.

        Waits a moment for them, but not for long-polls: let those end, then ``close``.
        """
        self._transport.drain()

    @override
    def close(self) -> None:
        """Serve no more; established connections are closed too."""
        self._dispatcher.end()
        self._transport.close()

    @override
    def __enter__(self) -> Self:
        self.start()
        return self
