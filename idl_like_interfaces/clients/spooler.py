"""A bounded spool with a sender: what is put in reaches a peer that may be away for a while."""

from __future__ import annotations

import logging
import threading
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Generic

from idl_like_interfaces.clients.accounts import Losses
from idl_like_interfaces.clients.backoff import Backoff
from idl_like_interfaces.clients.parcels import Bounds, Counters, Item, Loss, Parcel
from idl_like_interfaces.clients.sight import RETURN_S
from idl_like_interfaces.errors import BadParam, RemoteError

log = logging.getLogger(__name__)

_DOZEN = 64
"""Items that are taken over together; so many may be beyond the bounds of a spool."""

__all__ = ["Bounds", "Counters", "Loss", "Parcel", "Spooler"]


class Spooler(Generic[Item]):
    """Takes items without ever blocking and sends them in order from a thread of its own.

    Args:
        name: Who sends.
        send: Sends a parcel, or raises.
        bounds: Limits.
        refusals: What of the errors of ``send`` says that it is of no use to try again.
        heritage: Parcels of an earlier start, to be sent first.
        done: Called by the sender with a parcel that need not be sent any more.

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
        heritage: Iterable[Parcel[Item]] = (),
        done: Callable[[Parcel[Item]], None] | None = None,
    ) -> None:
        self.name = name
        self._send = send
        self._heritage = deque(heritage)
        self._done = done
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
        self._produced = self._acknowledged = 0
        self._losses: dict[str, Loss] = {}
        self._ranges = Losses()
        self._trying_since: float | None = None
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
            self._lose("closed", len(entries), 0)
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
        bounds, waiting = self._bounds, self._waiting
        first, count = self._numbered - len(waiting) + 1, 0
        while len(waiting) > 1 and (
            len(waiting) > bounds.spool_items or self._waiting_bytes > bounds.spool_bytes
        ):
            _, size = waiting.popleft()
            self._waiting_bytes -= size
            count += 1
        self._lose("spool", count, first)

    def _lose(self, reason: str, count: int, first: int) -> None:
        """Book items that were dropped; ``first`` is the number of the first, 0: they have none."""
        if not count:
            return
        self._ranges.add(reason, count, first)
        before = self._losses.get(reason, Loss(count=0, first=first, last=0))
        last = first + count - 1 if first else 0
        self._losses[reason] = Loss(
            count=before.count + count,
            first=before.first or first,
            last=max(before.last, last),
        )

    @property
    def counters(self) -> Counters:
        """What became of the items so far."""
        with self._changed:
            self._take_over()
            return Counters(
                produced=self._produced,
                acknowledged=self._acknowledged,
                dropped=sum(loss.count for loss in self._losses.values()),
                losses=dict(self._losses),
                drops=self._ranges.drops(),
            )

    @property
    def unacknowledged_s(self) -> float:
        """For how long the peer has not acknowledged what it was sent, seconds; 0: it has all."""
        since = self._trying_since
        return 0.0 if since is None else time.monotonic() - since

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
        return not self._waiting and not self._on_the_way and not self._heritage

    def close(self, timeout_s: float = 2.0) -> bool:
        """Send what waits, for at most ``timeout_s``, and end; tell whether all got through."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            self._take_over()
            self._is_closing = True
        got_through = self.flush(timeout_s)
        with self._changed:
            self._is_closed = True
            self._lose("closed", len(self._waiting), self._numbered - len(self._waiting) + 1)
            self._waiting.clear()
            self._heritage.clear()
            self._waiting_bytes = 0
            self._changed.notify_all()
        if not self.is_sender():
            # A call that hangs has a deadline of its own, behind which the thread ends.
            self._thread.join(max(0.1, deadline - time.monotonic()))
        return got_through

    def _run(self) -> None:
        while (parcel := self._next_parcel()) is not None:
            why_not = self._deliver(parcel)
            self._trying_since = None
            if self._done is not None and why_not != "closed":
                self._done(parcel)
            with self._changed:
                self._on_the_way = 0
                if not parcel.incarnation:
                    self._book(parcel, why_not)
                self._changed.notify_all()

    def _book(self, parcel: Parcel[Item], why_not: str) -> None:
        if why_not:
            self._lose(why_not, len(parcel.items), parcel.first)
        else:
            self._acknowledged += len(parcel.items)

    def _next_parcel(self) -> Parcel[Item] | None:
        with self._changed:
            self._changed.wait_for(self._is_needed)
            if self._heritage:
                self._on_the_way = len(self._heritage[0].items)
                return self._heritage.popleft()
            if not self._waiting:
                return None
            self._changed.wait_for(self._is_due, self._bounds.window_s)
            return self._take() if self._waiting else None

    def _is_needed(self) -> bool:
        # First told, then looked: an item that comes between finds the sender asleep.
        self._is_asleep = True
        self._take_over()
        self._is_asleep = not self._waiting
        return bool(self._waiting or self._heritage or self._is_closed)

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
        waiting = self._waiting
        first = self._numbered - len(waiting) + 1
        entries, size = self._next_entries()
        self._waiting_bytes -= size
        self._on_the_way = len(entries)
        lost = first - self._sent_to - 1
        self._sent_to = first + len(entries) - 1
        return Parcel(first=first, items=[item for item, _ in entries], lost=lost)

    def _next_entries(self) -> tuple[list[tuple[Item, int]], int]:
        """Take what goes into the next batch; return it and its size."""
        bounds, waiting = self._bounds, self._waiting
        most_bytes = bounds.heap * bounds.batch_bytes
        count = min(len(waiting), bounds.heap * bounds.batch_items)
        entries = [waiting.popleft() for _ in range(count)]
        sizes = list(accumulate([size for _, size in entries]))
        if sizes[-1] > most_bytes:
            fitting = max(1, bisect_right(sizes, most_bytes))
            waiting.extendleft(reversed(entries[fitting:]))
            del entries[fitting:]
        return entries, sizes[len(entries) - 1]

    def _deliver(self, parcel: Parcel[Item]) -> str:
        """Send until it is acknowledged; return why it is not: ``refused``, ``closed``."""
        backoff = Backoff(longest_s=RETURN_S)
        self._trying_since = time.monotonic()
        while not self._is_closed:
            try:
                self._send(parcel)
            except self._refusals as error:
                log.error("%s: %d items are refused: %s", self.name, len(parcel.items), error)
                return "refused"
            except (RemoteError, OSError) as error:
                log.debug("%s: peer is away (%s), trying again", self.name, error)
            except Exception:
                log.exception("%s: sending failed unexpectedly, trying again", self.name)
            else:
                return ""
            with self._changed:
                self._changed.wait_for(lambda: self._is_closed, backoff.next_s())
        return "closed"
