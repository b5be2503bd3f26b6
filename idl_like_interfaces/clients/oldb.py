"""The writer's side of the online database: writing that never waits for it."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from typing_extensions import override

from idl_like_interfaces.clients.backoff import Backoff
from idl_like_interfaces.clients.oldb_values import check_key, measured_value
from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import BadParam, RemoteError
from idl_like_interfaces.oldb import DataWrite, InvalidKey, OnlineDatabase, Quality, WriteReply

log = logging.getLogger(__name__)

WINDOW_S = 0.05
"""So long the first value of a batch waits for more."""

CHECK_S = 2.0
"""A writer with nothing to write says so often that it lives, and looks whether it is known."""

_LONGEST_PAUSE_S = 2.0
"""A database that is back has everything soon after."""

BATCH_POINTS = 500
BATCH_BYTES = 1024 * 1024

_OVERHEAD = 200


@dataclass(frozen=True, slots=True)
class _Entry:
    """A value that was written last under its key, and what it weighs."""

    write: DataWrite
    size: int


class OldbWriter(Closing):
    """Writes the values of one source; any thread may use it, nobody ever waits.

    The newest value of each key waits until the database has it, through any outage, and is
    remembered after that: a database that was begun anew is told everything again.

    Args:
        database: Where.
        source: Who writes, e.g. ``obs/ocm``.
        incarnation: Its start.
        most_keys: Keys that are remembered; beyond that the oldest are let go.
        most_bytes: The same in bytes.
        window_s: How long a value waits for others.
        check_s: After so long without a write the database is asked whether it is the same.
        now: The time, UTC.
    """

    def __init__(
        self,
        database: OnlineDatabase,
        source: str,
        incarnation: str,
        *,
        most_keys: int = 10_000,
        most_bytes: int = 16 * 1024 * 1024,
        window_s: float = WINDOW_S,
        check_s: float = CHECK_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.source = source
        self.incarnation = incarnation
        self._database = database
        self._most = most_keys, most_bytes
        self._window_s, self._check_s = window_s, check_s
        self._now = now
        self._changed = threading.Condition()
        self._waiting: OrderedDict[str, _Entry] = OrderedDict()
        self._settled: OrderedDict[str, _Entry] = OrderedDict()
        self._bytes = self._number = self._dropped = self._hurried = 0
        self._known: WriteReply | None = None
        self._batch_points = BATCH_POINTS
        self._is_away = self._is_closed = False
        self._thread = threading.Thread(target=self._run, name=f"oldb {source}", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many keys the database does not have as they are."""
        with self._changed:
            return len(self._waiting)

    @property
    def dropped(self) -> int:
        """How many values never got there: too many waited, or they were refused."""
        return self._dropped

    @property
    def is_away(self) -> bool:
        """Tell whether the database did not answer the last time."""
        return self._is_away

    def write(self, key: str, value: Any, quality: Quality = Quality.OK) -> None:
        """Write a value; returns at once.

        Raises:
            InvalidKey: It is not a key; nothing is written.
            BadParam: The value cannot travel; nothing is written.
        """
        check_key(key)
        plain, size = measured_value(value)
        self._put(key, plain, size, quality, is_removed=False)

    def remove(self, key: str) -> None:
        """Remove a key; returns at once.

        Raises:
            InvalidKey: It is not a key.
        """
        check_key(key)
        self._put(key, None, 0, Quality.OK, is_removed=True)

    def flush(self, timeout_s: float) -> bool:
        """Wait until the database has everything; tell whether it has."""
        with self._changed:
            return self._hurry(lambda: not self._waiting, timeout_s)

    @override
    def close(self, timeout_s: float = 2.0) -> None:
        """Write what waits, for at most ``timeout_s`` and only while the database answers; end."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            self._hurry(lambda: not self._waiting or self._is_away, timeout_s)
            self._is_closed = True
            self._changed.notify_all()
        # A call that hangs has a deadline of its own, behind which the thread ends.
        self._thread.join(max(0.1, deadline - time.monotonic()))

    def _hurry(self, is_done: Callable[[], bool], timeout_s: float) -> bool:
        self._hurried += 1
        self._changed.notify_all()
        try:
            return self._changed.wait_for(is_done, timeout_s)
        finally:
            self._hurried -= 1

    def _put(self, key: str, plain: Any, size: int, quality: Quality, *, is_removed: bool) -> None:
        size += len(key) + _OVERHEAD
        with self._changed:
            if self._is_closed:
                return
            self._number += 1
            write = DataWrite(
                key=key,
                value=plain,
                quality=quality,
                time=self._now(),
                is_removed=is_removed,
                number=self._number,
            )
            old = self._settled.pop(key, None) or self._waiting.get(key)
            self._waiting[key] = _Entry(write, size)
            self._bytes += size - (old.size if old else 0)
            self._bound()
            self._changed.notify_all()

    def _bound(self) -> None:
        """Let the oldest go: of what the database has first, since that is lost by nobody."""
        most_keys, most_bytes = self._most
        while len(self._waiting) + len(self._settled) > most_keys or self._bytes > most_bytes:
            from_settled = bool(self._settled)
            key, entry = (self._settled if from_settled else self._waiting).popitem(last=False)
            self._bytes -= entry.size
            if not from_settled:
                self._drop(key, "too many values wait")

    def _drop(self, key: str, why: str) -> None:
        log.log(logging.DEBUG if self._dropped else logging.WARNING, "%s is lost: %s", key, why)
        self._dropped += 1

    def _run(self) -> None:
        backoff = Backoff(longest_s=_LONGEST_PAUSE_S)
        while (batch := self._next_batch()) is not None:
            is_there = self._deliver(batch)
            with self._changed:
                self._is_away = not is_there
                self._changed.notify_all()
                if is_there:
                    backoff.reset()
                else:
                    self._changed.wait_for(lambda: self._is_closed, backoff.next_s())

    def _next_batch(self) -> list[DataWrite] | None:
        """Wait for something to write, or for the time to look after the database."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or self._waiting, self._check_s)
            if self._waiting:
                self._changed.wait_for(self._is_due, self._window_s)
            return None if self._is_closed else self._batch()

    def _is_due(self) -> bool:
        return self._is_closed or self._hurried > 0 or len(self._waiting) >= self._batch_points

    def _batch(self) -> list[DataWrite]:
        batch: list[DataWrite] = []
        size = 0
        for entry in self._waiting.values():
            size += entry.size
            if len(batch) >= self._batch_points or (batch and size > BATCH_BYTES):
                break
            batch.append(entry.write)
        return batch

    def _deliver(self, batch: list[DataWrite]) -> bool:
        """Write a batch once; tell whether the database answered."""
        try:
            reply = self._database.write(self.source, self.incarnation, batch)
        except (InvalidKey, BadParam) as error:
            self._was_refused(batch, error)
        except (RemoteError, OSError) as error:
            log.debug("%s: the online database is away: %s", self.source, error)
            return False
        except Exception:
            log.exception("%s: writing to the online database failed unexpectedly", self.source)
            return False
        else:
            self._has_got(batch, reply)
        return True

    def _has_got(self, batch: list[DataWrite], reply: WriteReply) -> None:
        with self._changed:
            if self._known is not None and _is_another(self._known, reply):
                log.info(
                    "%s: the online database was begun anew: all is written again", self.source
                )
                self._waiting |= self._settled
                self._settled.clear()
            self._known = reply
            for write in batch:
                self._settle(write)
            if not self._waiting:
                self._batch_points = BATCH_POINTS

    def _settle(self, write: DataWrite) -> None:
        entry = self._waiting.get(write.key)
        if entry is None or entry.write.number != write.number:
            return  # newer already
        del self._waiting[write.key]
        if write.is_removed:
            self._bytes -= entry.size
        else:
            self._settled[write.key] = entry

    def _was_refused(self, batch: list[DataWrite], error: RemoteError) -> None:
        """Find out which is refused: from now on one by one, until all are through."""
        with self._changed:
            if len(batch) > 1:
                self._batch_points = 1
                return
            for write in batch:
                entry = self._waiting.pop(write.key, None)
                self._bytes -= entry.size if entry else 0
                self._drop(write.key, error.explain())


def _is_another(known: WriteReply, reply: WriteReply) -> bool:
    """Tell whether a database is not what it was: begun anew, or put back to an old state."""
    return reply.base != known.base or reply.revision < known.revision
