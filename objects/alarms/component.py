"""The alarm service as a component of an installation."""

from __future__ import annotations

import logging
import threading
from typing import Annotated, Any, ClassVar

import msgspec
from typing_extensions import override

from idl_like_interfaces.alarms import AlarmFilter, AlarmService
from idl_like_interfaces.announcements import HEARTBEAT_TOPIC, Heartbeat
from idl_like_interfaces.clients import Event, EventConsumer
from idl_like_interfaces.declare import Value
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.events import EventChannel, Priority
from objects.alarms.condition import Moment
from objects.alarms.desk import GLITCH_S, AlarmDesk
from objects.alarms.heartbeats import SILENT_S
from objects.alarms.servant import AlarmServiceServant
from objects.alarms.store import FILE_BYTES, KEPT_FILES, AlarmLog
from objects.component.site import ActiveObject, Component, Site

log = logging.getLogger(__name__)

TICK_S = 0.25

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class Supervised(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A component that must run, from the start of the service on.

    Attributes:
        component: Its name.
        period_s: Without a heartbeat for so long it is silent.
    """

    component: _Name
    period_s: Annotated[float, msgspec.Meta(ge=SILENT_S, le=86_400)] = SILENT_S


class AlarmSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Configuration of the alarm service.

    Attributes:
        folder: Of the alarm log; relative to the data root; made when it is missing.
        file_bytes: A file of the log that is larger is followed by a new one.
        kept_files: So many files are kept.
        supervised: Components that must run; all others are supervised once they have beaten.
        pause_conditions: Which alarms must pause a run, beside those whose report says so.
        glitch_s: A condition that is over sooner is a glitch: nobody is told.
    """

    folder: Annotated[str, msgspec.Meta(min_length=1)] = "alarms"
    file_bytes: Annotated[int, msgspec.Meta(ge=4096)] = FILE_BYTES
    kept_files: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = KEPT_FILES
    supervised: list[Supervised] = []
    pause_conditions: list[AlarmFilter] = []
    glitch_s: Annotated[float, msgspec.Meta(ge=0, le=60)] = GLITCH_S


class AlarmComponent(Component):
    """Knows what is wrong in the installation."""

    kind: ClassVar[str] = "alarms"
    Settings: ClassVar[type[msgspec.Struct]] = AlarmSettings

    def __init__(self, site: Site, settings: Any) -> None:
        super().__init__(site, settings)
        self._source = f"{site.root}/{site.name}"
        at = Moment(utc=site.clock.utc(), monotonic=site.clock.monotonic())
        self._desk = AlarmDesk(
            self._source,
            site.incarnation,
            at,
            listed={f"{site.root}/{each.component}": each.period_s for each in settings.supervised},
            pause_conditions=settings.pause_conditions,
            glitch_s=settings.glitch_s,
        )
        self._store: AlarmLog | None = None
        self._servant: AlarmServiceServant | None = None
        self._consumer: EventConsumer | None = None
        self._listener: threading.Thread | None = None

    @override
    def recover(self) -> None:
        folder = self.site.data_root / self.settings.folder
        try:
            store = AlarmLog(
                folder,
                file_bytes=self.settings.file_bytes,
                kept_files=self.settings.kept_files,
            )
            servant = AlarmServiceServant(self._desk, store, self.site.clock, self._publish)
            servant.recover(self._source)
        except OSError as error:
            raise BadParam(
                f"the alarm service cannot use {folder}: {error}",
                field="folder",
                cause="the folder is missing or read-only, or the disk is full",
                remedy="correct the folder's rights or the setting 'folder', or free some space",
            ) from error
        self._store, self._servant = store, servant

    @override
    def objects(self) -> list[ActiveObject]:
        return [ActiveObject(path="alarms", interface=AlarmService, servant=self._servant)]

    @override
    def start(self) -> None:
        channel = self.site.narrow(f"{self.site.root}/events", EventChannel)
        self._consumer = EventConsumer(channel, [HEARTBEAT_TOPIC], name=f"{self._source} hearts")
        self.site.keeps_accounts(self._consumer.accounts)
        self._listener = threading.Thread(target=self._listen, name="alarms heartbeats")
        self._listener.start()
        self.site.every(TICK_S, self._tick)

    @override
    def stop(self) -> None:
        if self._consumer is not None:
            self._consumer.close()
        if self._listener is not None:
            self._listener.join()
        if self._servant is not None:
            self._servant.close()

    @override
    def problem(self) -> str:
        return self._store.problem if self._store is not None else ""

    @override
    def detail(self) -> str:
        if self._servant is None:
            return ""
        columns = self._servant.get_stats().columns
        return ", ".join(f"{count} {column}" for column, count in columns.items())

    def _publish(self, topic: str, body: Value) -> None:
        self.site.publish(topic, body, Priority.HIGH)

    def _tick(self) -> None:
        if self._servant is not None and self._consumer is not None:
            self._servant.pass_time(is_deaf=self._consumer.is_blind)

    def _listen(self) -> None:
        assert self._consumer is not None
        for item in self._consumer:
            try:
                self._hear(item)
            except Exception:
                log.exception("a heartbeat could not be taken")

    def _hear(self, item: object) -> None:
        if not isinstance(item, Event) or self._servant is None:
            return  # what we did not hear nobody is blamed for
        try:
            heartbeat = item.as_(Heartbeat)
        except BadParam as error:
            log.warning("%s sends no heartbeat: %s", item.source, error)
        else:
            self._servant.beat(item.source, heartbeat)
