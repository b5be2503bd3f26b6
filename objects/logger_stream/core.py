"""What all parts of a logger share."""

from __future__ import annotations

import threading
from collections.abc import Callable

from idl_like_interfaces.clients.project import KnownProject
from idl_like_interfaces.event_logger import (
    LOGGER_TOPIC,
    FileKind,
    LoggerInit,
    LoggerRunStart,
    LoggerState,
    LoggerStatus,
)
from objects.component.site import Offered, Site
from objects.logger_stream.alerts import Alerts
from objects.logger_stream.certificates import Certificates
from objects.logger_stream.ending import Ender
from objects.logger_stream.failure import SafeJournal
from objects.logger_stream.intake import Intake
from objects.logger_stream.journal import Journal
from objects.logger_stream.making import RunMaker
from objects.logger_stream.memory import Memory
from objects.logger_stream.orphans import ORPHANS, Orphans
from objects.logger_stream.run import ActiveRun
from objects.logger_stream.run_control_link import RunControlLink
from objects.logger_stream.runs import Runs
from objects.logger_stream.services import Services
from objects.logger_stream.settings import LoggerSettings
from objects.logger_stream.states import state_of
from objects.logger_stream.status import RunRates, StatusBoard
from objects.logger_stream.strayed import StrayWatch
from objects.logger_stream.volumes import Volumes


class Core:
    """The parts of one logger, each made once; commands hold ``turn``.

    Args:
        site: Where it runs.
        settings: Its settings.
        journal: Its journal, open.
        certificates: What it has confirmed.
        project: Says what is known of the project now.
        make_status: Makes the status of this core.

    Attributes:
        turn: One command at a time.
        offered: The event server; None: it is not open.
        trouble: Why what was told before a restart could not be restored; empty: it was.
        schedule_status: Has the status published each so many seconds.
        wish: Why run control shall pause the runs; empty: it need not.
    """

    def __init__(
        self,
        site: Site,
        settings: LoggerSettings,
        journal: Journal,
        certificates: Certificates,
        project: Callable[[], KnownProject | None],
        make_status: Callable[[Core], LoggerStatus],
    ) -> None:
        self.site = site
        self.settings = settings
        self.certificates = certificates
        self.turn = threading.RLock()
        self.offered: Offered | None = None
        self.link: RunControlLink | None = None
        self.trouble = self.wish = ""
        self.schedule_status: Callable[[float], None] = lambda _: None
        self.services = Services(site)
        self.alerts = Alerts(self.services, f"{site.root}/{site.name}", site.clock)
        self.volumes = Volumes(site.data_root.absolute(), site.clock, site.name)
        self.maker = RunMaker(site, self.volumes, project)
        self.strays = StrayWatch(self.alerts, site.clock)
        self.orphans = Orphans(
            site.data_root.absolute() / site.name / ORPHANS,
            lambda run, stream, number: self.maker.header(
                LoggerRunStart(run=run), stream, number, FileKind.ORPHAN
            ),
            site.clock,
            self.strays,
            journal.memory.orphans,
        )
        self.runs = Runs(self.orphans)
        self.safe = SafeJournal(journal, self.runs, self.alerts)
        self.intake = Intake(self.runs, site.clock)
        self.ender = Ender(self.runs, certificates, self.safe, self._settled)
        self.rates = RunRates(site.clock)
        self.board = StatusBoard(site.clock, lambda: make_status(self))

    @property
    def memory(self) -> Memory:
        """What the journal comes to."""
        return self.safe.journal.memory

    @property
    def state(self) -> LoggerState:
        """State of the process."""
        return state_of(
            is_initialized=self.memory.init is not None,
            is_configured=self.memory.configured is not None,
            active_runs=len(self.runs.active),
        )

    @property
    def default_volumes(self) -> list[str]:
        """Where it is written when nobody has said it."""
        return self.settings.volumes or [f"{self.site.name}/runs"]

    def use_services(self, arguments: LoggerInit) -> None:
        """Use the services that INIT has named from now on."""
        before = self.services
        self.services = Services(
            self.site,
            arguments.alarm_service or self.settings.alarm_service,
            arguments.event_channel or self.settings.event_channel,
        )
        self.alerts.use(self.services)
        before.close()

    def tell(self, note: str = "") -> None:
        """Tell everybody of a change, at once.

        Args:
            note: What happened, for the history of the alarm service; empty: nothing new there.
        """
        self.board.invalidate()
        if note:
            self.services.note(f"{self.site.root}/{self.site.name}: {note}")
        self.services.publish(LOGGER_TOPIC, self.board.get())

    def _settled(self, run: ActiveRun) -> None:
        events, _ = run.counts
        why = f" ({run.reason})" if run.reason else ""
        self.tell(f"run {run.number} is {run.state}{why}: {events} events")
