"""Run control as a component of an installation."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta
from msgspec.structs import replace
from typing_extensions import override

from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.events import Priority
from idl_like_interfaces.project import ProjectService
from idl_like_interfaces.run_control import (
    LOGBOOK_TOPIC,
    RUN_TOPIC,
    LogbookMoment,
    Member,
    Run,
    RunControl,
)
from objects.component.site import ActiveObject, Component, Site
from objects.run_control.conditions import Cause
from objects.run_control.enrolment import Enrolment
from objects.run_control.lease import Grant, Lease
from objects.run_control.listening import Listening
from objects.run_control.logbook import Logbook, entry_of
from objects.run_control.office import RunOffice
from objects.run_control.records import RunRecord
from objects.run_control.report.write import write_report
from objects.run_control.servant import RunControlServant
from objects.run_control.store import RunStore
from objects.run_control.surroundings import LOST_AFTER_S, Surroundings, make_link

log = logging.getLogger(__name__)

LEASE = "lease"
TIDY_S = 5.0
HEAR_S = 0.5
_PROJECT_S = 2.0
_TOLD_NOTES = 20


class RunControlSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Configuration of run control.

    Attributes:
        folder: Store, logbook and reports; relative to the data root.
        first_run: The least run number to give.
        lost_after_s: A writer that has not answered for so long is told as lost.
    """

    folder: Annotated[str, Meta(min_length=1)] = "run"
    first_run: Annotated[int, Meta(ge=1, le=4_000_000_000)] = 1
    lost_after_s: Annotated[float, Meta(ge=0.5, le=600)] = LOST_AFTER_S


class RunControlComponent(Component):
    """Begins and ends runs, and knows what became of them."""

    kind: ClassVar[str] = "run_control"
    Settings: ClassVar[type[msgspec.Struct]] = RunControlSettings

    def __init__(self, site: Site, settings: Any) -> None:
        super().__init__(site, settings)
        self._folder: Path = site.data_root / settings.folder
        self._enrolment = Enrolment(site.clock)
        self._store: RunStore | None = None
        self._logbook: Logbook | None = None
        self._listening: Listening | None = None
        self._office: RunOffice | None = None
        self._servant: RunControlServant | None = None

    @override
    def recover(self) -> None:
        site = self.site
        self._store = store = RunStore(self._folder / "run_control.sqlite")
        self._logbook = Logbook(self._folder / "logbook.jsonl")
        self._listening = Listening(site, f"{site.root}/alarms", f"{site.root}/events")
        lease = Lease(
            site.clock,
            store.value(LEASE, Grant) or Grant(),
            lambda grant: store.put_value(LEASE, grant),
        )
        around = Surroundings(
            site=site,
            store=store,
            link=lambda writer: make_link(site, writer),
            causes=self._causes,
            fence=lambda: lease.fence,
            begun=self._enter_begin,
            settle=self._settle,
            lost_after_s=self.settings.lost_after_s,
        )
        self._office = RunOffice(around, self._tell, self.settings.first_run)
        self._office.recover()
        self._servant = RunControlServant(
            around,
            self._office,
            lease,
            self._enrolment,
            self._logbook,
            self._listening.texts,
            self._hear_members,
        )

    @override
    def objects(self) -> list[ActiveObject]:
        return [ActiveObject(path="run", interface=RunControl, servant=self._servant)]

    @override
    def start(self) -> None:
        assert self._listening is not None
        assert self._office is not None
        self._listening.start()
        self._office.start()
        self.site.every(TIDY_S, self._tidy)
        self.site.every(HEAR_S, self._hear)

    @override
    def stop(self) -> None:
        if self._office is not None:
            self._office.close()
        if self._listening is not None:
            self._listening.close()
        if self._store is not None:
            self._store.close()

    @override
    def detail(self) -> str:
        if self._office is None:
            return ""
        active = [f"run {each.number} {each.phase.value}" for each in self._office.active()]
        return ", ".join(active) or f"no run active, last {self._office.last_run or 'none'}"

    @override
    def problem(self) -> str:
        return self._office.problem if self._office is not None else ""

    def _causes(self, record: RunRecord) -> list[Cause]:
        assert self._listening is not None
        configuration = record.configuration
        members = self._enrolment.writing(configuration.writers)
        return self._listening.causes(configuration, members)

    def _hear_members(self, members: list[Member]) -> None:
        if self._listening is not None:
            self._listening.hear_members(members)

    def _hear(self) -> None:
        """Have runs pause soon after a condition was heard."""
        listening = self._listening
        if listening is not None and self._office is not None and listening.changed.is_set():
            listening.changed.clear()
            self._office.wake()

    def _tidy(self) -> None:
        # Members that have fallen silent wish nothing any more.
        self._hear_members(self._enrolment.present())
        if self._office is not None:
            self._office.tidy()

    def _tell(self, old: RunRecord, new: RunRecord) -> None:
        """Tell of a change; called in order, must not wait."""
        run = new.run
        self.site.publish(RUN_TOPIC, _told(run), Priority.HIGH)
        if old is new or old.phase is not new.phase:
            why = f", {run.verdict.value}" if new.is_over else ""
            self.site.note(f"run {run.run} is {run.phase.value}{why}")
            self.site.record("last", {"run": run.run, "phase": run.phase.value})

    def _enter_begin(self, record: RunRecord) -> None:
        self._enter(record, LogbookMoment.BEGIN)

    def _enter(self, record: RunRecord, moment: LogbookMoment) -> None:
        assert self._logbook is not None
        if not record.configuration.logbook or self._logbook.has(record.number, moment):
            return
        project, remark = self._project()
        remark = "; ".join(filter(None, [record.reason, remark]))
        made = entry_of(record, moment, self.site.clock.utc(), project, remark)
        entry = self._logbook.add(made)
        if entry is not None:
            self.site.publish(LOGBOOK_TOPIC, entry)

    def _project(self) -> tuple[dict[str, str], str]:
        service = self.site.narrow(f"{self.site.root}/project", ProjectService, _PROJECT_S)
        try:
            found = service.get()
        except RemoteError as error:
            return {}, f"project information could not be asked: {error.briefly()}"
        own = {"project": found.project, "operator": found.operator, "flight": found.flight}
        about = own | found.context | {"version": str(found.version)}
        return {name: text for name, text in about.items() if text}, ""

    def _settle(self, record: RunRecord) -> str:
        assert self._store is not None
        assert self._logbook is not None
        self._enter(record, LogbookMoment.END)
        entries = [each for each in self._logbook.latest(1000) if each.run == record.number]
        samples = self._store.samples(record.number)
        path = write_report(self._folder / "reports", record, entries, samples)
        return str(path)


def _told(run: Run) -> Run:
    """Return a run as it is told: without files, with its latest notes."""
    writers = [replace(each, files=[]) for each in run.writers]
    return replace(run, writers=writers, notes=run.notes[-_TOLD_NOTES:])
