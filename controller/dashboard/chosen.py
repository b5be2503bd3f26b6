"""The acquisition whose story is shown: which one, and what the coordinator says of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from idl_like_interfaces.daqif import DaqStory, OcmDaqControl
from idl_like_interfaces.errors import RemoteError


class Chosen:
    """Asks while somebody looks; may be used from any thread.

    Args:
        ocm: The coordinator.
        ids: Returns the acquisitions that can be chosen, in the order in which they are shown.
    """

    def __init__(self, ocm: OcmDaqControl, ids: Callable[[], Sequence[str]]) -> None:
        self._ocm = ocm
        self._ids = ids
        self._news = threading.Condition()
        self._is_followed = False
        self._id = ""
        self._story: DaqStory | None = None
        self._note = ""

    def follow(self, *, wanted: bool) -> None:
        """Say whether somebody looks."""
        with self._news:
            if wanted is not self._is_followed:
                self._is_followed = wanted
                self._news.notify_all()

    def move(self, step: int) -> None:
        """Choose the one that stands so many places further down, or up; it goes round."""
        ids = self._ids()
        with self._news:
            if ids:
                here = ids.index(self._id) if self._id in ids else 0
                self._choose(ids[(here + step) % len(ids)])

    def state(self) -> tuple[str, DaqStory | None, str]:
        """Return the id of the chosen one (empty: there is none), its story, and why there is none."""
        with self._news:
            return self._id, self._story, self._note

    def wait(self, timeout_s: float) -> bool:
        """Wait until there is a story, or a reason why not."""
        with self._news:
            return self._news.wait_for(lambda: bool(self._story or self._note), timeout_s)

    def ask(self, for_s: float) -> None:
        """Ask once, and again whenever another one is chosen.

        Return after the time, or when nobody looks any more.
        """
        deadline = time.monotonic() + for_s
        while True:
            asked = self._ask()
            if not self._wait_for_another(asked, deadline - time.monotonic()):
                return
            if asked is not None and self._wanted() is None:
                return

    def _wait_for_another(self, asked: str | None, timeout_s: float) -> bool:
        with self._news:
            return self._news.wait_for(lambda: self._wanted() != asked, max(timeout_s, 0.0))

    def _wanted(self) -> str | None:
        return self._id if self._is_followed else None

    def _ask(self) -> str | None:
        with self._news:
            if not self._is_followed:
                return None
        ids = self._ids()
        with self._news:
            if not self._id and ids:
                self._choose(ids[0])
            id = self._id
        if not id:
            self._take(id, None, "there was no acquisition yet")
            return id
        try:
            self._take(id, self._ocm.get_story(id), "")
        except RemoteError as error:
            self._take(id, None, error.message)
        return id

    def _choose(self, id: str) -> None:
        if id != self._id:
            self._id, self._story, self._note = id, None, ""
            self._news.notify_all()

    def _take(self, id: str, story: DaqStory | None, note: str) -> None:
        with self._news:
            if id == self._id:
                # What was told before stays while the coordinator is away.
                self._story = story or self._story
                self._note = note
                self._news.notify_all()
