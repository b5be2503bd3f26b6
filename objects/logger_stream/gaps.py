"""Which gaps of a run are kept when there are many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from idl_like_interfaces.event_logger import GapNote

GAPS_KEPT: Final = 100

UNKNOWN_KEPT: Final = 10


def latest(gaps: Sequence[GapNote]) -> list[GapNote]:
    """Return the latest gaps, and before them some older ones of unknown length.

    What older ones come to stands in the number of missing messages; that somebody has lost
    nobody knows how much stands nowhere else.
    """
    older = [gap for gap in gaps[:-GAPS_KEPT] if not gap.count]
    return [*older[-UNKNOWN_KEPT:], *gaps[-GAPS_KEPT:]]
