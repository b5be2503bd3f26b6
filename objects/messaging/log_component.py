"""The log service as a component of an installation."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec
from typing_extensions import override

from idl_like_interfaces.accounts import Account
from idl_like_interfaces.alarms import AlarmReport, Severity
from idl_like_interfaces.clients.accounts import below
from idl_like_interfaces.logs import LogService
from objects.component.site import ActiveObject, Component, Site
from objects.messaging.log_folder import Damage
from objects.messaging.log_limits import LogLimits
from objects.messaging.log_service import LogServiceServant
from objects.messaging.log_store import SqliteLogStore

MAINTAIN_S = 5.0

NOT_WRITABLE = "log not writable"
DAMAGED = "log damaged"

_MIB = 1024 * 1024
_Seconds = Annotated[float, msgspec.Meta(gt=0)]


class LogServiceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Configuration of the log service.

    Attributes:
        file: The store's first file; relative to the data root; made when it is missing.
        max_age_s: Records that arrived longer ago are removed; without: none because of its age.
        max_bytes: So much the store takes on disk; the oldest records are removed for new ones.
        max_records: So many records are kept; without: as many as fit.
        spare_s: On a full disk records that are older may go before their time.
    """

    file: Annotated[str, msgspec.Meta(min_length=1)] = "log/log.sqlite"
    max_age_s: _Seconds | None = None
    max_bytes: Annotated[int, msgspec.Meta(ge=8 * _MIB)] = 2048 * _MIB
    max_records: Annotated[int, msgspec.Meta(ge=1000)] | None = None
    spare_s: _Seconds = 7 * 86_400.0


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
        settings = self.settings
        limits = LogLimits(
            max_age_s=settings.max_age_s,
            max_bytes=settings.max_bytes,
            max_records=settings.max_records,
            spare_s=settings.spare_s,
        )
        self._store = SqliteLogStore(
            self.site.data_root / settings.file,
            limits,
            name=self.site.name,
            clock=self.site.clock,
            on_damage=self._tell_damage,
            on_problem=self._tell_problem,
        )
        self._servant = LogServiceServant(self._store)

    @override
    def objects(self) -> list[ActiveObject]:
        return [ActiveObject(path="log", interface=LogService, servant=self._servant)]

    @override
    def start(self) -> None:
        assert self._store is not None
        self.site.every(MAINTAIN_S, self._store.maintain)
        if not self._store.problem:
            # An earlier start, which was killed, may have reported it.
            self._tell_problem("")
        self.site.keeps_accounts(self._accounts)

    @override
    def stop(self) -> None:
        if self._servant is not None:
            self._servant.close()
        if self._store is not None:
            self._store.close()
            self._store = None

    @override
    def problem(self) -> str:
        problem = self._store.problem if self._store is not None else ""
        return f"log records cannot be stored: {problem}" if problem else ""

    @override
    def detail(self) -> str:
        store = self._store
        return "" if store is None else f"{store.last()} records"

    def _accounts(self) -> list[Account]:
        store = self._store
        return below(self.site.root, store.accounts()) if store is not None else []

    def _tell_problem(self, problem: str) -> None:
        if not problem:
            self.site.clear_alarm(NOT_WRITABLE, self._object, "records are stored again")
            return
        self.site.raise_alarm(
            AlarmReport(
                object=self._object,
                name=NOT_WRITABLE,
                severity=Severity.MAJOR,
                text=f"log records cannot be stored: {problem}",
                cause="the disk of the log store is full, read-only or has a fault",
                remedy="free some space there; components keep their newest records meanwhile "
                "and send them again",
                time=self.site.clock.utc(),
                subsystem="log",
            )
        )

    def _tell_damage(self, damage: Damage) -> None:
        # Nothing of it lasts, but somebody must have seen it: latched, and over at once.
        self.site.raise_alarm(
            AlarmReport(
                object=self._object,
                name=DAMAGED,
                severity=Severity.MINOR,
                text=f"the file {damage.path} of the log store was damaged: {damage.why}",
                cause="the disk has a fault, or another program wrote into the file",
                remedy=f"what can be saved is in {damage.kept}; look after the disk",
                time=self.site.clock.utc(),
                subsystem="log",
                latch=True,
            )
        )
        self.site.clear_alarm(DAMAGED, self._object, "a new file was begun")

    @property
    def _object(self) -> str:
        return f"{self.site.root}/{self.site.name}"
