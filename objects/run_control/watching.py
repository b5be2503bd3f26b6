"""An active run, once a second: how its writers stand, whether it pauses, what is noted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from idl_like_interfaces.event_logger import GapNote
from idl_like_interfaces.run_configuration import Writer
from idl_like_interfaces.run_control import Phase, WriterPhase
from objects.run_control.entry import OpenRun
from objects.run_control.links import STATUS_S, Seen
from objects.run_control.pausing import decide, missing_fraction
from objects.run_control.records import (
    RunRecord,
    entered,
    noted,
    totalled,
    with_accepted,
    with_writer,
    with_writers,
)
from objects.run_control.samples import Sample, Thinner, WriterSample
from objects.run_control.surroundings import Surroundings, lost_alarm, lost_name
from objects.run_control.together import Outcome, together

_TAKING_PART = frozenset({WriterPhase.ACTIVE, WriterPhase.PAUSED, WriterPhase.LOST})
_GONE_AFTER = 3
"""So often in a row a writer must say that it does not have the run."""

_MOST_GAPS = 100


class Watching:
    """Watches one run.

    Args:
        run: The run.
        around: What it needs.
        stop: Set when run control ends.
    """

    def __init__(self, run: OpenRun, around: Surroundings, stop: threading.Event) -> None:
        self._run = run
        self._around = around
        self._stop = stop
        self._clock = around.site.clock
        self._silent_since: dict[str, float] = {}
        self._gone: dict[str, int] = {}
        self._sampled_at = float("-inf")
        self._thinner = Thinner(*around.store.sampling(run.record.number))

    def look(self) -> None:
        """Do one round."""
        self._pause_or_resume()
        outcomes = self._ask()
        if self._stop.is_set() or self._run.record.phase not in {Phase.ACTIVE, Phase.PAUSED}:
            return
        seen = {name: each.value for name, each in outcomes.items() if each.value is not None}
        self._enter_counters(seen)
        self._follow(seen, outcomes)
        self._command(seen)
        self._check_gaps()
        self._sample(seen)

    def _writers(self) -> list[Writer]:
        members = self._run.record.members()
        return [writer for writer, state in members if state.phase in _TAKING_PART]

    def _ask(self) -> dict[str, Outcome[Seen]]:
        number = self._run.record.number

        def asker(writer: Writer) -> Callable[[], Seen]:
            link = self._around.link(writer)
            return lambda: link.look(writer, number)

        asked = {each.name: asker(each) for each in self._writers()}
        return together(asked, time.monotonic() + STATUS_S)

    def _pause_or_resume(self) -> None:
        causes = self._around.causes(self._run.record)
        if decide(self._run.record, causes) is None:
            return
        now = self._clock.utc()

        def change(record: RunRecord) -> RunRecord:
            turn = decide(record, causes)  # an operator may have paused or resumed it meanwhile
            if turn is None:
                return record
            changed = entered(record, turn.phase, now, pause_reason=turn.reason)
            return noted(replace(changed, causes=list(turn.causes)), turn.note, now)

        self._run.change(change)

    def _enter_counters(self, seen: dict[str, Seen]) -> None:
        now = self._clock.utc()
        counters = {
            name: {
                "events": each.events,
                "bytes": each.bytes,
                "events_s": each.events_s,
                "bytes_s": each.bytes_s,
                "gap_count": each.gap_count,
            }
            for name, each in seen.items()
            if not each.is_gone
        }
        accepted = {name: each.events for name, each in seen.items() if not each.is_gone}
        gaps = _latest(gap for each in seen.values() for gap in each.gaps)

        def change(record: RunRecord) -> RunRecord:
            changed = with_accepted(with_writers(record, counters, now), accepted)
            return replace(changed, run=replace(changed.run, gaps=gaps or record.run.gaps))

        before = self._run.record.run.gap_count
        self._run.touch(change)
        more = totalled(self._run.record.run).gap_count - before
        if more > 0:
            self._run.change(lambda old: noted(old, f"{more} messages never came", now))

    def _follow(self, seen: dict[str, Seen], outcomes: dict[str, Outcome[Seen]]) -> None:
        """Enter who is lost, who has come back, and who does not have the run any more."""
        for writer in self._writers():
            outcome = outcomes.get(writer.name)
            if outcome is None:
                continue
            found = seen.get(writer.name)
            if found is None:
                self._miss(writer, outcome.error)
            elif found.is_gone:
                self._miss_run(writer, found.is_gone)
            else:
                self._find(writer, found)

    def _miss(self, writer: Writer, problem: str) -> None:
        now_s = self._clock.monotonic()
        since = self._silent_since.setdefault(writer.name, now_s)
        state = self._run.record.writer(writer.name)
        if state.phase is WriterPhase.LOST or now_s - since < self._around.lost_after_s:
            return
        self._enter(writer, WriterPhase.LOST, problem, f"{writer.name} does not answer: {problem}")
        alarm = lost_alarm(self._around.site, self._run.record.number, writer, problem)
        self._around.site.raise_alarm(alarm)

    def _miss_run(self, writer: Writer, why: str) -> None:
        self._gone[writer.name] = self._gone.get(writer.name, 0) + 1
        if self._gone[writer.name] < _GONE_AFTER:
            return
        self._enter(writer, WriterPhase.FAILED, why, f"{writer.name} has left the run: {why}")
        if writer.is_essential:
            self._abort(f"{writer.name} has left the run: {why}")

    def _find(self, writer: Writer, found: Seen) -> None:
        self._silent_since.pop(writer.name, None)
        self._gone.pop(writer.name, None)
        state = self._run.record.writer(writer.name)
        phase = WriterPhase.PAUSED if found.is_paused else WriterPhase.ACTIVE
        if state.phase is WriterPhase.LOST:
            self._around.site.clear_alarm(lost_name(writer.name), f"{self._around.site.root}/run")
            self._enter(writer, phase, found.problem, f"{writer.name} is back")
        elif state.phase is not phase or state.problem != found.problem:
            note = f"{writer.name}: {found.problem}" if found.problem else ""
            self._enter(writer, phase, found.problem, note)

    def _enter(self, writer: Writer, phase: WriterPhase, problem: str, note: str) -> None:
        now = self._clock.utc()

        def change(record: RunRecord) -> RunRecord:
            if record.phase not in {Phase.ACTIVE, Phase.PAUSED}:
                return record
            changed = with_writer(record, writer.name, now, phase=phase, problem=problem)
            return noted(changed, note, now) if note else changed

        self._run.change(change)

    def _command(self, seen: dict[str, Seen]) -> None:
        """Bring writers to the state of the run: also one that was restarted meanwhile."""
        record = self._run.record
        wants_pause = record.phase is Phase.PAUSED
        wrong = [
            writer
            for writer in self._writers()
            if (found := seen.get(writer.name)) is not None
            and not found.is_gone
            and self._around.link(writer).can_pause
            and found.is_paused != wants_pause
        ]
        actions = {each.name: self._commander(each, record, pause=wants_pause) for each in wrong}
        outcomes = together(actions, time.monotonic() + STATUS_S)
        done = WriterPhase.PAUSED if wants_pause else WriterPhase.ACTIVE
        for writer in wrong:
            error = outcomes[writer.name].error
            before = self._run.record.writer(writer.name)
            phase = before.phase if error else done
            if (phase, error) != (before.phase, before.problem):
                self._enter(writer, phase, error, f"{writer.name}: {error}" if error else "")

    def _commander(self, writer: Writer, record: RunRecord, *, pause: bool) -> Callable[[], None]:
        link, fence = self._around.link(writer), self._around.fence()
        if pause:
            return lambda: link.pause(record.number, record.run.pause_reason, fence)
        return lambda: link.resume(record.number, fence)

    def _check_gaps(self) -> None:
        record = self._run.record
        missing, most = missing_fraction(record), record.configuration.most_missing
        if missing > most:
            self._abort(
                f"{missing:.2%} of its messages are missing ({record.run.gap_count}), "
                f"{most:.2%} are the most"
            )

    def _abort(self, reason: str) -> None:
        now = self._clock.utc()

        def change(record: RunRecord) -> RunRecord:
            if record.phase not in {Phase.ACTIVE, Phase.PAUSED}:
                return record
            told = noted(record, f"aborted by itself: {reason}", now)
            return replace(entered(told, Phase.ABORTING, now), reason=reason)

        self._run.change(change)

    def _sample(self, seen: dict[str, Seen]) -> None:
        now_s = self._clock.monotonic()
        if now_s - self._sampled_at < 1.0 or not self._thinner.wants():
            return
        self._sampled_at = now_s
        record, store = self._run.record, self._around.store
        sample = Sample(
            time=self._clock.utc(),
            writers={each.name: _of(seen.get(each.name)) for each in self._writers()},
            is_paused=record.phase is Phase.PAUSED,
            alarms=len(self._around.causes(record)),
        )
        store.add_sample(record.number, self._thinner.stride, sample)
        if self._thinner.is_full:
            self._thinner.halve(store.thin_samples(record.number))


def _of(seen: Seen | None) -> WriterSample:
    if seen is None:
        return WriterSample(is_lost=True)
    return WriterSample(
        events=seen.events,
        bytes=seen.bytes,
        events_s=seen.events_s,
        bytes_s=seen.bytes_s,
        gaps=seen.gap_count,
        queued=seen.queued,
    )


def _latest(gaps: Iterable[GapNote]) -> list[GapNote]:
    return sorted(gaps, key=lambda each: each.time)[-_MOST_GAPS:]
