"""Folding floods: of many log records that differ at most in numbers, one stands for the rest.

The first ones go through at once, what comes on top of them within a window is counted, and
a record with the count follows when the window ends. Errors, and records with a traceback, are
never folded: each of them goes through.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from msgspec.structs import replace

from idl_like_interfaces.logs import LEVEL_NUMBERS, LogLevel, LogRecord

_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_LONGEST_KIND = 256

Kind: TypeAlias = tuple[str, LogLevel, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Folding:
    """From when on a flood is folded.

    Attributes:
        beyond: So many records of a kind go through in each window; 0: nothing is folded.
        window_s: How long a window lasts from the first record on.
        most_kinds: Kinds that are counted at the same time; beyond, the oldest window ends early.
    """

    beyond: int = 50
    window_s: float = 5.0
    most_kinds: int = 1000


class _Window:
    """What came of a kind since its window began."""

    __slots__ = ("ends", "first", "folded", "passed", "until")

    def __init__(self, ends: float) -> None:
        self.ends = ends
        self.passed = self.folded = 0
        self.first: LogRecord | None = None
        self.until: LogRecord | None = None

    def fold(self, record: LogRecord) -> None:
        self.first = self.first or record
        self.until = record
        self.folded += 1

    def told(self) -> LogRecord | None:
        """Return the record that stands for those that were folded; the counting begins anew."""
        first, until, count = self.first, self.until, self.folded
        self.first = self.until = None
        self.folded = 0
        if first is None or until is None or count == 1:
            return first
        return replace(first, count=count, until=max(first.time, until.time))


class Folder:
    """Passes records on, or counts them; any thread may call it.

    Nothing is lost in it: what it was given is passed on, or stands in the count of a record
    that is passed on when its window ends, at ``flush`` or at the latest at ``close``.

    Args:
        name: For the thread's name.
        put: Takes what goes on; must not block.
        folding: When records are folded.
        clock: Seconds that never jump.
    """

    def __init__(
        self,
        name: str,
        put: Callable[[LogRecord], object],
        folding: Folding,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._put = put
        self._folding = folding
        self._clock = clock
        self._folded = 0
        # By the end of their windows, which all last equally long.
        self._windows: OrderedDict[Kind, _Window] = OrderedDict()
        self._floods = 0
        self._is_closed = False
        # Reentrant: the handler of a signal may log while this thread is in here.
        self._changed = threading.Condition(threading.RLock())
        self._thread = threading.Thread(target=self._run, name=f"folder {name}", daemon=True)
        self._thread.start()

    def tally(self) -> tuple[int, int]:
        """Return how many records others stand for, and how many of those others are to come."""
        with self._changed:
            waiting = sum(max(0, each.folded - 1) for each in self._windows.values())
            return self._folded + waiting, self._floods

    def take(self, record: LogRecord) -> None:
        """Pass a record on, or count it."""
        with self._changed:
            if self._is_closed or not self._may_fold(record):
                self._put(record)
                return
            now = self._clock()
            self._end_windows(now)
            window = self._window(_kind_of(record), now)
            if window.passed < self._folding.beyond:
                window.passed += 1
                self._put(record)
                return
            window.fold(record)
            if window.folded == 1:
                self._floods += 1
                self._changed.notify_all()

    def _may_fold(self, record: LogRecord) -> bool:
        is_error = LEVEL_NUMBERS[record.level] >= LEVEL_NUMBERS[LogLevel.ERROR]
        return bool(self._folding.beyond) and not is_error and not record.traceback

    def _window(self, kind: Kind, now: float) -> _Window:
        window = self._windows.get(kind)
        if window is None:
            window = self._windows.setdefault(kind, _Window(now + self._folding.window_s))
            if len(self._windows) > self._folding.most_kinds:
                self._end_oldest()
        return window

    def flush(self) -> None:
        """Pass on what stands for the records that were folded so far; their windows go on."""
        with self._changed:
            for window in self._windows.values():
                self._tell(window)

    def close(self) -> None:
        """Flush; what comes later goes through as it is."""
        with self._changed:
            self.flush()
            self._windows.clear()
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join()

    def _end_windows(self, now: float) -> None:
        while self._windows and next(iter(self._windows.values())).ends <= now:
            self._end_oldest()

    def _end_oldest(self) -> None:
        _, window = self._windows.popitem(last=False)
        self._tell(window)

    def _tell(self, window: _Window) -> None:
        told = window.told()
        if told is not None:
            self._floods -= 1
            self._folded += told.count - 1
            self._put(told)

    def _run(self) -> None:
        with self._changed:
            while not self._is_closed:
                self._end_windows(self._clock())
                self._changed.wait(self._patience())

    def _patience(self) -> float | None:
        """Return for how long nothing is to be told; ``None``: until there is a flood."""
        if not self._floods:
            return None
        ends = next(each.ends for each in self._windows.values() if each.folded)
        return max(0.0, ends - self._clock())


def _kind_of(record: LogRecord) -> Kind:
    """Return what records have in common that differ at most in numbers."""
    text = _NUMBER.sub("#", record.text)
    if len(text) > _LONGEST_KIND:
        text = hashlib.sha256(text.encode()).hexdigest()
    return record.logger, record.level, record.owner, text
