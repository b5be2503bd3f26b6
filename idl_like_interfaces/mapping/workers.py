"""Threads that serve connections, and the bound on what they execute."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")

Job = Callable[[], None]


class Workers:
    """A bounded pool; threads are made when there is work for one more, and kept.

    Args:
        most: Threads.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._queued = self._idle = 0
        self._is_closed = False

    @property
    def size(self) -> int:
        """Threads that there are."""
        return len(self._threads)

    @property
    def is_relaxed(self) -> bool:
        """Tell whether nothing waits for a thread."""
        return self._queued == 0

    def submit(self, job: Job) -> None:
        """Have a job done by one of the threads; after ``close`` it is dropped."""
        with self._lock:
            if self._is_closed:
                return
            self._queued += 1
            is_short = self._queued > self._idle and len(self._threads) < self._most
            if is_short:
                self._add()
        self._jobs.put(job)

    def close(self, deadline_s: float) -> None:
        """Let each thread end after its job, and wait for them together."""
        with self._lock:
            self._is_closed = True
            threads = list(self._threads)
        for _ in threads:
            self._jobs.put(None)
        until = time.monotonic() + deadline_s
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, until - time.monotonic()))

    def _add(self) -> None:
        thread = threading.Thread(target=self._run, name=f"worker {self.size + 1}", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            log.error("a thread could not be made, %d must do: %s", self.size, error)
        else:
            self._threads.append(thread)

    def _run(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            job = self._jobs.get()
            with self._lock:
                self._idle -= 1
                if job is not None:
                    self._queued -= 1
            if job is None:
                return
            try:
                job()
            except Exception:
                log.exception("a worker's job failed")


class Slots(Generic[T]):
    """At most so many calls are executed at once; the others wait here in their order.

    Args:
        number: Of slots.
        most_waiting: Further calls are refused.
    """

    def __init__(self, number: int, most_waiting: int) -> None:
        self._free = self._number = number
        self._most_waiting = most_waiting
        self._waiting: deque[T] = deque()
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
