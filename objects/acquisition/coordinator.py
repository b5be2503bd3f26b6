"""All acquisitions of one coordinator: made, found, recovered, and laid to rest."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from msgspec.structs import replace

from idl_like_interfaces.clients.owner import log_owner
from idl_like_interfaces.daqif import (
    STATUS_TOPIC,
    AlertSeverity,
    AwaitDaqReply,
    DaqException,
    DaqReply,
    DaqState,
    DaqStatus,
    DaqStory,
    DpmDaqControl,
)
from idl_like_interfaces.events import EventChannel
from objects.acquisition import alerts as al
from objects.acquisition.abandoned import Abandoned
from objects.acquisition.acquisition import Acquisition
from objects.acquisition.context import Context, new_context
from objects.acquisition.dpm_link import DpmLink
from objects.acquisition.event_log import note_status
from objects.acquisition.file_ids import FileIds
from objects.acquisition.handing import Handing
from objects.acquisition.keeping import Keeping
from objects.acquisition.record import Record, Surroundings, first_status
from objects.acquisition.recovering import take_up
from objects.acquisition.refusals import (
    check_prefix,
    damaged,
    not_kept,
    refusal,
    taken,
    unheard_of,
    unknown,
)
from objects.acquisition.resuming import Resumption
from objects.acquisition.rules import Rules
from objects.acquisition.salvage import REMEDY, DamagedError
from objects.acquisition.specification import Plan
from objects.acquisition.start_time import check_start_time
from objects.acquisition.states import Phase, phase_of
from objects.acquisition.store import Workspace
from objects.acquisition.story import story_of
from objects.acquisition.telling import TELLING_S, Teller
from objects.acquisition.watching import Watch
from objects.component.acquisitions_shown import AcquisitionsShown, among
from objects.component.site import Site
from objects.component.workspace_faults import tell_faults

log = logging.getLogger("daq.ocm.manager")

_JOIN_S = 2.0


class Coordinator:
    """Holds the acquisitions in progress.

    Args:
        on_activity: Called when an acquisition has begun or ended; see ``is_active``.
    """

    def __init__(
        self,
        site: Site,
        workspace: Workspace,
        rules: Rules,
        on_activity: Callable[[], None] = lambda: None,
    ) -> None:
        self._site = site
        self._workspace = workspace
        self._rules = rules
        self._on_activity = on_activity
        self._lock = threading.Lock()
        self._active: dict[str, Acquisition] = {}
        self._beside: list[Watch | Resumption] = []
        self._stale: list[DaqStatus] = []
        self._file_ids = FileIds(rules.instrument_id)
        self._shown = AcquisitionsShown(site)
        self._around = Surroundings(
            clock=site.clock,
            workspace=workspace,
            publish=self._publish,
            ended=self._lay_to_rest,
        )
        dpm = site.narrow(rules.dpm, DpmDaqControl, rules.dpm_timeout_s)
        self._teller = Teller(site.narrow(rules.dpm, DpmDaqControl, TELLING_S))
        self._abandoned = Abandoned(workspace, dpm, self.adopt, site.clock)
        self._keeping = Keeping(site, workspace, self.acquisitions, self._abandoned)
        self._handing = Handing(dpm, site.clock, self._abandoned.add)
        self.dpm_link = DpmLink(
            acquisitions=self.acquisitions,
            adopt=self.adopt,
            afterwards=self._abandoned.attend,
            channel=site.narrow(f"{site.root}/events", EventChannel),
            clock=site.clock,
            retry_s=rules.dpm_retry_s,
            name=f"{site.root}/{site.name}",
        )

    def recover(self) -> None:
        """Open the workspace and take up what was in progress.

        Raises:
            WorkspaceError: It cannot be used.
        """
        self._workspace.open()
        self._abandoned.load()
        kept, self._stale = take_up(self._workspace, self._rules, self._site.clock.utc())
        for status in self._stale:
            if status.state is DaqState.MERGING:
                # The DPM may finish it still, as one that was aborted here only.
                self._abandoned.add(status.id, status.file_id)
        for status, context in kept:
            record = Record(status, context, self._around)
            self._active[status.id] = self._acquisition(record)
            log.info("acquisition %s recovered in %s", status.id, record.phase)
        # On a full disk it starts all the same.
        self._keeping.try_list()

    def start(self) -> None:
        """Go on with what was recovered, and begin to talk with the DPM."""
        for status in self._stale:
            # It was in progress for all who watch it.
            note_status(status)
            self._site.publish(STATUS_TOPIC, status)
        for acquisition in self.acquisitions():
            self._shown.show(acquisition.record.status)
            self._resume(acquisition)
        tell_faults(self._site, self._workspace.faults, REMEDY)
        self._site.keeps_accounts(self.dpm_link.accounts)
        self._keeping.start()
        self.dpm_link.start()
        self._note_activity()
        self._shown.tidy(among(lambda: [each.record.id for each in self.acquisitions()]))

    def close(self) -> None:
        """Stop watching; the acquisitions go on at the next start."""
        self.dpm_link.close()
        for acquisition in self.acquisitions():
            acquisition.record.close()
        with self._lock:
            beside, self._beside = self._beside, []
        for work in beside:
            work.join(_JOIN_S)
        self._keeping.close()
        self._shown.close()
        self._workspace.close()

    @property
    def is_active(self) -> bool:
        """Tell whether an acquisition is in progress."""
        return bool(self.in_progress())

    @property
    def problem(self) -> str:
        """What could not be written and is in memory only; empty: nothing."""
        return self._keeping.problem

    def acquisitions(self) -> list[Acquisition]:
        """Return those in progress, oldest first, and those whose end is not archived yet."""
        with self._lock:
            return list(self._active.values())

    def in_progress(self) -> list[Acquisition]:
        """Return those that have not ended, oldest first."""
        return [each for each in self.acquisitions() if not each.record.phase.is_final]

    def begin(self, plan: Plan) -> DaqReply:
        """Make an acquisition and start it.

        Raises:
            DaqException: Its id is taken, its time is past, it cannot be kept, or its start
                failed.
        """
        check_start_time(plan, self._site.clock.utc())
        # The id may be that of one whose end the disk has not taken yet.
        self._keeping.attend()
        acquisition = self._make(plan)
        if plan.unknown:
            told = unheard_of(acquisition.record.id, plan.unknown)
            log.warning("acquisition %s: %s", told.id, told.message)
            now, severity = self._site.clock.utc(), AlertSeverity.WARNING
            acquisition.record.set_alert(al.alert(al.PROPERTIES, told, now, severity))
        reply = acquisition.start()
        if acquisition.record.phase is Phase.ACQUIRING:
            self._watch(acquisition)
        self.dpm_link.nudge()
        return reply

    def stop(self, id: str, *, force: bool) -> DaqReply:
        """Stop an acquisition; see ``Acquisition.stop``."""
        reply = self.find(id).stop(force=force)
        self.dpm_link.nudge()
        return reply

    def find(self, id: str) -> Acquisition:
        """Return an acquisition in progress.

        Raises:
            DaqException: There is none of that id, or it has ended.
        """
        with self._lock:
            found = self._active.get(id)
        if found is not None:
            return found
        kept = self._archived(id)
        raise refusal(
            id,
            f"acquisition {id} has ended ({kept[0].state}/{kept[0].substate})",
            remedy="get_status shows what became of it",
        )

    def status(self, id: str) -> DaqStatus:
        """Return the status of an acquisition, in progress or archived.

        Raises:
            DaqException: There is none of that id.
        """
        with self._lock:
            found = self._active.get(id)
        if found is not None:
            return found.record.status
        return self._archived(id)[0]

    def story(self, id: str) -> DaqStory:
        """Tell everything about an acquisition, in progress or archived.

        Raises:
            DaqException: There is none of that id.
        """
        with self._lock:
            found = self._active.get(id)
        if found is not None:
            status, context = found.record.kept
        else:
            status, context = self._archived(id)
        return story_of(status, context, *self._teller.making(status, context))

    def await_phase(self, id: str, wanted: Phase, timeout_s: float) -> AwaitDaqReply:
        """Wait for a state of an acquisition.

        Raises:
            DaqException: There is none of that id, or it has ended without having
                been in the state.
        """
        with self._lock:
            found = self._active.get(id)
        if found is not None:
            return found.record.await_phase(wanted, timeout_s)
        status, context = self._archived(id)
        was_in = {(each.state, each.substate) for each in context.entered}
        if wanted.value not in was_in | {(status.state, status.substate)}:
            raise refusal(
                id,
                f"acquisition {id} has ended ({status.substate}) and never was in {wanted}",
                remedy="get_status shows what became of it",
            )
        return AwaitDaqReply(timeout=False, status=status)

    def adopt(self, news: DaqStatus) -> bool:
        """Take over what the DPM says of an acquisition; see ``Record.adopt``."""
        with self._lock:
            found = self._active.get(news.id)
        with log_owner(news.id):
            # The id may be that of another one by now.
            if found is not None and found.record.status.file_id == news.file_id:
                return found.record.adopt(news)
            return self._correct(news)

    def _archived(self, id: str) -> tuple[DaqStatus, Context]:
        try:
            kept = self._workspace.past.newest(id)
        except DamagedError as error:
            raise damaged(id, error) from error
        if kept is None:
            raise unknown(id)
        return kept

    def _correct(self, news: DaqStatus) -> bool:
        """Let the DPM's end stand of one that was aborted here by force; tell whether it does."""
        phase = phase_of(news.state, news.substate)
        if phase is None or not phase.is_final:
            return True
        try:
            kept = self._workspace.past.of_file_id(news.id, news.file_id)
            if kept is None or (kept[0].substate, kept[0].result) == (news.substate, news.result):
                return True
            log.warning("acquisition %s: the DPM says that it is %s", news.file_id, news.substate)
            news = replace(news, start_time=kept[0].start_time)
            self._workspace.past.correct(news)
        except OSError as error:
            log.error("acquisition %s cannot be corrected yet: %s", news.file_id, error)
            return False
        if self._is_newest(news):
            self._site.publish(STATUS_TOPIC, news)
        return True

    def _is_newest(self, told: DaqStatus) -> bool:
        """Tell whether ``status`` answers it: who watches its id wants no news of an older one."""
        try:
            return self.status(told.id).file_id == told.file_id
        except DaqException:
            return False

    def _make(self, plan: Plan) -> Acquisition:
        with self._lock:
            if plan.id and plan.id in self._active:
                raise taken(plan.id, has_ended=self._active[plan.id].record.phase.is_final)
            now = self._site.clock.utc()
            used = {each.record.status.file_id for each in self._active.values()}
            file_id = self._file_ids.next(now, used | set(self._active))
            check_prefix(plan.id, plan.file_prefix, file_id)
            context = new_context(plan, plan.id or file_id, file_id, self._site.name, now)
            record = Record(first_status(context), context, self._around)
            acquisition = self._active[record.id] = self._acquisition(record)
            self._beside = [each for each in self._beside if not each.is_over]
        self._register(acquisition)
        return acquisition

    def _acquisition(self, record: Record) -> Acquisition:
        rules = self._rules
        return Acquisition(
            record, self._site, self._handing, rules.source_timeout_s, rules.vocabulary
        )

    def _register(self, acquisition: Acquisition) -> None:
        """Keep and publish it before anything is asked of a source.

        Raises:
            DaqException: It cannot be kept; it does not exist then.
        """
        try:
            acquisition.record.begin(self._keeping.save_list)
        except OSError as error:
            with self._lock:
                self._active.pop(acquisition.record.id, None)
            # Nothing may be found of it at the next start, nor take room that others need.
            self._workspace.remove(acquisition.record.id)
            self._keeping.try_list()
            self._shown.forget(acquisition.record.id)
            raise not_kept(acquisition.record.id, error) from error
        self._note_activity()

    def _lay_to_rest(self, id: str) -> None:
        """Forget an acquisition that has ended, when it is in the archive."""
        with self._lock:
            found = self._active.get(id)
            is_archived = found is not None and found.record.is_kept
            if is_archived:
                del self._active[id]
        if is_archived:
            # If that fails the next start finds that it has ended.
            self._keeping.try_list()
            self._shown.forget(id)
        self._note_activity()

    def _publish(self, status: DaqStatus) -> None:
        note_status(status)
        self._site.publish(STATUS_TOPIC, status)
        self._shown.show(status)

    def _note_activity(self) -> None:
        self._shown.count(len(self.in_progress()))
        self._on_activity()

    def _watch(self, acquisition: Acquisition) -> None:
        self._run_beside(Watch(acquisition, self._site.clock, self.dpm_link.nudge))

    def _run_beside(self, work: Watch | Resumption) -> None:
        with self._lock:
            self._beside.append(work)
        work.start()

    def _resume(self, acquisition: Acquisition) -> None:
        """Go on where the process ended; a command that was half done is finished."""
        match acquisition.record.phase:
            case Phase.ACQUIRING:
                self._run_beside(Resumption(acquisition, self.dpm_link.nudge))
                self._watch(acquisition)
            case Phase.NOT_STARTED | Phase.STARTING | Phase.STOPPING | Phase.ABORTING:
                self._run_beside(Resumption(acquisition, self.dpm_link.nudge))
            case _:
                pass
