"""The reader's side of the online database: all that matches now, and then each change."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

from msgspec.structs import replace
from typing_extensions import override

from idl_like_interfaces.clients.backoff import Backoff
from idl_like_interfaces.clients.consumer import EventConsumer
from idl_like_interfaces.clients.oldb_values import check_filters
from idl_like_interfaces.clients.records import Event
from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import BadParam, RemoteError
from idl_like_interfaces.events import EventChannel, Gap
from idl_like_interfaces.oldb import OLDB_TOPIC, DataPage, DataPoint, OnlineDatabase

log = logging.getLogger(__name__)

CHECK_S = 1.0
"""So often the database is asked whether it is the same still; an answer shows that it lives."""

BLIND_AFTER_S = 3.0

_POLL_S = 0.5


class OldbWatcher(Closing):
    """Follows the keys that match some filters, through restarts of channel and database.

    One thread reads; any thread may ask ``is_blind`` or ``close`` it. The first changes are all
    that is stored. When something may have been missed it reads everything again and tells the
    differences only: no hole, and nothing twice.

    Args:
        database: What is watched.
        channel: Carries the changes.
        filters: Key filters.
        name: As the channel's statistics show it.
        check_s: How often the database is looked after.

    Raises:
        InvalidKey: A filter is malformed.

    Attributes:
        known: What is stored, by key; complete after the first ``read`` that returned something,
            or when ``is_complete``.
    """

    def __init__(
        self,
        database: OnlineDatabase,
        channel: EventChannel,
        filters: list[str],
        *,
        name: str,
        check_s: float = CHECK_S,
    ) -> None:
        check_filters(filters)
        self.known: dict[str, DataPoint] = {}
        self._database = database
        self._filters = filters
        self._consumer = EventConsumer(
            channel, [f"{OLDB_TOPIC}/{each}" for each in filters], name=name
        )
        self._check_s = check_s
        self._is_connected = self._is_complete = False
        self._base = self._revision = 0
        self._checked_at = self._answered_at = time.monotonic()
        self._backoff = Backoff()
        self._closed = threading.Event()

    @property
    def is_complete(self) -> bool:
        """Tell whether ``known`` is all that there is, as far as anybody can know."""
        return self._is_complete

    @property
    def is_blind(self) -> bool:
        """Tell whether channel or database have not answered for 3 s or more."""
        silent_s = time.monotonic() - self._answered_at
        return self._consumer.is_blind or silent_s >= max(BLIND_AFTER_S, 2 * self._check_s)

    def read(self, timeout_s: float) -> list[DataPoint]:
        """Return what changed since the last time, at once when something did.

        An absent channel or database is no error: it is asked again and again, see ``is_blind``.

        Args:
            timeout_s: How long to wait for a change.

        Returns:
            The changes in their order, the first time all points in the order of their keys;
            empty after ``timeout_s`` and when closed.
        """
        until = time.monotonic() + timeout_s
        while not self._closed.is_set():
            left_s = max(0.0, until - time.monotonic())
            changes = self._once(min(left_s, _POLL_S))
            if changes or time.monotonic() >= until:
                return changes
        return []

    @override
    def close(self) -> None:
        """End reading; a ``read`` that waits in another thread returns soon."""
        self._closed.set()
        self._consumer.close()

    def _once(self, timeout_s: float) -> list[DataPoint]:
        try:
            if not self._is_complete:
                return self._snapshot()
            changes = self._follow(timeout_s)
            self._check()
        except (RemoteError, OSError) as error:
            log.debug("the online database or the channel is away: %s", error)
            self._closed.wait(min(self._backoff.next_s(), timeout_s))
            return []
        return changes

    def _follow(self, timeout_s: float) -> list[DataPoint]:
        changes: list[DataPoint] = []
        for item in self._consumer.read(timeout_s):
            if isinstance(item, Gap):
                self._is_complete = False  # what is missing is read, with all else
                break
            if isinstance(item, Event):
                changes += self._taken(item)
        return changes

    def _taken(self, event: Event) -> Iterator[DataPoint]:
        try:
            point = event.as_(DataPoint)
        except BadParam as error:
            log.warning("%s", error)
            return
        known = self.known.get(point.key)
        newest = known.revision if known is not None else self._revision
        if point.revision <= max(newest, self._revision):
            return
        if not point.is_removed:
            self.known[point.key] = point
            yield point
        elif self.known.pop(point.key, None) is not None:
            yield point

    def _check(self) -> None:
        """Look whether the database lives, and is the same."""
        now = time.monotonic()
        if now - self._checked_at < self._check_s:
            return
        self._checked_at = now
        page = self._database.read_all(self._filters, "", 1)
        self._answered_at = time.monotonic()
        if page.base != self._base or page.revision < self._revision:
            self._is_complete = False

    def _snapshot(self) -> list[DataPoint]:
        """Read everything behind a point from which changes are kept for this reader."""
        if not self._is_connected:
            self._consumer.connect()
            self._is_connected = True
        before, first = self.known, self._page("")
        known = {point.key: point for point in first.points}
        page = first
        while page.after and not self._closed.is_set():
            page = self._page(page.after)
            if page.base != first.base:
                return []  # begun anew meanwhile: so do we
            known |= {point.key: point for point in page.points}
        is_same = first.base == self._base
        self.known, self._base, self._revision = known, first.base, first.revision
        self._checked_at = time.monotonic()
        self._is_complete = True
        self._backoff.reset()
        return list(_differences(before, known, first.revision, is_same=is_same))

    def _page(self, after: str) -> DataPage:
        page = self._database.read_all(self._filters, after)
        self._answered_at = time.monotonic()
        return page


def _differences(
    before: dict[str, DataPoint], after: dict[str, DataPoint], revision: int, *, is_same: bool
) -> Iterator[DataPoint]:
    for key in sorted(before.keys() - after.keys()):
        yield replace(before[key], value=None, is_removed=True, revision=revision)
    for key in sorted(after):
        known = before.get(key)
        if known is None or not _is_told(known, after[key], is_same=is_same):
            yield after[key]


def _is_told(known: DataPoint, point: DataPoint, *, is_same: bool) -> bool:
    """Tell whether a reader has had a point: its revision counts in one database only."""
    return known == point if is_same else known == replace(point, revision=known.revision)
