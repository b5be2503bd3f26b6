"""Threads that serve connections, and the bound on what they execute."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")

Job = Callable[[], None]

_LATER_ONE_IN = 4

_KEPT = 4
"""Threads that stay when there is nothing to do; the others end after a while."""

_STAY_S = 1.0


class Workers:
    """A pool in which one thread runs at a time, and more only when it is held up.

    Python executes one thread at a time, and to hand over from one to the next costs more
    than most calls. So a thread that has done its job takes the next one itself, and
    another is woken only when there are fewer than ``AT_ONCE`` at work, or when none of
    them has taken a job for ``HELD_UP_S`` although there are some.

    Jobs that move bulk are done one at a time, however many threads there are: else those who
    send much would share the processor among themselves, and who sends little would wait for
    all of them.

    Args:
        most: Threads.
        call_later: Has something called after a time in seconds, in any thread.
    """

    AT_ONCE = 1
    LINGERING = 12
    HELD_UP_S = 0.002

    def __init__(self, most: int, call_later: Callable[[float, Job], None]) -> None:
        self._most = most
        self._call_later = call_later
        self._lock = threading.Lock()
        self._jobs: deque[Job] = deque()
        self._later: deque[Job] = deque()
        self._idle: list[threading.Lock] = []
        self._threads: list[threading.Thread] = []
        self._busy = self._held_up = self._lingering = self._taken = 0
        self._mover: int | None = None
        self._is_looked_after = self._is_closed = False

    @property
    def size(self) -> int:
        """Threads that there are."""
        return len(self._threads)

    @property
    def is_wanted(self) -> bool:
        """Tell whether a job waits for a thread."""
        return len(self._jobs) > 0

    def submit(self, job: Job, *, later: bool = False) -> None:
        """Have a job done by one of the threads; after ``close`` it is dropped.

        Args:
            job: What to do.
            later: It moves bulk, and says ``moved`` when that is done: of several jobs that
                wait only each fourth is such a one, and one of them is done at a time.
        """
        with self._lock:
            if self._is_closed:
                return
            (self._later if later else self._jobs).append(job)
            if self._busy - self._held_up < self.AT_ONCE:
                self._send_one()
                return
        self._have_looked_after()

    def _have_looked_after(self) -> None:
        """See that what waits now is not forgotten when all that are at work are held up."""
        with self._lock:
            if self._is_looked_after or self._is_closed:
                return
            self._is_looked_after = True
            taken = self._taken
        self._call_later(self.HELD_UP_S, lambda: self._look_after(taken))

    def linger(self) -> bool:
        """Ask to wait a moment for the next job of one's own; then say ``resume``."""
        with self._lock:
            if self._jobs or self._lingering >= self.LINGERING or self._is_closed:
                return False
            self._lingering += 1
            self._busy -= 1
            return True

    def resume(self) -> None:
        """Say that the moment of ``linger`` is over."""
        with self._lock:
            self._lingering -= 1
            self._busy += 1

    def moved(self) -> None:
        """Say that a job that was to move bulk has done that; what it does now is like others'."""
        if self._mover != threading.get_ident():
            return
        with self._lock:
            self._mover = None
            is_next = len(self._later) > 0
        if is_next:
            self._have_looked_after()

    def close(self, deadline_s: float) -> None:
        """Let each thread end after its job, and wait for them together."""
        with self._lock:
            self._is_closed = True
            self._jobs.clear()
            self._later.clear()
            idle, self._idle = self._idle, []
            threads = list(self._threads)
        for wake in idle:
            wake.release()
        until = time.monotonic() + deadline_s
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, until - time.monotonic()))

    def _look_after(self, taken: int) -> None:
        """Send one more when no job was taken for a while although there are some."""
        with self._lock:
            if not self._has_jobs or self._is_closed:
                self._is_looked_after = False
                return
            if self._taken == taken:
                self._held_up = min(self._held_up + 1, self._busy)
                self._send_one()
            taken = self._taken
        self._call_later(self.HELD_UP_S, lambda: self._look_after(taken))

    def _send_one(self) -> None:
        """Wake a thread, or make one; the lock is held."""
        if self._idle:
            self._busy += 1
            self._idle.pop().release()
        elif len(self._threads) < self._most:
            self._busy += 1
            self._add()

    def _add(self) -> None:
        thread = threading.Thread(target=self._run, name=f"worker {self.size + 1}", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            self._busy -= 1
            log.error("a thread could not be made, %d must do: %s", self.size, error)
        else:
            self._threads.append(thread)

    def _run(self) -> None:
        wake = threading.Lock()
        wake.acquire()
        began = time.monotonic()
        while (job := self._next(wake, time.monotonic() - began)) is not None:
            began = time.monotonic()
            try:
                job()
            except BaseException:
                log.exception("a worker's job failed")

    def _next(self, wake: threading.Lock, elapsed_s: float) -> Job | None:
        """Return the next job, waiting for one; ``None``: there will be none."""
        self.moved()
        with self._lock:
            if elapsed_s > self.HELD_UP_S and self._held_up:
                self._held_up -= 1
        while True:
            with self._lock:
                if self._is_closed:
                    return None
                has_jobs = self._has_jobs
                if has_jobs and self._busy - self._held_up <= self.AT_ONCE:
                    return self._take()
                self._busy -= 1
                self._held_up = min(self._held_up, self._busy)
                self._idle.append(wake)
                stay_s = _STAY_S if len(self._threads) > _KEPT else -1.0
            if has_jobs:
                # Others came back from lingering meanwhile: they may be held up with theirs.
                self._have_looked_after()
            if not wake.acquire(timeout=stay_s) and self._is_out(wake):
                return None

    def _is_out(self, wake: threading.Lock) -> bool:
        """Take a thread out that nobody has woken; tell whether it is out."""
        with self._lock:
            if wake not in self._idle:
                # It was woken just now: the lock is free.
                wake.acquire()
                return False
            self._idle.remove(wake)
            is_out = len(self._threads) > _KEPT
            if is_out:
                self._threads.remove(threading.current_thread())
            else:
                self._busy += 1
            return is_out

    @property
    def _has_jobs(self) -> bool:
        """Tell whether there is a job that may be done now; the lock is held."""
        return len(self._jobs) > 0 or (len(self._later) > 0 and self._mover is None)

    def _take(self) -> Job:
        self._taken += 1
        may_move = len(self._later) > 0 and self._mover is None
        if self._jobs and (self._taken % _LATER_ONE_IN or not may_move):
            return self._jobs.popleft()
        self._mover = threading.get_ident()
        return self._later.popleft()


class LightFirst(Generic[T]):
    """A line in which the lightest is the first.

    Args:
        weight: Of each.
    """

    def __init__(self, weight: Callable[[T], int]) -> None:
        self._weight = weight
        self._heap: list[tuple[int, int, T]] = []
        self._numbers = itertools.count()

    def __len__(self) -> int:
        return len(self._heap)

    def append(self, each: T) -> None:
        """Let somebody join the line."""
        heapq.heappush(self._heap, (self._weight(each), next(self._numbers), each))

    def popleft(self) -> T:
        """Take out the lightest."""
        return heapq.heappop(self._heap)[-1]


class Slots(Generic[T]):
    """At most so many calls are executed at once; the others wait here in their order.

    Args:
        number: Of slots.
        most_waiting: Further calls are refused.
        weight: Who waits goes on by weight, the lightest first; ``None``: in order.
    """

    def __init__(
        self, number: int, most_waiting: int, weight: Callable[[T], int] | None = None
    ) -> None:
        self._free = self._number = number
        self._most_waiting = most_waiting
        self._waiting: deque[T] | LightFirst[T] = deque() if weight is None else LightFirst(weight)
        self._lock = threading.Lock()
        self._freed = threading.Condition(self._lock)

    @property
    def taken(self) -> int:
        """Slots in use."""
        return self._number - self._free

    @property
    def waiting(self) -> int:
        """Calls that wait."""
        return len(self._waiting)

    def take(self, call: T) -> bool | None:
        """Take a slot for a call.

        Returns:
            True: it has one. False: it waits for one. ``None``: too many wait.
        """
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            if len(self._waiting) >= self._most_waiting:
                return None
            self._waiting.append(call)
            return False

    def give_back(self) -> T | None:
        """Give a slot back, or hand it on to the call that has waited for longest."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._free += 1
            if self._free == self._number:
                self._freed.notify_all()
            return None

    def wait_until_free(self, timeout_s: float) -> bool:
        """Wait until no call is executed; tell whether it came to that."""
        with self._freed:
            return self._freed.wait_for(lambda: self._free == self._number, timeout_s)
