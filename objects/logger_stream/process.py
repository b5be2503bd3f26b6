"""All that an event logger is made of, put together."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from idl_like_interfaces.clients.project import KnownProject, ProjectReader
from idl_like_interfaces.errors import PersistStore
from idl_like_interfaces.event_logger import LoggerControl
from idl_like_interfaces.events import EventChannel
from idl_like_interfaces.open_files import open_files_allowed
from idl_like_interfaces.project import ProjectService
from idl_like_interfaces.run_control import RunControl
from objects.component.site import ActiveObject, Site
from objects.logger_stream.certificates import Certificates
from objects.logger_stream.control_servant import LoggerControlServant
from objects.logger_stream.core import Core
from objects.logger_stream.housekeeping import PERIOD_S, Housekeeping, detail_of
from objects.logger_stream.journal import Journal
from objects.logger_stream.logger import Logger
from objects.logger_stream.membership import Membership
from objects.logger_stream.memory import Marks
from objects.logger_stream.reporting import make_status
from objects.logger_stream.restart import open_again, restore
from objects.logger_stream.run_control_link import RunControlLink
from objects.logger_stream.settings import LoggerSettings, number_of
from objects.logger_stream.surroundings import LEFT

log = logging.getLogger(__name__)

JOURNAL = "journal"
CERTIFICATES = "ended"

_ENDS_S = 8.0

_PATIENCE_S = 3.0
"""Deadline of calls of services that may be away: the end of the logger may have to wait for it."""


class LoggerProcess:
    """Writes streams of events to files; lives as its component does, see ``Component``.

    Args:
        site: Where it runs.
        settings: Of the component.
    """

    def __init__(self, site: Site, settings: LoggerSettings) -> None:
        self.site = site
        self.settings = settings
        self._path = f"logger/{number_of(settings, site.name)}/control"
        self._folder: Path = site.data_root.absolute() / site.name
        self._core: Core | None = None
        self._logger: Logger | None = None
        self._project: ProjectReader | None = None
        self._work: Housekeeping | None = None
        self._is_booting = False
        self._ends: list[Callable[[], None]] = []

    @property
    def core(self) -> Core:
        """What it is made of."""
        assert self._core is not None, "not recovered"
        return self._core

    def recover(self) -> None:
        """Open the journal and take up what a crash left."""
        # Files that were left open are opened before anything else raises the limit.
        log.info("%d files may be open, two for each event file", open_files_allowed())
        try:
            certificates = Certificates(self._folder / CERTIFICATES)
        except OSError as error:
            raise PersistStore(
                f"{self._folder} cannot be used: {error}",
                remedy="make it writable, or choose another data root",
            ) from error
        journal = Journal(self._folder / JOURNAL)
        core = self._core = Core(
            self.site, self.settings, journal, certificates, self._known, make_status
        )
        self._logger = Logger(core)
        # Commands wait until the boot is over.
        core.turn.acquire()
        self._is_booting = True
        restore(core, self._logger)

    def objects(self) -> list[ActiveObject]:
        """Return the control object."""
        assert self._logger is not None
        servant = LoggerControlServant(self._logger)
        return [ActiveObject(path=self._path, interface=LoggerControl, servant=servant)]

    def start(self) -> None:
        """Begin to work; the names are bound."""
        core, logger = self.core, self._logger
        assert logger is not None
        self._project = self._read_project()
        open_again(core, logger)
        self._link(core, logger)
        work = self._work = Housekeeping(core)
        self._every(PERIOD_S, work.look)
        self._every(PERIOD_S, work.sync_orphans)
        self._every(PERIOD_S, work.look_at_space)
        self._every(PERIOD_S, lambda: open_again(core, logger))
        self._publish_periodically(work)
        self._end_boot()
        core.tell()

    def stop(self) -> None:
        """End in good order: all on the disk."""
        for end in self._ends:
            end()
        self._end_boot()
        core = self._core
        if core is None:
            return
        if core.link is not None:
            core.link.close()
        if core.offered is not None:
            core.offered.close()
        self._leave_runs(core)
        core.ender.close()
        core.orphans.close()
        core.volumes.free_ballast()
        self._last_marks(core)
        core.safe.journal.close()
        core.services.close()
        if self._project is not None:
            self._project.close()

    def detail(self) -> str:
        """Say in a few words what it is doing."""
        return "" if self._core is None else detail_of(self._core.board.get())

    def problem(self) -> str:
        """Say why it cannot do its work now; empty: it can."""
        core = self._core
        return "" if core is None else core.safe.problem or core.trouble

    def _end_boot(self) -> None:
        if self._is_booting:
            self._is_booting = False
            self.core.turn.release()

    def _every(self, period_s: float, action: Callable[[], None]) -> None:
        self._ends.append(self.site.every(period_s, action))

    def _publish_periodically(self, work: Housekeeping) -> None:
        """Publish the status each period, also when a configuration changes that."""
        end: list[Callable[[], None]] = []

        def schedule(period_s: float) -> None:
            for each in end:
                each()
            end[:] = [self.site.every(period_s, work.publish)]

        configured = self.core.memory.configured
        schedule(PERIOD_S if configured is None else configured.configuration.status_period_s)
        self.core.schedule_status = schedule

        def cease() -> None:
            self.core.schedule_status = lambda _: None
            for each in end:
                each()

        self._ends.append(cease)

    def _link(self, core: Core, logger: Logger) -> None:
        name = self.settings.run_control or f"{self.site.root}/run"
        members = Membership(core, logger.runs, f"{self.site.root}/{self._path}")
        stub = self.site.narrow(name, RunControl, _PATIENCE_S)
        core.link = RunControlLink(stub, members.member, members.follow, self.site.clock)
        core.link.start()

    def _read_project(self) -> ProjectReader:
        root = self.site.root
        return ProjectReader(
            self.site.narrow(f"{root}/project", ProjectService, _PATIENCE_S),
            self.site.narrow(f"{root}/events", EventChannel),
            name=f"{root}/{self.site.name}",
            monotonic=self.site.clock.monotonic,
        )

    def _known(self) -> KnownProject | None:
        return None if self._project is None else self._project.known()

    def _leave_runs(self, core: Core) -> None:
        """Have all on the disk of runs that go on at the next start."""
        streams = [stream for run in core.runs.active for stream in run.all_streams]
        for each in streams:
            each.begin_end(LEFT)
        until = self.site.clock.monotonic() + _ENDS_S
        for each in streams:
            if not each.join(max(0.0, until - self.site.clock.monotonic())):
                log.error("stream %s does not end: its disk hangs", each.configuration.name)

    def _last_marks(self, core: Core) -> None:
        if self._work is not None:
            self._work.journal()
        core.safe.note(Marks(senders=core.intake.marks()), sync=True)
