"""Rows and reports of given figures."""

from __future__ import annotations

from datetime import UTC, datetime

from benchmarks.figures import Figure, Goal, Measure, Report, figure

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)

FASTER = Goal(of=Measure.RATIO, at_least=2.0)
CHEAPER = Goal(of=Measure.RATIO, at_most=1.3)
IN_TIME = Goal(of=Measure.VALUE, at_most=5.0)


def report(*figures: Figure) -> Report:
    """Return a report of some rows."""
    return Report(
        command="benchmarks/run.py",
        date=NOON,
        host={"cores": "2", "Python": "3.11"},
        figures=[*figures],
    )


def rate(*, lost: int = 0, theirs: tuple[float, ...] = (50.0, 60.0, 40.0)) -> Figure:
    """Return a row with a peer."""
    return figure(
        "channel",
        "events to 1 consumer",
        "1/s",
        [120.0, 126.0, 100.0],
        peer="other 1.0",
        theirs=theirs,
        goal=FASTER,
        lost=lost,
        peer_lost=3 if theirs else None,
    )
