"""The metrics of an installation as one of its components."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec
from typing_extensions import override

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.hosts import host_and_port, is_loopback
from objects.component.site import Component, Site
from objects.metrics.endpoint import Endpoint
from objects.metrics.gathering import Gathering


class MetricsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Configuration of the metrics.

    Attributes:
        host: A loopback address: what is told is told to everybody who asks.
        port: Where Prometheus reads; 0: any free one.
        deadline_s: An object that has not answered within this time is shown as down;
            below the timeout of a scrape.
    """

    host: str = "localhost"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 9464
    deadline_s: Annotated[float, msgspec.Meta(ge=0.1, le=60)] = 2.0


class MetricsComponent(Component):
    """Serves the statistics of all objects to Prometheus."""

    kind: ClassVar[str] = "metrics"
    Settings: ClassVar[type[msgspec.Struct]] = MetricsSettings

    def __init__(self, site: Site, settings: Any) -> None:
        super().__init__(site, settings)
        self._gathering: Gathering | None = None
        self._endpoint: Endpoint | None = None

    @override
    def recover(self) -> None:
        _check_loopback(self.settings.host)
        self._gathering = Gathering(self.site, self.settings.deadline_s)
        self._endpoint = _listen(self.settings.host, self.settings.port, self._gathering)

    @override
    def stop(self) -> None:
        if self._endpoint is not None:
            self._endpoint.close()
        if self._gathering is not None:
            self._gathering.close()
        self._endpoint = self._gathering = None

    @property
    def url(self) -> str:
        """Where Prometheus reads; empty when it does not serve."""
        if self._endpoint is None:
            return ""
        host, port = self._endpoint.address
        return f"http://{host_and_port(host, port)}/metrics"

    @override
    def detail(self) -> str:
        gathering = self._gathering
        return f"{self.url}, {gathering.answering} objects" if gathering is not None else ""


def _listen(host: str, port: int, gathering: Gathering) -> Endpoint:
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import choose_encoder

    registry = CollectorRegistry()
    registry.register(gathering)

    def expose(accept: str) -> tuple[str, bytes]:
        encode, content_type = choose_encoder(accept)
        return content_type, encode(registry)

    try:
        return Endpoint(host, port, expose)
    except OSError as error:
        raise BadParam(
            f"metrics cannot be served at {host}:{port}: {error.strerror or error}",
            field="port",
            cause="another program listens there, or the port needs rights",
            remedy="choose another port, or 0 for any free one",
        ) from error


def _check_loopback(host: str) -> None:
    if not is_loopback(host):
        raise BadParam(
            f"metrics are not served at {host}",
            field="host",
            cause="they go out without TLS, to everybody who asks: on the loopback interface only",
            remedy="give localhost, and put a proxy with TLS before it to read from elsewhere",
        )
