"""One acquisition: what its commands do at its sources and at the DPM."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TypeAlias

from msgspec.structs import replace

from idl_like_interfaces.clients.owner import log_owner
from idl_like_interfaces.daqif import AwaitDaqReply, DaqException, DaqReply
from idl_like_interfaces.keywords import FitsKeyword
from objects.acquisition import alerts as al
from objects.acquisition.bounds import check_update, too_much
from objects.acquisition.handing import Handing
from objects.acquisition.metadata_link import MetadataLink
from objects.acquisition.primary_link import PrimaryLink
from objects.acquisition.product import SourceResult, SourceState
from objects.acquisition.record import Record
from objects.acquisition.refusals import refusal
from objects.acquisition.rounds import Round
from objects.acquisition.sources import SourceFailure, SourceLink
from objects.acquisition.states import (
    AT_SOURCES,
    LEGAL,
    Command,
    Phase,
    Trigger,
    legal_phases,
)
from objects.acquisition.turn import TURN_S, Turn, TurnBusy, TurnLost, Urgency
from objects.acquisition.vocabulary import ANY, Vocabulary
from objects.component.site import Site

log = logging.getLogger("daq.ocm.controller")

_RUNNING = (SourceState.ACTIVE, SourceState.DOUBTFUL)
_Action: TypeAlias = Callable[[SourceLink, SourceResult], SourceResult]

_URGENCY = {
    Command.FORCE_STOP: Urgency.FORCE_STOP,
    Command.ABORT: Urgency.ABORT,
    Command.FORCE_ABORT: Urgency.FORCE_ABORT,
}


class Acquisition:
    """Executes the commands of one acquisition, one at a time.

    Whoever executes a command has the *turn*; another command waits for it, and its
    legality is judged when it comes and again when it has it. One that aborts ends the
    command that runs, and one that is forced does not wait for its sources either. The
    state may be read, keywords updated and the DPM's news adopted at any time.

    Args:
        record: Its state.
        site: Where its sources are found.
        handing: Speaks with the DPM.
        source_timeout_s: How long a source may take to answer a request.
        vocabulary: Which keywords a source may give.
    """

    def __init__(
        self,
        record: Record,
        site: Site,
        handing: Handing,
        source_timeout_s: float,
        vocabulary: Vocabulary = ANY,
    ) -> None:
        self.record = record
        self._site = site
        self._handing = handing
        self._turn = Turn()
        plan = record.context.plan
        self.primaries = [
            PrimaryLink(site, each, source_timeout_s, plan.start_time) for each in plan.primaries
        ]
        self.metadata = [
            MetadataLink(site, each, source_timeout_s, vocabulary) for each in plan.metadata
        ]

    def start(self) -> DaqReply:
        """Start the sources: those of metadata first, then the primary ones.

        Raises:
            DaqException: One did not start; all that did are aborted.
        """
        with self._turn_for("start"):
            if self.record.phase is not Phase.NOT_STARTED:
                raise self._aborted_meanwhile()
            self.record.move(Trigger.BEGIN)
            for group in (self.metadata, self.primaries):
                failures = self._do("start", group, lambda link, old: link.start(old))
                if failures:
                    raise self._give_up(failures)
            self.record.move(Trigger.ACKNOWLEDGED)
            if not self.primaries and not self.metadata:
                self._stop(Trigger.SOURCES_ENDED, force=False)
            return self.record.reply

    def stop(self, *, force: bool) -> DaqReply:
        """Stop the sources, primary ones first, and collect what they made.

        Raises:
            DaqException: Not legal now, or, without force, all sources failed.
        """
        with self._turn_for(Command.FORCE_STOP if force else Command.STOP):
            return self._stop(Trigger.STOP, force=force)

    def abort(self, *, force: bool) -> DaqReply:
        """Abort it, wherever it is.

        Raises:
            DaqException: Not legal now, or, without force, somebody did not obey.
        """
        with self._turn_for(Command.FORCE_ABORT if force else Command.ABORT):
            if self.record.phase in AT_SOURCES:
                self._abort_at_sources(force=force)
            else:
                self._handing.abort(self.record, force=force)
            return self.record.reply

    def update_keywords(self, keywords: list[FitsKeyword]) -> DaqReply:
        """Add or replace keywords of the product.

        Raises:
            DaqException: Not legal now, or they become too many.
        """
        with log_owner(self.record.id):
            self.record.set_keywords(keywords, partial(self._check_update, keywords))
            return self.record.reply

    def retry_merge(self) -> None:
        """Let it go on at the DPM.

        Raises:
            DaqException: Not legal now, or the DPM refuses or cannot be reached.
        """
        with self._turn_for(Command.RETRY_MERGE):
            if self.record.phase is not Phase.NOT_SCHEDULED:
                self._handing.retry(self.record)
                return
            self._handing.queue(self.record)
            if self.record.phase is Phase.NOT_SCHEDULED:
                raise refusal(
                    self.record.id,
                    f"acquisition {self.record.id} could not be queued: {self.record.status.message}",
                    remedy="see the status; it is tried again by itself",
                )

    def await_phase(self, wanted: Phase, timeout_s: float) -> AwaitDaqReply:
        """Wait for a state; see ``Record.await_phase``."""
        return self.record.await_phase(wanted, timeout_s)

    def queue(self) -> bool:
        """Hand it to the DPM when that is what it waits for; tell whether that is there."""
        with self._turn_for("queue"):
            if self.record.phase is Phase.STOPPED:
                self.record.move(Trigger.HAND_OVER)
            return self.record.phase is not Phase.NOT_SCHEDULED or self._handing.queue(self.record)

    def resume(self) -> None:
        """Finish the command in whose middle the coordinator ended.

        A stop and an abort go on. A start cannot: whether all sources have begun is not
        known, so it has failed, and what may have begun is aborted.

        Raises:
            DaqException: A source did not obey: it stays where it is, for a command.
        """
        with self._turn_for("resume"):
            match self.record.phase:
                case Phase.NOT_STARTED | Phase.STARTING:
                    self._note_cut_short()
                    self._doubt([link for link in self._everybody if self._is_waiting(link)])
                    self._abort_at_sources(force=False)
                case Phase.ABORTING:
                    self._abort_at_sources(force=False)
                case Phase.STOPPING:
                    self._stop(Trigger.STOP, force=False)
                case Phase.ACQUIRING if self._have_ended():
                    # The end of the last one was kept, and the stop that follows had not begun.
                    self._stop(Trigger.SOURCES_ENDED, force=False)
                case _:
                    pass

    def _have_ended(self) -> bool:
        """Tell whether nothing is left that could end by itself, and something has."""
        states = [self._result(link).state for link in self.primaries]
        ended = all(state in (SourceState.ENDED, SourceState.FAILED) for state in states)
        return ended and bool(self.primaries or not self.metadata)

    def _note_cut_short(self) -> None:
        told = refusal(
            self.record.id,
            f"the coordinator ended in {self.record.phase.substate}",
            cause="it was restarted while the acquisition was being started",
            remedy="start another one; this one is aborted",
        )
        self.record.set_alert(al.alert(al.RESTART, told, self._site.clock.utc()))

    def note_fault(self, id: str, what: str, error: Exception, remedy: str) -> None:
        """Set an alert of a fault of our own, after which something goes on by command only."""
        told = refusal(
            self.record.id,
            f"{what}: {type(error).__name__}: {error}",
            cause="a fault of the coordinator, see its log",
            remedy=remedy,
        )
        self.record.set_alert(al.alert(id, told, self._site.clock.utc()))

    def refresh(self) -> None:
        """Ask the DPM how it is."""
        self._handing.refresh(self.record)

    def note_end(self, result: SourceResult, failure: SourceFailure | None = None) -> None:
        """Note the end of a primary source; after the last one all is stopped."""
        with self._turn_for("automatic stop"):
            if self.record.phase is not Phase.ACQUIRING:
                return
            self.record.set_results(result)
            if failure is not None:
                self._complain(result.source_name, "stop", failure)
            if self._have_ended():
                log.info("acquisition %s: all primary sources have ended", self.record.id)
                self._stop(Trigger.SOURCES_ENDED, force=False)

    @contextmanager
    def _turn_for(self, command: Command | str) -> Iterator[None]:
        urgency = Urgency.USUAL
        if isinstance(command, Command):
            # What is not legal now must not disturb, or wait for, the command that runs.
            self._check_legal(command)
            urgency = _URGENCY.get(command, Urgency.USUAL)
        try:
            with self._turn.taken(urgency), log_owner(self.record.id):
                if isinstance(command, Command):
                    self._check_legal(command)
                yield
        except TurnBusy as busy:
            raise refusal(
                self.record.id,
                f"acquisition {self.record.id} is busy with another command since {TURN_S:.0f} s",
                cause="a source or the DPM does not answer",
                remedy="repeat the command, or give a forced one, which does not wait",
            ) from busy

    def _check_legal(self, command: Command) -> None:
        phase = self.record.phase
        if phase not in LEGAL[command]:
            what = "has ended" if phase.is_final else "is"
            raise refusal(
                self.record.id,
                f"{command} is not possible: acquisition {self.record.id} {what} ({phase})",
                remedy=f"it is possible in {legal_phases(command)}",
            )

    def _stop(self, trigger: Trigger, *, force: bool) -> DaqReply:
        if self.record.phase is Phase.ACQUIRING:
            self.record.move(trigger)
        failures = self._stop_sources(force=force)
        if failures and not force:
            if len(self._not_ended(self._everybody)) == len(self._everybody):
                raise self._refusal("no source could be stopped", failures)
            return self.record.reply
        self.record.set_results(
            *(
                replace(self._result(link), state=SourceState.FAILED)
                for link in self._not_ended(self._everybody)
            )
        )
        # It may tell of an earlier attempt; of a start that was cut short no stop comes.
        self.record.clear_alert(al.RESTART)
        self.record.move(Trigger.STOPPED)
        self.record.move(Trigger.HAND_OVER)
        return self.record.reply

    def _stop_sources(self, *, force: bool) -> dict[str, SourceFailure]:
        """Stop the primary sources, then the metadata sources, which cover their whole recording."""

        def stop(links: Sequence[SourceLink]) -> dict[str, SourceFailure]:
            return self._do("stop", self._not_ended(links), lambda link, old: link.stop(old))

        failures = stop(self.primaries)
        running = [link.name for link in self.primaries if self._result(link).state in _RUNNING]
        if running and self.metadata and not force:
            text = "acquisition %s: the metadata sources go on, since %s may record still"
            log.warning(text, self.record.id, ", ".join(running))
            return failures
        return {**failures, **stop(self.metadata)}

    def _abort_at_sources(self, *, force: bool) -> None:
        if self.record.phase is not Phase.ABORTING:
            self.record.move(Trigger.ABORT)
        failures = self._abort_sources()
        if failures and not force:
            raise self._refusal("not all sources could be aborted", failures)
        self.record.move(Trigger.ABORTED)

    def _abort_sources(self) -> dict[str, SourceFailure]:
        running = [link for link in self._everybody if self._result(link).state in _RUNNING]
        return self._do("abort", running, lambda link, old: link.abort(old))

    def _give_up(self, failures: Mapping[str, SourceFailure]) -> DaqException:
        """Abort what was started and say why the start failed."""
        self.record.move(Trigger.START_FAILED)
        disobedient = self._abort_sources()
        if not disobedient:
            self.record.move(Trigger.ABORTED)
            return self._refusal("the start failed and everything was aborted", failures)
        names = ", ".join(disobedient)
        return self._refusal(f"the start failed, and {names} could not be aborted", failures)

    def _do(
        self, request: str, links: Sequence[SourceLink], action: _Action
    ) -> dict[str, SourceFailure]:
        """Ask several sources at once and note what they do now."""
        if not links:
            return {}
        asked = Round(
            links,
            lambda link: action(link, self._result(link)),
            self._abort_late if request == "start" else _pass_over,
        )
        try:
            results, failures = self._turn.run(asked)
        except TurnLost as lost:
            self._note(request, lost.results, lost.failures)
            if request == "start" and asked.is_given_up:
                self._doubt([link for link in links if self._is_waiting(link)])
            raise self._lost_turn(lost) from lost
        failures |= too_much(self.record.context, results)
        results = [each for each in results if each.source_name not in failures]
        self._note(request, results, failures)
        return failures

    def _check_update(self, keywords: list[FitsKeyword]) -> None:
        self._check_legal(Command.UPDATE_KEYWORDS)
        check_update(self.record.context, keywords)

    def _note(
        self, request: str, results: list[SourceResult], failures: Mapping[str, SourceFailure]
    ) -> None:
        failed = [
            replace(self.record.context.result_of(name), state=failure.state)
            for name, failure in failures.items()
        ]
        self.record.set_results(*results, *failed)
        for name, failure in failures.items():
            self._complain(name, request, failure)
        for result in results:
            self._relieve(result.source_name)

    def _doubt(self, links: Sequence[SourceLink]) -> None:
        """Note that sources may have been started."""
        doubtful = (replace(self._result(link), state=SourceState.DOUBTFUL) for link in links)
        self.record.set_results(*doubtful)

    def _abort_late(self, link: SourceLink, result: SourceResult) -> None:
        """End what a source has started after nobody waited for it any more."""
        log.warning("acquisition %s: source %s has started late", self.record.id, link.name)
        link.abort(result)

    def _complain(self, name: str, request: str, failure: SourceFailure) -> None:
        log.warning("acquisition %s: %s", self.record.id, failure.reason.message)
        id = al.of_source(name, request)
        self.record.set_alert(al.alert(id, failure.reason, self._site.clock.utc()))

    def _relieve(self, name: str) -> None:
        # The alert of a failed start stays: it says why the acquisition was aborted.
        for request in ("stop", "abort", "wait"):
            self.record.clear_alert(al.of_source(name, request))

    def _aborted_meanwhile(self) -> DaqException:
        return refusal(
            self.record.id,
            f"acquisition {self.record.id} was aborted before it began",
            remedy="start another one",
        )

    def _lost_turn(self, lost: TurnLost) -> DaqException:
        wanted = lost.wanted.name.lower()
        return refusal(
            self.record.id,
            f"acquisition {self.record.id} ({self.record.phase}): the command was given up",
            cause=f"another one was wanted meanwhile ({wanted}_daq)",
            remedy="see its status",
        )

    @property
    def _everybody(self) -> list[SourceLink]:
        return [*self.primaries, *self.metadata]

    def _is_waiting(self, link: SourceLink) -> bool:
        return self._result(link).state is SourceState.WAITING

    def _result(self, link: SourceLink) -> SourceResult:
        return self.record.context.result_of(link.name)

    def _not_ended(self, links: Sequence[SourceLink]) -> list[SourceLink]:
        return [link for link in links if self._result(link).state is not SourceState.ENDED]

    def _refusal(self, what: str, failures: Mapping[str, SourceFailure]) -> DaqException:
        reasons = [failure.reason for failure in failures.values()]
        return refusal(
            self.record.id,
            f"acquisition {self.record.id} ({self.record.phase}): {what}:"
            f" {'; '.join(reason.message for reason in reasons)}",
            cause="; ".join(dict.fromkeys(reason.cause for reason in reasons if reason.cause)),
            remedy="; ".join(dict.fromkeys(reason.remedy for reason in reasons if reason.remedy)),
        )


def _pass_over(_: SourceLink, __: SourceResult) -> None:
    """Do nothing about a late answer: the source is asked again by the next command."""
