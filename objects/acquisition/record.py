"""The state of one acquisition: changed here only; each change is kept, published, noticed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from msgspec.structs import replace

from idl_like_interfaces.daqif import (
    AwaitDaqReply,
    DaqAlert,
    DaqException,
    DaqReply,
    DaqStatus,
)
from idl_like_interfaces.keywords import FitsKeyword
from idl_like_interfaces.waiting import News, block_for_news, wait_for_news
from objects.acquisition import alerts as al
from objects.acquisition.context import Context
from objects.acquisition.keywords import updated
from objects.acquisition.product import SourceResult
from objects.acquisition.refusals import refusal
from objects.acquisition.salvage import Kept
from objects.acquisition.states import TRANSITIONS, Phase, Trigger, phase_of, reachable
from objects.acquisition.store import Workspace
from objects.acquisition.story import past_alerts
from objects.acquisition.word import word_in, word_of
from objects.component.alert_texts import as_text
from objects.component.clock import Clock
from objects.component.loggers import STATE

log = logging.getLogger("daq.ocm.controller")
waits = logging.getLogger("daq.ocm.manager.awaitstate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a record needs.

    Attributes:
        clock: The time.
        workspace: Keeps it.
        publish: Tells everybody; never blocks.
        ended: Called when it has entered a final state; if the disk did not take that, so
            that it is not archived, once more when it is.
    """

    clock: Clock
    workspace: Workspace
    publish: Callable[[DaqStatus], None]
    ended: Callable[[str], None]


def first_status(context: Context) -> DaqStatus:
    """Return the status of an acquisition that begins."""
    return DaqStatus(
        id=context.id,
        file_id=context.file_id,
        state=Phase.NOT_STARTED.state,
        substate=Phase.NOT_STARTED.substate,
        timestamp=context.creation_time.timestamp(),
        start_time=context.plan.start_time,
    )


