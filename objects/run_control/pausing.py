"""Whether a run pauses by itself now, or goes on by itself (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from idl_like_interfaces.run_control import Phase
from objects.run_control.conditions import Cause
from objects.run_control.records import RunRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What becomes of a run.

    Attributes:
        phase: Active or paused.
        reason: Why it is paused.
        causes: Keys of the conditions at whose end it goes on by itself.
        note: What to note.
    """

    phase: Phase
    reason: str = ""
    causes: tuple[str, ...] = ()
    note: str


def decide(record: RunRecord, causes: Sequence[Cause]) -> Turn | None:
    """Return what conditions make of an active or paused run; None: nothing."""
    keys = {each.key for each in causes}
    if record.phase is Phase.ACTIVE and causes:
        reason = "; ".join(each.text for each in causes)
        return Turn(
            phase=Phase.PAUSED,
            reason=reason,
            causes=tuple(each.key for each in causes) if _all_resume(causes) else (),
            note=f"paused by itself: {reason}",
        )
    if record.phase is not Phase.PAUSED or not record.causes:
        return None
    if not causes:
        return Turn(phase=Phase.ACTIVE, note="resumed by itself: the condition is over")
    if not _all_resume(causes):
        # Somebody has to look after it: that it goes on by itself is over.
        reason = "; ".join(each.text for each in causes)
        return Turn(phase=Phase.PAUSED, reason=reason, note=f"stays paused: {reason}")
    if keys != set(record.causes):
        reason = "; ".join(each.text for each in causes)
        return Turn(
            phase=Phase.PAUSED, reason=reason, causes=tuple(sorted(keys)), note=f"paused: {reason}"
        )
    return None


def _all_resume(causes: Sequence[Cause]) -> bool:
    return all(each.resumes for each in causes)


def missing_fraction(record: RunRecord) -> float:
    """Return which part of a run's messages is missing."""
    gaps = record.run.gap_count
    return gaps / (gaps + record.run.events) if gaps else 0.0
