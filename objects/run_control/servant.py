"""The servant of run control: thin; who may command, what is legal, then the office does it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace
from typing_extensions import override

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.event_logger import NoSuchRun
from idl_like_interfaces.mapping.context import current_caller
from idl_like_interfaces.run_configuration import RunBegin, RunConfiguration, RunEnd
from idl_like_interfaces.run_control import (
    CONTROL_TOPIC,
    Control,
    LogbookEntry,
    Member,
    Orders,
    Phase,
    Run,
    RunControl,
    RunControlStatus,
    RunRefused,
    WriterPhase,
)
from objects.run_control.conditions import Cause
from objects.run_control.enrolment import Enrolment, orders_for
from objects.run_control.graph import check_configuration, depths_of
from objects.run_control.lease import Lease
from objects.run_control.links import WriterLink
from objects.run_control.logbook import Logbook
from objects.run_control.office import RunOffice
from objects.run_control.phases import Order, next_phase
from objects.run_control.preparing import check_start, prepare_all, refusal
from objects.run_control.records import RunRecord, briefly, entered, noted
from objects.run_control.store import RunStore
from objects.run_control.surroundings import Surroundings

CONFIGURATION, INITIALIZED = "configuration", "initialized"
MOST_RUNS = 10_000
LONGEST_REQUEST = 255
_PAUSE_S = 10.0
_SETTLE_S = 10.0
_NUMBERED = 2**32

_TO_PAUSE = frozenset({WriterPhase.ACTIVE, WriterPhase.PAUSED})


class RunControlServant(RunControl):
    """Run control over its store; any thread may call it.

    Args:
        around: Site, store and links.
        office: The runs.
        lease: Who has control.
        enrolment: The members.
        logbook: The logbook.
        conditions: Returns all conditions that would pause any run, in words.
        heard: Called when the members' wishes may have changed.
    """

    def __init__(
        self,
        around: Surroundings,
        office: RunOffice,
        lease: Lease,
        enrolment: Enrolment,
        logbook: Logbook,
        conditions: Callable[[], list[str]],
        heard: Callable[[list[Member]], None],
    ) -> None:
        self._around = around
        self._office = office
        self._lease = lease
        self._enrolment = enrolment
        self._logbook = logbook
        self._conditions = conditions
        self._heard = heard
        self._store: RunStore = around.store
        self._turn = threading.Lock()
        """Configurations and starts, one after the other."""
        self._holding = threading.Lock()
        self._configuration = self._store.value(CONFIGURATION, RunConfiguration)
        self._initialized = self._store.value(INITIALIZED, list[str]) or []

    @property
    def fence(self) -> int:
        """The newest fence."""
        return self._lease.fence

    @override
    def take_control(
        self, operator: str, place: str = "", term_s: float = 15.0, is_forced: bool = False
    ) -> Control:
        identity = current_caller().identity
        holder = ": ".join(filter(None, [identity, operator if operator != identity else ""]))
        with self._holding:
            taken = self._lease.take(holder, place, term_s, is_forced=is_forced)
        self._around.site.publish(CONTROL_TOPIC, replace(taken, token=""))
        return taken

    @override
    def renew_control(self, token: str) -> Control:
        with self._holding:
            return self._lease.renew(token)

    @override
    def release_control(self, token: str) -> None:
        with self._holding:
            released = self._lease.release(token)
            shown = self._lease.shown()
        if released:
            self._around.site.publish(CONTROL_TOPIC, shown)

    @override
    def configure(self, token: str, configuration: RunConfiguration) -> RunControlStatus:
        return self._prepare(token, configuration, configure=True)

    @override
    def init(self, token: str, configuration: RunConfiguration) -> RunControlStatus:
        return self._prepare(token, configuration, configure=False)

    def _prepare(
        self, token: str, configuration: RunConfiguration, *, configure: bool
    ) -> RunControlStatus:
        self._command(token)
        check_configuration(configuration)
        with self._turn:
            prepare_all(configuration, self._link, self.fence, configure=configure)
            self._initialized = [each.name for each in configuration.writers]
            self._store.put_value(INITIALIZED, self._initialized)
            if configure:
                self._store.put_value(CONFIGURATION, configuration)
                self._configuration = configuration
        return self.get_status()

    @property
    def _link(self) -> Callable[..., WriterLink]:
        return self._around.link

    @override
    def start(self, token: str, begin: RunBegin, request: str) -> Run:
        if not request or len(request) > LONGEST_REQUEST:
            raise BadParam(
                "request: an id of the command is needed, at most 255 characters",
                field="request",
                remedy="make one for each run, e.g. a UUID",
            )
        by = self._command(token)
        with self._turn:
            record = self._office.find_request(request)
            if record is None:
                record = self._begin(begin, request, by)
        configuration = record.configuration
        levels = 1 + max(depths_of(configuration.writers).values())
        most_s = levels * (configuration.start_timeout_s + configuration.end_timeout_s)
        return self._office.wait(record.number, _has_started, most_s).run

    def _begin(self, begin: RunBegin, request: str, by: str) -> RunRecord:
        configuration = self._configuration
        if configuration is None:
            raise refusal("start", ["run control is not configured (obsorb run configure FILE)"])
        check_start(configuration, self._link, self._office.next_run, self._office.active())
        return self._office.begin(begin, configuration, request, by)

    @override
    def end(self, token: str, run: int, end: RunEnd) -> Run:
        by = self._command(token)

        def change(record: RunRecord) -> RunRecord:
            told = noted(
                record, f"end, {end.quality.value}: {end.comment or 'no comment'}", self._now(), by
            )
            return replace(told, run=replace(told.run, end=end), ended_by=by)

        return self._finish(run, Order.END, change)

    @override
    def abort(self, token: str, run: int, reason: str) -> Run:
        by = self._command(token)

        def change(record: RunRecord) -> RunRecord:
            told = noted(record, f"abort: {reason or 'no reason'}", self._now(), by)
            return replace(told, reason=reason or "by command", ended_by=by)

        return self._finish(run, Order.ABORT, change)

    def _finish(self, run: int, order: Order, add: Callable[[RunRecord], RunRecord]) -> Run:
        record = self._order(run, order, add)
        levels = 1 + max(depths_of(record.configuration.writers).values())
        most_s = levels * record.configuration.end_timeout_s + _SETTLE_S
        return self._office.wait(run, lambda each: each.is_settled, most_s).run

    @override
    def pause(self, token: str, run: int, reason: str) -> Run:
        by = self._command(token)

        def change(record: RunRecord) -> RunRecord:
            told = noted(record, f"pause: {reason or 'no reason'}", self._now(), by)
            said = reason or "by command"
            return replace(told, run=replace(told.run, pause_reason=said), causes=[])

        self._order(run, Order.PAUSE, change)
        return self._office.wait(run, _obeys, _PAUSE_S).run

    @override
    def resume(self, token: str, run: int) -> Run:
        by = self._command(token)

        def change(record: RunRecord) -> RunRecord:
            self._check_no_causes(run, self._around.causes(record))
            told = noted(record, "resume", self._now(), by)
            return replace(told, run=replace(told.run, pause_reason=""), causes=[])

        self._order(run, Order.RESUME, change)
        return self._office.wait(run, _obeys, _PAUSE_S).run

    def _order(self, run: int, order: Order, add: Callable[[RunRecord], RunRecord]) -> RunRecord:
        """Enter an order; one that has taken effect already changes nothing."""

        def change(record: RunRecord) -> RunRecord:
            phase = next_phase(order, record.phase, run)
            if phase is record.phase:  # who pauses a run that would go on by itself holds it
                return add(record) if order is Order.PAUSE and record.causes else record
            return entered(add(record), phase, self._now())

        changed = self._office.change(run, change) if 0 < run < _NUMBERED else None
        if changed is not None:
            return changed
        settled = self._known(run)
        next_phase(order, settled.phase, run)
        return settled

    @staticmethod
    def _check_no_causes(run: int, causes: list[Cause]) -> None:
        if causes:
            reasons = [each.text for each in causes]
            raise RunRefused(
                f"run {run} cannot be resumed: {'; '.join(reasons)}",
                cause="a condition that pauses runs still holds",
                remedy="put it right, or acknowledge the alarm (obsorb alarms ack) when it may be "
                "passed over; then resume",
                command=Order.RESUME.value,
                reasons=reasons,
            )

    @override
    def get_status(self) -> RunControlStatus:
        with self._holding:
            control = self._lease.shown()
        return RunControlStatus(
            control=control,
            configuration=self._configuration,
            initialized=list(self._initialized),
            active=[each.run for each in self._office.active()],
            last_run=self._office.last_run,
            members=self._enrolment.present(),
            pause_conditions=self._conditions(),
            problem=self._office.problem,
        )

    @override
    def get_run(self, run: int) -> Run:
        return self._known(run).run

    @override
    def get_configuration(self, run: int) -> RunConfiguration:
        return self._known(run).configuration

    @override
    def list_runs(self, limit: int = 100, before: int = 0) -> list[Run]:
        if not 1 <= limit <= MOST_RUNS:
            raise BadParam(
                f"limit: {limit} is not 1 to {MOST_RUNS}", field="limit", remedy="ask for fewer"
            )
        if not 0 <= before < _NUMBERED:
            raise BadParam(
                f"before: {before} is no run number", field="before", remedy="0: the newest"
            )
        found = self._store.newest(limit, before)
        newest = [self._office.find(each.number) or each for each in found]
        return [briefly(each.run) for each in newest]

    @override
    def get_logbook(self, limit: int = 100) -> list[LogbookEntry]:
        return self._logbook.latest(limit)

    @override
    def enroll(self, member: Member) -> Orders:
        before = self._enrolment.take(member)
        if before is None or before.pause_wish != member.pause_wish:
            self._heard(self._enrolment.present())
        return orders_for(member, self._office.find, self.fence)

    def _command(self, token: str) -> str:
        """Return who commands.

        Raises:
            NotInControl: The token is not that of the lease.
        """
        with self._holding:
            return self._lease.check(token)

    def _known(self, run: int) -> RunRecord:
        found = self._office.find(run) if 0 < run < _NUMBERED else None
        if found is None:
            raise NoSuchRun(
                f"there is no run {run}",
                cause=f"the newest is {self._office.last_run}",
                remedy="see obsorb run list",
                run=run,
            )
        return found

    def _now(self) -> datetime:
        return self._around.site.clock.utc()


def _has_started(record: RunRecord) -> bool:
    if record.phase is Phase.ABORTED:
        return record.is_settled
    return record.phase not in {Phase.STARTING, Phase.ABORTING}


def _obeys(record: RunRecord) -> bool:
    """Tell whether all writers that answer have followed the run's state."""
    if record.phase not in {Phase.ACTIVE, Phase.PAUSED}:
        return True
    wanted = WriterPhase.PAUSED if record.phase is Phase.PAUSED else WriterPhase.ACTIVE
    return all(
        state.phase is wanted or state.phase not in _TO_PAUSE or writer.kind != "logger"
        for writer, state in record.members()
    )
