"""The online database at work: stores what was decided, tells it, judges who has fallen silent."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from idl_like_interfaces.alarms import AlarmReport, Severity
from idl_like_interfaces.announcements import ComponentState, Heartbeat
from idl_like_interfaces.errors import BadParam, PersistStore
from idl_like_interfaces.oldb import OLDB_TOPIC, DataWrite, WriteReply
from objects.component.site import Site
from objects.oldb.filters import KeyFilters
from objects.oldb.points import Kept, changes_of, rejudged
from objects.oldb.sources import Sources
from objects.oldb.store import Damaged, SqliteOldbStore

log = logging.getLogger(__name__)

NOT_WRITABLE = "online database not writable"
WAS_DAMAGED = "online database was damaged"

_PORTION = 1000


class Database:
    """Everything that changes the store goes through here, one after the other.

    Args:
        site: Where changes are published and alarms raised; its clock.
        store: Keeps the points.
        most_keys: No further keys are taken beyond.
        on_change: Called after each commit; must not block.
    """

    def __init__(
        self,
        site: Site,
        store: SqliteOldbStore,
        most_keys: int,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.store = store
        self._site = site
        self._most_keys = most_keys
        self._on_change = on_change
        self._lock = threading.RLock()
        self._sources = Sources()
        self._unjudged: set[str] = set()
        self._sees = False
        self._problem = ""
        self._damage: Damaged | None = None
        self._told_damaged = 0
        self._sources.recall(store.starts(), site.clock.monotonic())

    @property
    def problem(self) -> str:
        """Why changes are not stored at the moment; empty: they are."""
        return self._problem

    def proclaim(self) -> None:
        """Publish where everything stands: before the start a crash may have kept it from us."""
        with self._lock, self._guarded():
            self._tell_of_damage()
            last = 0
            while portion := self.store.since(last, _PORTION):
                self._publish(portion)
                last = portion[-1].revision

    def write(self, source: str, incarnation: str, points: Sequence[DataWrite]) -> WriteReply:
        """Store checked values, publish what has changed; see ``OnlineDatabase.write``."""
        with self._lock, self._guarded():
            if not self._sources.is_past(source, incarnation):
                self._hear(source, incarnation)
                if points:
                    self._write(source, incarnation, points)
            self._judge()
            return WriteReply(revision=self.store.revision, base=self.store.base)

    def remove(self, filters: KeyFilters) -> int:
        """Remove all keys that match; return how many there were."""
        removed = 0
        after = ""
        with self._lock, self._guarded():
            while portion := self.store.page(after, filters.prefix, _PORTION):
                after = portion[-1].key
                gone = [_removed(each) for each in portion if filters.matches(each.key)]
                self._save(gone, -len(gone))
                removed += len(gone)
        return removed

    def hear(self, heartbeat: Heartbeat) -> None:
        """Take note that a component lives, or says that it stops."""
        source = f"{self._site.root}/{heartbeat.component}"
        is_last = heartbeat.state is ComponentState.STOPPED
        with self._lock:
            self._hear(source, heartbeat.incarnation, is_beat=True, is_last=is_last)

    def look(self, *, sees: bool) -> None:
        """Judge who has fallen silent; try again what could not be stored.

        Args:
            sees: Heartbeats come through; while they do not, nobody is judged.
        """
        now = self._site.clock.monotonic()
        with self._lock:
            if not (sees and self._sees):
                self._sources.wait_anew(now)
            self._sees = sees
            self._unjudged.update(self._sources.fallen_silent(now))
            try:
                with self._guarded():
                    self._judge()
                    if self._problem:
                        self.store.tidy()
                        self._recover()
            except PersistStore as error:
                log.debug("tried again: %s", error)

    def tidy(self) -> None:
        """Forget the oldest of the removed keys, and damage whose files somebody has taken away."""
        with self._lock, self._guarded():
            self.store.tidy()
            if self._told_damaged and not any(each.exists() for each in self.store.damaged):
                self.store.damaged.clear()
                self._told_damaged = 0
                self._site.clear_alarm(WAS_DAMAGED, text="the damaged files were taken away")

    @contextmanager
    def reading(self) -> Iterator[SqliteOldbStore]:
        """Give the store to who reads; one that turns out to be damaged is begun anew.

        Raises:
            PersistStore: It cannot be read.
        """
        base = self.store.base
        try:
            yield self.store
        except Damaged as error:
            with self._lock, self._guarded():
                if self.store.base == base:  # else another one has seen to it meanwhile
                    raise
            raise _was_begun_anew(error) from error

    def _hear(
        self, source: str, incarnation: str, *, is_beat: bool = False, is_last: bool = False
    ) -> None:
        now = self._site.clock.monotonic()
        if self._sources.hear(source, incarnation, now, is_beat=is_beat, is_last=is_last):
            self._unjudged.add(source)

    def _write(self, source: str, incarnation: str, points: Sequence[DataWrite]) -> None:
        kept = self.store.find(each.key for each in points)
        is_trusted = self._sources.is_trusted(source, incarnation)
        changes = changes_of(source, incarnation, points, kept, is_trusted=is_trusted)
        keys = sum(_count(each) - _count(kept.get(each.key)) for each in changes)
        if keys > 0 and self.store.keys + keys > self._most_keys:
            raise BadParam(
                f"the online database has {self.store.keys} keys, and no room for {keys} more",
                field="points",
                cause=f"its setting max_keys is {self._most_keys}; something makes ever new keys",
                remedy="find out who (`obsorb oldb ls`) and remove what is not needed",
            )
        self._save(changes, keys)

    def _judge(self) -> None:
        """Mark the values of those who were heard or fell silent; a failure is tried again."""
        for source in list(self._unjudged):
            living = self._sources.living(source)
            self.store.save_starts(source, self._sources.starts(source))
            self._save(rejudged(self.store.of_source(source), living), 0)
            self._unjudged.discard(source)

    def _save(self, changes: Sequence[Kept], keys: int) -> None:
        if changes:
            saved = self.store.save(changes, keys=keys)
            self._recover()
            self._publish(saved)
            self._on_change()

    def _publish(self, changes: Sequence[Kept]) -> None:
        for each in changes:
            self._site.publish(f"{OLDB_TOPIC}/{each.key}", each.as_point())

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Raise an alarm while the store cannot be used; begin a damaged one anew."""
        try:
            self._mend()
            yield
        except Damaged as error:
            self._damage = error
            self._mend()
            raise _was_begun_anew(error) from error
        except PersistStore as error:
            self._fail(error)
            raise

    def _mend(self) -> None:
        if self._damage is None:
            return
        self.store.begin_anew(self._damage)
        self._damage = None
        self._tell_of_damage()
        self._on_change()

    def _tell_of_damage(self) -> None:
        for file in self.store.damaged[self._told_damaged :]:
            self._raise(
                WAS_DAMAGED,
                f"it is kept as {file}; a new one was begun, and all components write into it again",
                cause="a fault of the disk, or something else has written into the file",
                remedy=f"look after the disk; take {file.name} away when nobody needs it, "
                "this alarm ends then",
                severity=Severity.WARNING,
            )
        self._told_damaged = len(self.store.damaged)

    def _fail(self, error: PersistStore) -> None:
        if not self._problem:
            log.error("%s", error)
            self._raise(
                NOT_WRITABLE,
                error.message,
                cause=error.cause or "see the text",
                remedy=error.remedy or "see the log of the online database",
                severity=Severity.MAJOR,
            )
        self._problem = error.message

    def _recover(self) -> None:
        if self._problem:
            self._problem = ""
            log.info("the online database is stored again")
            self._site.clear_alarm(NOT_WRITABLE, text="changes are stored again")

    def _raise(self, name: str, text: str, *, cause: str, remedy: str, severity: Severity) -> None:
        report = AlarmReport(
            object=f"{self._site.root}/{self._site.name}",
            name=name,
            severity=severity,
            text=text,
            cause=cause,
            remedy=remedy,
            time=self._site.clock.utc(),
            subsystem="services",
        )
        self._site.raise_alarm(report)


def _was_begun_anew(error: Damaged) -> PersistStore:
    return PersistStore(
        f"the online database was damaged ({error}) and has been begun anew",
        cause="the file was changed by something else, or its disk has a fault",
        remedy="call again; the damaged file is kept beside it",
    )


def _removed(kept: Kept) -> Kept:
    return replace(kept, value=b"null", is_removed=True, revision=0)


def _count(kept: Kept | None) -> int:
    return 0 if kept is None or kept.is_removed else 1
