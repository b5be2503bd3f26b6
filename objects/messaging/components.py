"""The event channel as a component of an installation."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec
from typing_extensions import override

from idl_like_interfaces.accounts import Account
from idl_like_interfaces.alarms import AlarmReport, Severity
from idl_like_interfaces.events import EventChannel, JournalStats
from objects.component.site import ActiveObject, Component, Site
from objects.messaging.channel import EventChannelServant
from objects.messaging.disk_journal import SEGMENT_BYTES, DiskJournal
from objects.messaging.journal import Retention

ATTEND_S = 1.0

NOT_WRITABLE = "journal not writable"
DAMAGED = "journal damaged"

_Positive = Annotated[int, msgspec.Meta(ge=1)]


class EventChannelSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Configuration of the event channel.

    Attributes:
        max_events: Events that it holds for late readers.
        max_bytes: The same in bytes.
        max_age_s: The same in seconds since they came; 0: any.
        forget_after_s: A consumer that has read nothing for so long is forgotten.
        journal: Folder in which events are kept over a restart, relative to the data root;
            empty: none is kept.
        journal_sync: What is acknowledged survives also the end of the host; slower.
        segment_bytes: Size of a file of the journal.
    """

    max_events: _Positive = 100_000
    max_bytes: _Positive = 64 * 1024 * 1024
    max_age_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    forget_after_s: Annotated[float, msgspec.Meta(ge=1, le=86_400)] = 60.0
    journal: str = "events"
    journal_sync: bool = False
    segment_bytes: Annotated[int, msgspec.Meta(ge=4096)] = SEGMENT_BYTES


class EventChannelComponent(Component):
    """Carries the events of the installation."""

    kind: ClassVar[str] = "events"
    Settings: ClassVar[type[msgspec.Struct]] = EventChannelSettings

    def __init__(self, site: Site, settings: Any) -> None:
        super().__init__(site, settings)
        self._storage: DiskJournal | None = None
        self._servant: EventChannelServant | None = None
        self._told: dict[str, str] = {}

    @override
    def recover(self) -> None:
        settings, site = self.settings, self.site
        if settings.journal:
            self._storage = DiskJournal(
                site.data_root / settings.journal,
                segment_bytes=settings.segment_bytes,
                sync=settings.journal_sync,
                clock=site.clock,
            )
        self._servant = EventChannelServant(
            site.incarnation,
            retention=Retention(
                max_events=settings.max_events,
                max_bytes=settings.max_bytes,
                max_age_s=settings.max_age_s,
            ),
            clock=site.clock,
            forget_after_s=settings.forget_after_s,
            storage=self._storage,
        )

    @override
    def objects(self) -> list[ActiveObject]:
        return [ActiveObject(path="events", interface=EventChannel, servant=self._servant)]

    @override
    def start(self) -> None:
        self.site.keeps_accounts(self._accounts)
        self.site.every(ATTEND_S, self._attend)

    def _accounts(self) -> list[Account]:
        servant = self._servant
        return [] if servant is None else servant.accounts(f"{self.site.root}/events")

    def _attend(self) -> None:
        if self._servant is not None:
            self._servant.attend()
        if self._storage is not None:
            self._judge(self._storage.stats())

    def _judge(self, stats: JournalStats) -> None:
        """Raise an alarm for what is wrong with the journal, and end it when that is over."""
        self._alarm(
            NOT_WRITABLE,
            f"{stats.folder}: {stats.problem}" if stats.problem else "",
            cause="the disk is full or broken, or its file system cannot be written",
            remedy="make room or replace the disk; what is held in memory is written by itself then",
            severity=Severity.MAJOR,
        )
        self._alarm(
            DAMAGED,
            f"{stats.folder}: {', '.join(stats.damaged)}" if stats.damaged else "",
            cause="files of the event journal were changed or are broken; events in them are lost",
            remedy="examine the disk; keep the files elsewhere or remove them to end this alarm",
            severity=Severity.WARNING,
        )

    def _alarm(self, name: str, text: str, *, cause: str, remedy: str, severity: Severity) -> None:
        """Report a condition when it changes; it holds if there is a text.

        At first also that it is over: an earlier start may have reported it.
        """
        if self._told.get(name) == text:
            return
        self._told[name] = text
        about = f"{self.site.root}/events"
        if not text:
            self.site.clear_alarm(name, about)
            return
        report = AlarmReport(
            object=about,
            name=name,
            severity=severity,
            text=text[:4096],
            cause=cause,
            remedy=remedy,
            time=self.site.clock.utc(),
            subsystem="events",
        )
        self.site.raise_alarm(report)

    @override
    def stop(self) -> None:
        if self._servant is not None:
            self._servant.close()
        elif self._storage is not None:
            self._storage.close()

    @override
    def problem(self) -> str:
        told = self._told.get(NOT_WRITABLE, "")
        return f"events are kept in memory only: {told}" if told else ""

    @override
    def detail(self) -> str:
        if self._servant is None:
            return ""
        stats = self._servant.get_stats()
        return f"{stats.last} events, {len(stats.consumers)} consumers"
