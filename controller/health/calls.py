"""What became of the calls of all objects: nothing is bad now, but somebody should look."""

from __future__ import annotations

from collections.abc import Mapping

from controller.health.finding import Finding, Verdict
from controller.measures import Measure, measure, total
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.object import Statistics

Answers = Mapping[str, Statistics | RemoteError]


def examine_calls(answers: Answers) -> list[Finding]:
    """Say how many calls there were, and of each object what went wrong since it is active."""
    known = {name: each for name, each in answers.items() if isinstance(each, Statistics)}
    sums = [_sum(each) for each in known.values()]
    found = (
        f"{len(known)} objects, {sum(each.calls for each in sums)} calls since they are active, "
        f"{sum(each.in_progress for each in sums)} in progress, "
        f"{sum(each.refused for each in sums)} refused"
    )
    noted = [note for name, each in known.items() for note in _notes(name, each)]
    return [Finding(subject="calls", found=found), *noted]


def _sum(statistics: Statistics) -> Measure:
    summed = total(statistics.operations, len(statistics.bounds_s) + 1)
    return measure(summed, statistics.bounds_s)


def _notes(name: str, statistics: Statistics) -> list[Finding]:
    since = f"since {statistics.since:%Y-%m-%d %H:%M} UTC"
    notes = []
    for what, cause, remedy in (
        (
            "failed",
            "a bug in the object; its log has the traceback",
            "read it with `obsorb log query --level ERROR`, and report it",
        ),
        (
            "dropped",
            "the object had more to do than time, or a client sent a request twice",
            "see with `obsorb names stats --watch` and `obsorb top` who is busy",
        ),
        (
            "denied",
            "the role of the caller does not allow it",
            "see who it was with `obsorb audit show DATA_ROOT/audit --denied`; roles are given in [security]",
        ),
    ):
        counts = {each.name: getattr(each, what) for each in statistics.operations}
        several = ", ".join(f"{each} {count}" for each, count in counts.items() if count)
        if several:
            notes.append(
                Finding(
                    subject=name,
                    verdict=Verdict.NOTE,
                    found=f"calls {what} {since}: {several}",
                    cause=cause,
                    remedy=remedy,
                )
            )
    return notes