class Record:
    """One acquisition's state; may be used from any thread.

    All changes of one acquisition happen under one lock, which is held while the
    change is kept and published: so everybody sees them in the same order.
    """

    def __init__(self, status: DaqStatus, context: Context, around: Surroundings) -> None:
        self._status = status
        self._context = context
        self._around = around
        self._word = word_in(status, context)
        self._kept: Kept | None = None
        self._is_kept = True
        self._closed = False
        self._lock = threading.RLock()
        self._changes = News()

    @property
    def id(self) -> str:
        """Id of the acquisition."""
        return self._status.id

    @property
    def status(self) -> DaqStatus:
        """The status now."""
        return self._status

    @property
    def context(self) -> Context:
        """The inside now."""
        return self._context

    @property
    def kept(self) -> Kept:
        """The status and the inside of one moment."""
        with self._lock:
            return self._status, self._context

    @property
    def is_kept(self) -> bool:
        """Tell whether the disk has it as it is; at the end: the archive."""
        return self._is_kept

    @property
    def phase(self) -> Phase:
        """The state now."""
        return Phase((self._status.state, self._status.substate))

    @property
    def waiting(self) -> int:
        """How many wait for a state now."""
        return self._changes.waiting

    @property
    def is_closed(self) -> bool:
        """Tell whether the coordinator ends."""
        return self._closed

    @property
    def reply(self) -> DaqReply:
        """What a command answers."""
        return DaqReply(id=self.id, error=self._status.error)

    def begin(self, enlist: Callable[[], None]) -> None:
        """Keep and publish it for the first time.

        Args:
            enlist: Keeps that there is one more.

        Raises:
            OSError: It cannot be kept; nothing was published.
        """
        with self._changing():
            self._context = replace(self._context, entered=[self._status])
            self._save(self._status, self._context)
            enlist()
            self._tell()

    def move(self, trigger: Trigger) -> None:
        """Enter the state to which a trigger leads.

        Raises:
            ValueError: The trigger has no meaning in this state: a bug.
        """
        with self._changing():
            self._move(trigger)

    def move_if(self, triggers: Mapping[Phase, Trigger], alert: DaqAlert | None = None) -> bool:
        """Do the same as far as it is in a state for it still: the DPM's news may be faster.

        Args:
            triggers: What happens, by the state that it is in now; else nothing does.
            alert: Set together with it.

        Returns:
            Whether it has entered another state.
        """
        with self._changing():
            trigger = triggers.get(self.phase)
            if trigger is None:
                return False
            if alert is not None:
                alerts = al.with_alert(self._context.alerts, alert)
                self._context = replace(self._context, alerts=alerts)
            self._move(trigger)
            return True

    def adopt(self, news: DaqStatus, *, was_asked: bool = False) -> bool:
        """Take over what the DPM says, unless it is about the past or another product.

        Args:
            news: What it says.
            was_asked: It is an answer, not an event: its time does not matter, since the
                clock of the DPM may have been set back.

        Returns:
            False: it contradicts what is known, and seems to be older: ask.
        """
        phase = phase_of(news.state, news.substate)
        with self._changing():
            known = self._status
            if phase is None or not self._word.is_news(known, news, was_asked=was_asked):
                return not self._word.is_doubtful(known, news)
            self._word = word_of(news)
            self._context = replace(
                self._context, alerts=al.without_alert(self._context.alerts, al.DPM)
            )
            self._status = replace(self._status, result=news.result or self._status.result)
            if phase is self.phase:
                self._commit(news.timestamp)
            else:
                self._enter(phase, news.timestamp)
            return True

    def set_results(self, *results: SourceResult) -> None:
        """Note what sources do; that is not public, but whether the disk takes it is."""
        with self._lock:
            if self.phase.is_final:
                return
            before = self._status
            for result in results:
                known = self._context.with_result(result)
                self._context = replace(self._context, results=known)
            self._compose(self._status.timestamp)
            self._keep()
            if self._status != before:
                self._tell()

    def keep_again(self) -> None:
        """Keep what the disk did not take before, and publish that it has."""
        if self._is_kept:
            return
        with self._changing():
            before = self._status
            # Somebody may have kept it meanwhile, with a change.
            if not self._is_kept:
                self._keep()
            # The alert has gone, or tells of another fault of the disk.
            if self._status != before:
                self._tell()

    def set_keywords(self, new: list[FitsKeyword], check: Callable[[], None]) -> None:
        """Add or replace keywords, if it may be changed; ``check`` raises when not."""
        with self._lock:
            check()
            keywords = updated(self._context.keywords, new)
            self._context = replace(self._context, keywords=keywords)
            self._commit(self._now())

    def set_maybe_queued(self) -> None:
        """Note that the DPM may have it already."""
        with self._lock:
            if self.phase.is_final:
                return
            self._context = replace(self._context, maybe_queued=True)
            self._commit(self._now())

    def set_alert(self, alert: DaqAlert) -> bool:
        """Set an alert; the same again changes nothing; tell whether it is new.

        One that comes late, when the acquisition has ended, changes nothing either: that
        is archived and published, and its id may be in use again.
        """
        with self._lock:
            if self.phase.is_final:
                return False
            old = [each for each in self._context.alerts if each.id == alert.id]
            if old and replace(old[0], time=alert.time) == alert:
                return False
            self._set_alerts(al.with_alert(self._context.alerts, alert))
            return True

    def clear_alert(self, id: str) -> None:
        """Clear an alert that is set, unless the acquisition has ended."""
        with self._lock:
            if self.phase.is_final:
                return
            alerts = al.without_alert(self._context.alerts, id)
            if alerts != self._context.alerts:
                self._set_alerts(alerts)

    def await_phase(self, wanted: Phase, timeout_s: float) -> AwaitDaqReply:
        """Wait until a state is entered or cannot be entered any more.

        Raises:
            DaqException: The coordinator ends.
        """
        with self._lock:
            if self.phase is wanted:
                return AwaitDaqReply(timeout=False, status=self._status)
            # What it is in, and then what was entered since the last look.
            seen = max(len(self._context.entered) - 1, 0)

        def look() -> AwaitDaqReply | None:
            nonlocal seen
            with self._lock:
                answer = self._answer(wanted, seen)
                seen = len(self._context.entered)
            if answer is None and self._closed:
                raise self._coordinator_ends()
            if answer is None:
                return None
            waits.debug("%s: who waits for %s is told %s", self.id, wanted, answer.substate)
            return AwaitDaqReply(timeout=False, status=answer)

        def otherwise() -> AwaitDaqReply:
            waits.debug("%s: who waits for %s has waited in vain", self.id, wanted)
            return AwaitDaqReply(timeout=True, status=self._status)

        waits.debug("%s: somebody waits for %s, at most %g s", self.id, wanted, timeout_s)
        return wait_for_news(self._changes, look, otherwise, timeout_s)

    def has_left(self, phase: Phase, within_s: float) -> bool:
        """Wait until it is not in a state any more or the coordinator ends; tell whether."""

        def look() -> bool | None:
            return True if self.phase is not phase or self._closed else None

        return block_for_news(self._changes, look, bool, within_s)

    def close(self) -> None:
        """Let everybody go who waits."""
        self._closed = True
        self._changes.tell()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Change it under the lock; who waits is told when the lock is free."""
        try:
            with self._lock:
                yield
        finally:
            self._changes.tell()

    def _coordinator_ends(self) -> DaqException:
        return refusal(
            self.id,
            "the coordinator ends while it was waiting",
            remedy="ask again when it is back",
        )

    def _move(self, trigger: Trigger) -> None:
        phase = TRANSITIONS.get((self.phase, trigger))
        if phase is None:
            raise ValueError(f"acquisition {self.id}: {trigger!r} in {self.phase}")
        self._enter(phase, self._now())

    def _answer(self, wanted: Phase, seen: int) -> DaqStatus | None:
        """Look at what was entered since: the wanted state, or one that excludes it."""
        for status in self._context.entered[seen:]:
            phase = Phase((status.state, status.substate))
            if phase is wanted:
                return status
            if not reachable(phase, wanted):
                return self._status
        return None

    def _set_alerts(self, alerts: list[DaqAlert]) -> None:
        self._context = replace(self._context, alerts=alerts)
        self._commit(self._now())

    def _now(self) -> float:
        return self._around.clock.utc().timestamp()

    def _enter(self, phase: Phase, time_s: float) -> None:
        log.log(STATE, "acquisition %s: %s", self.id, phase)
        self._status = replace(self._status, state=phase.state, substate=phase.substate)
        self._commit(time_s, entered=True)

    def _commit(self, time_s: float, *, entered: bool = False) -> None:
        """Keep, publish and announce what has changed."""
        self._compose(time_s)
        if entered:
            known = self._context.entered
            # A kill between two files leaves the entry, and a state that is entered once more.
            if known and (known[-1].state, known[-1].substate) == self.phase.value:
                known = known[:-1]
            self._context = replace(self._context, entered=[*known, self._status])
        self._keep()
        self._tell()

    def _compose(self, time_s: float) -> None:
        self._status, self._context = self._composed(self._context, time_s)

    def _composed(self, context: Context, time_s: float) -> Kept:
        """Return what is public of it, and the inside with the alerts that are over."""
        alerts = [*context.alerts, *self._word.alerts]
        if alerts != self._status.alerts:
            past, time = context.past_alerts, self._around.clock.utc()
            known = past_alerts(past, self._status.alerts, alerts, time)
            context = replace(context, past_alerts=known)
        status = replace(
            self._status,
            timestamp=time_s,
            alerts=alerts,
            error=al.is_error(alerts) or self._word.error,
            message=as_text(alerts),
        )
        return status, context

    def _keep(self) -> None:
        """Keep it, at the end in the archive; as long as that cannot be, an alert says so."""
        # What is on disk never says that it is not there.
        relieved = al.without_alert(self._context.alerts, al.WORKSPACE)
        context = replace(self._context, alerts=relieved)
        status, context = self._composed(context, self._status.timestamp)
        try:
            self._save(status, context)
            if self.phase.is_final:
                self._around.workspace.archive(self.id)
        except OSError as error:
            self._note_unkept(error)
        else:
            if not self._is_kept:
                log.info("acquisition %s is kept again", self.id)
            self._status, self._context, self._is_kept = status, context, True

    def _save(self, status: DaqStatus, context: Context) -> None:
        kept, self._kept = self._kept, None
        self._around.workspace.save(status, context, kept)
        self._kept = (status, context)

    def _note_unkept(self, error: OSError) -> None:
        if self._is_kept:
            log.error("acquisition %s cannot be kept: %s", self.id, error)
        self._is_kept = False
        alerts = al.with_unkept(self._context.alerts, error, self._around.clock.utc())
        self._context = replace(self._context, alerts=alerts)
        self._compose(self._status.timestamp)

    def _tell(self) -> None:
        self._around.publish(self._status)
        if self.phase.is_final:
            self._around.ended(self.id)
