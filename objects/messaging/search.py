"""A search: what a reader looks for behind its place, again and again."""

from __future__ import annotations

from collections.abc import Callable

from idl_like_interfaces.events import Gap, GapReason
from objects.messaging.backlog import Found

_LOST_ALL = Gap(reason=GapReason.NEW_EPOCH, count=-1)


class Search:
    """Looks until there is something; the channel's lock must be held.

    Args:
        is_foreign: The reader comes from another epoch, and has lost all of it.
        read: Returns what comes next, and goes on behind it.
    """

    def __init__(self, read: Callable[[], Found], *, is_foreign: bool = False) -> None:
        self._is_foreign = is_foreign
        self._read = read

    def look(self) -> Found | None:
        """Return what there is, or nothing."""
        found = self.read()
        return found if found.gaps or found.picks else None

    def read(self) -> Found:
        """Return what there is, be it empty."""
        found = self._read()
        if self._is_foreign:
            return Found([_LOST_ALL, *found.gaps], found.picks, found.place)
        return found
