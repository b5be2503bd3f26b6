"""A bounded spool with a sender: what is put in reaches a peer that may be away for a while."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from idl_like_interfaces.clients.backoff import Backoff
from idl_like_interfaces.errors import BadParam, RemoteError

log = logging.getLogger(__name__)

_DOZEN = 64
"""Items that are taken over together; so many may be beyond the bounds of a spool."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Limits of a spool and of its batches.

    Attributes:
        spool_items: Items that wait at most; the oldest is dropped for a new one.
        spool_bytes: The same in bytes.
        batch_items: Items in one batch.
        batch_bytes: Bytes in one batch (one larger item goes alone).
        window_s: How long a batch waits for more.
    """

    spool_items: int
    spool_bytes: int
    batch_items: int
    batch_bytes: int
    window_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel(Generic[Item]):
    """Consecutive items on their way; sent again unchanged until acknowledged.

    Attributes:
        first: Number of the first; items are numbered from 1.
        items: The items.
        lost: Items just before ``first`` that were dropped.
    """

    first: int
    items: list[Item]
    lost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """What became of the items: ``produced`` = acknowledged + dropped + still waiting."""

    produced: int
    acknowledged: int
    dropped: int


class Spooler(Generic[Item]):
    """Takes items without ever blocking and sends them in order from a thread of its own.

    Attributes:
        name: Who sends, for the thread's name and in messages.
    """

    def __init__(
        self,
        name: str,
        send: Callable[[Parcel[Item]], object],
        bounds: Bounds,
        *,
        refusals: tuple[type[RemoteError], ...] = (),
    ) -> None:
        self.name = name
        self._send = send
        self._bounds = bounds
        self._refusals: tuple[type[RemoteError], ...] = (*refusals, BadParam)
        # The lock is entered by itself where nobody waits: Condition's own way in is
        # Python code. It is reentrant, since a signal's handler may log within ``put``.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        # Items come in here without a lock (a deque's append is atomic) and are taken
        # over by the dozen: numbered, weighed and, if the spool is full, dropped.
        self._fresh: deque[tuple[Item, int]] = deque()
        self._waiting: deque[tuple[Item, int]] = deque()
        self._waiting_bytes = 0
        self._on_the_way = 0
        self._produced = self._acknowledged = self._dropped = 0
        self._numbered = self._sent_to = 0
        self._flushers = 0
        self._is_asleep = False
        self._is_closing = self._is_closed = False
        self._thread = threading.Thread(target=self._run, name=f"spool {name}", daemon=True)
        self._thread.start()

    def put(self, item: Item, size: int) -> bool:
        """Add an item; return whether it was taken (not after ``close``)."""
        fresh = self._fresh
        fresh.append((item, size))
        if self._is_asleep or self._is_closing or len(fresh) >= _DOZEN:
            with self._lock:
                self._take_over()
                return not self._is_closing
        return True

    def _take_over(self) -> None:
        """Number what is fresh; wake the sender for the first item and for a full batch."""
        fresh, bounds = self._fresh, self._bounds
        before = len(self._waiting), self._waiting_bytes
        entries = [fresh.popleft() for _ in range(len(fresh))]
        self._produced += len(entries)
        if self._is_closing:
            self._dropped += len(entries)
            return
        self._numbered += len(entries)
        self._waiting.extend(entries)
        self._waiting_bytes += sum([size for _, size in entries])
        self._drop_oldest()
        is_full = (
            before[0] < bounds.batch_items <= len(self._waiting)
            or before[1] < bounds.batch_bytes <= self._waiting_bytes
        )
        if (self._is_asleep and self._waiting) or is_full:
            self._is_asleep = False
            self._changed.notify_all()

    def _drop_oldest(self) -> None:
        bounds = self._bounds
        while len(self._waiting) > 1 and (
            len(self._waiting) > bounds.spool_items or self._waiting_bytes > bounds.spool_bytes
        ):
            _, size = self._waiting.popleft()
            self._waiting_bytes -= size
            self._dropped += 1

    @property
    def counters(self) -> Counters:
        """What became of the items so far."""
        with self._changed:
            self._take_over()
            return Counters(
                produced=self._produced, acknowledged=self._acknowledged, dropped=self._dropped
            )

    def is_sender(self) -> bool:
        """Tell whether the calling thread is the one that sends."""
        return threading.current_thread() is self._thread

    def flush(self, timeout_s: float) -> bool:
        """Wait until all that was put in is acknowledged or dropped; tell whether it is."""
        with self._changed:
            self._flushers += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(self._is_idle, timeout_s)
            finally:
                self._flushers -= 1

    def _is_idle(self) -> bool:
        self._take_over()
        return not self._waiting and not self._on_the_way

    def close(self, timeout_s: float = 2.0) -> bool:
        """Send what waits, for at most ``timeout_s``, and end; tell whether all got through."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            self._take_over()
            self._is_closing = True
        got_through = self.flush(timeout_s)
        with self._changed:
            self._is_closed = True
            self._dropped += len(self._waiting)
            self._waiting.clear()
            self._waiting_bytes = 0
            self._changed.notify_all()
        if not self.is_sender():
            # A call that hangs has a deadline of its own, behind which the thread ends.
            self._thread.join(max(0.1, deadline - time.monotonic()))
        return got_through

    def _run(self) -> None:
        while (parcel := self._next_parcel()) is not None:
            is_acknowledged = self._deliver(parcel)
            with self._changed:
                self._on_the_way = 0
                if is_acknowledged:
                    self._acknowledged += len(parcel.items)
                else:
                    self._dropped += len(parcel.items)
                self._changed.notify_all()

    def _next_parcel(self) -> Parcel[Item] | None:
        with self._changed:
            self._changed.wait_for(self._is_needed)
            if not self._waiting:
                return None
            self._changed.wait_for(self._is_due, self._bounds.window_s)
            return self._take() if self._waiting else None

    def _is_needed(self) -> bool:
        # First told, then looked: an item that comes between finds the sender asleep.
        self._is_asleep = True
        self._take_over()
        self._is_asleep = not self._waiting
        return bool(self._waiting or self._is_closed)

    def _is_due(self) -> bool:
        self._take_over()
        bounds = self._bounds
        return bool(
            self._is_closing
            or self._flushers
            or len(self._waiting) >= bounds.batch_items
            or self._waiting_bytes >= bounds.batch_bytes
        )

    def _take(self) -> Parcel[Item]:
        bounds, waiting = self._bounds, self._waiting
        first = self._numbered - len(waiting) + 1
        items: list[Item] = []
        size = 0
        for _ in range(min(len(waiting), bounds.batch_items)):
            item, item_size = waiting[0]
            if items and size + item_size > bounds.batch_bytes:
                break
            waiting.popleft()
            items.append(item)
            size += item_size
        self._waiting_bytes -= size
        self._on_the_way = len(items)
        lost = first - self._sent_to - 1
        self._sent_to = first + len(items) - 1
        return Parcel(first=first, items=items, lost=lost)

    def _deliver(self, parcel: Parcel[Item]) -> bool:
        """Send until it is acknowledged (True), refused for good or given up (False)."""
        backoff = Backoff()
        while not self._is_closed:
            try:
                self._send(parcel)
            except self._refusals as error:
                log.error("%s: %d items are refused: %s", self.name, len(parcel.items), error)
                return False
            except (RemoteError, OSError) as error:
                log.debug("%s: peer is away (%s), trying again", self.name, error)
            except Exception:
                log.exception("%s: sending failed unexpectedly, trying again", self.name)
            else:
                return True
            with self._changed:
                self._changed.wait_for(lambda: self._is_closed, backoff.next_s())
        return False
