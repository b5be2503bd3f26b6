"""The curves in a report: for each side its figures over clients, bytes or consumers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.figures import Figure, Report, Spread

OURS = "obsorb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What was measured of one side.

    Attributes:
        label: Whose it is.
        points: Where, and what, from left to right.
    """

    label: str
    points: list[tuple[float, Spread]] = field(default_factory=list)


def curves(report: Report, group: str, name_ends: str = "") -> list[Curve]:
    """Return the curves of a group, ours first; a peer that was not there has none.

    Args:
        report: A kept result.
        group: Of its figures.
        name_ends: Take only figures whose names end so.
    """
    rows = [
        row
        for row in report.figures
        if row.group == group and row.at is not None and row.name.endswith(name_ends)
    ]
    peers = dict.fromkeys(row.peer for row in rows if row.theirs is not None)
    ours = _curve(OURS, rows, lambda row: row.ours)
    theirs = [
        _curve(peer, [row for row in rows if row.peer == peer], lambda row: row.theirs)
        for peer in peers
    ]
    return [each for each in (ours, *theirs) if each.points]


def _curve(label: str, rows: list[Figure], value: Callable[[Figure], Spread | None]) -> Curve:
    # Ours stands in one row for each peer.
    points = {row.at: found for row in rows if (found := value(row)) is not None}
    return Curve(label=label, points=sorted((at, each) for at, each in points.items() if at))
