"""One more object of a component, at a port of its own, bound under the component's lease."""

from __future__ import annotations

from typing_extensions import override

from idl_like_interfaces.mapping import ObjectAdapter
from nameserver.client import Offer, Registration
from objects.component.site import Offered


class HostedOffer(Offered):
    """Serves an object; its name is bound as soon as the name server answers.

    Args:
        adapter: In which the object is; of its own, begins to serve.
        registration: Keeps the names of the component.
        offer: The object.
    """

    def __init__(self, adapter: ObjectAdapter, registration: Registration, offer: Offer) -> None:
        self.port = adapter.port
        self._adapter = adapter
        self._registration = registration
        self._offer: Offer | None = offer
        adapter.start()
        registration.add(offer)

    @override
    def close(self) -> None:
        offer, self._offer = self._offer, None
        if offer is None:
            return
        self._registration.withdraw(offer)
        self._adapter.drain()
        self._adapter.close()
