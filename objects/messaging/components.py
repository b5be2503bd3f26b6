"""The event channel and the log service as components of an installation."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec
from typing_extensions import override

from idl_like_interfaces.events import EventChannel
from idl_like_interfaces.logs import LogService
from objects.component.site import ActiveObject, Component, Site
from objects.messaging.channel import EventChannelServant
from objects.messaging.journal import Retention
from objects.messaging.log_service import LogServiceServant
from objects.messaging.log_store import SqliteLogStore

_Positive = Annotated[int, msgspec.Meta(ge=1)]


class EventChannelSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Configuration of the event channel.

    Attributes:
        max_events: Events that it holds for late readers.
        max_bytes: The same in bytes.
        forget_after_s: A consumer that has read nothing for so long is forgotten.
    """

    max_events: _Positive = 100_000
    max_bytes: _Positive = 64 * 1024 * 1024
    forget_after_s: Annotated[float, msgspec.Meta(ge=1, le=86_400)] = 60.0


class EventChannelComponent(Component):
    """Carries the events of the installation."""

    kind: ClassVar[str] = "events"
    Settings: ClassVar[type[msgspec.Struct]] = EventChannelSettings

    def __init__(self, site: Site, settings: Any) -> None:
        super().__init__(site, settings)
        self._servant = EventChannelServant(
            site.incarnation,
            retention=Retention(max_events=settings.max_events, max_bytes=settings.max_bytes),
            clock=site.clock,
            forget_after_s=settings.forget_after_s,
        )

    @override
    def objects(self) -> list[ActiveObject]:
        return [ActiveObject(path="events", interface=EventChannel, servant=self._servant)]

    @override
    def stop(self) -> None:
        self._servant.close()

    @override
    def detail(self) -> str:
        stats = self._servant.get_stats()
        return f"{stats.last} events, {len(stats.consumers)} consumers"


class LogServiceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Configuration of the log service.

    Attributes:
        file: The store; relative to the data root; made when it is missing.
    """

    file: Annotated[str, msgspec.Meta(min_length=1)] = "log/log.sqlite"


class LogServiceComponent(Component):
    """Keeps the log records of the installation."""

    kind: ClassVar[str] = "log"
    Settings: ClassVar[type[msgspec.Struct]] = LogServiceSettings

    def __init__(self, site: Site, settings: Any) -> None:
        super().__init__(site, settings)
        self._store: SqliteLogStore | None = None
        self._servant: LogServiceServant | None = None

    @override
    def recover(self) -> None:
        self._store = SqliteLogStore(self.site.data_root / self.settings.file)
        self._servant = LogServiceServant(self._store)

    @override
    def objects(self) -> list[ActiveObject]:
        return [ActiveObject(path="log", interface=LogService, servant=self._servant)]

    @override
    def stop(self) -> None:
        if self._servant is not None:
            self._servant.close()
        if self._store is not None:
            self._store.close()
            self._store = None

    @override
    def detail(self) -> str:
        return f"{self._store.last()} records" if self._store is not None else ""
