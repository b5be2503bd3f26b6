"""Where somebody looks: a page, and how far down; what each key does to that."""

from __future__ import annotations

from dataclasses import dataclass, replace

from controller.dashboard.page import KEYS, Page

MOVES = {"n": 1, "p": -1}
"""On the page of a story: to the next acquisition, to the one before."""

_SCROLLS = {" ": 1, "f": 1, "j": 1, "b": -1, "k": -1}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is shown.

    Attributes:
        page: The page.
        offset: Lines of a story that are above it.
    """

    page: Page = Page.OVERVIEW
    offset: int = 0

    def after(self, key: str, step: int, lines: int) -> View:
        """Return what is shown after a key.

        Args:
            key: The key; one that means nothing changes nothing.
            step: How far it scrolls.
            lines: How many there are.
        """
        if key in KEYS:
            return View(page=KEYS[key])
        if self.page is not Page.STORY:
            return self
        if key in MOVES:
            return replace(self, offset=0)
        further = self.offset + _SCROLLS.get(key, 0) * step
        return replace(self, offset=max(min(further, lines - step), 0))
