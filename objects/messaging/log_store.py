"""The store of log records: a row of SQLite files, the newest of which is written."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from idl_like_interfaces.accounts import Account, Flow, HopKind
from idl_like_interfaces.clients.accounts import Book, Hop
from idl_like_interfaces.errors import PersistStore
from idl_like_interfaces.logs import LogBatch, LogLevel, LogQuery, LogRecord, LogStats, StoredRecord
from objects.component.clock import Clock, SystemClock
from objects.messaging.log_file import LogFile
from objects.messaging.log_folder import (
    Damage,
    LogFolder,
    failures,
    is_damage,
    is_no_room,
    refusals,
)
from objects.messaging.log_limits import LogLimits, is_full, may_go, must_go
from objects.messaging.log_merge import merged, stats_of
from objects.messaging.log_schema import Seed
from objects.messaging.log_select import microseconds

STORE_LOGGER = "log.store"
"""The logger of the log service's own records about its store."""


class SqliteLogStore:
    """Records of all components; any thread may call it.

    A stored batch survives a crash of the process. Readers do not hold up the writer. What
    is too much goes file by file. A damaged file is set aside, and a new one begun.

    Args:
        file: The store's first file; the others are beside it.
        limits: What is kept.
        name: Name of the log service, for its own records.
        clock: The time.
        on_damage: Is told of each file that was set aside.
        on_problem: Is told why nothing can be stored, and, with an empty text, that it can again.

    Attributes:
        file: The store.
        problem: Why nothing can be stored at the moment; empty: it can.

    Raises:
        BadParam: The folder cannot be written, or the file is something else.
    """

    def __init__(
        self,
        file: Path,
        limits: LogLimits = LogLimits(),  # noqa: B008 (frozen)
        *,
        name: str = "log",
        clock: Clock | None = None,
        on_damage: Callable[[Damage], None] = lambda _: None,
        on_problem: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.file = file
        self.problem = ""
        self._limits = limits
        self._name = name
        self._clock = clock or SystemClock()
        self._opened = self._clock.monotonic(), self._clock.utc().timestamp()
        self._on_damage = on_damage
        self._on_problem = on_problem
        self._folder = LogFolder(file)
        self._writing = threading.RLock()
        self._is_closed = False
        self._files: tuple[LogFile, ...] = ()
        with refusals(file):
            file.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._open()
            except BaseException:
                self.close()
                raise

    def _open(self) -> None:
        *older, newest = self._folder.paths()
        damages = [self._open_one(path, is_written=False) for path in older]
        newest_damage = self._open_one(newest, is_written=True)
        if newest_damage is not None:
            self._begin_after(newest_damage)
        for damage in (*damages, newest_damage):
            if damage is not None:
                self._tell(damage)

    def _open_one(self, path: Path, *, is_written: bool) -> Damage | None:
        # The seed is for a file that is new, or that a crash has left empty.
        seed = self._seed(self._folder.first_of(path))
        try:
            file = self._folder.open(path, seed, is_written=is_written)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            return self._folder.set_aside(path, error)
        self._files = (*self._files, file)
        return None

    def _seed(self, first: int, *, knows_senders: bool = True) -> Seed:
        made = microseconds(self._clock.utc())
        if not self._files:
            return Seed(first=first, made=made)
        before = self._files[-1]
        held = before.contents()
        return Seed(
            first=first,
            before=held.before + held.records,
            lost=held.lost,
            made=made,
            senders=before.senders() if knows_senders else (),
        )

    def close(self) -> None:
        """Close the files."""
        self._is_closed = True
        with self._writing:
            for file in self._files:
                file.close()

    def append(self, batch: LogBatch) -> int:
        """Store what is new in a batch; return how many records that is.

        Raises:
            PersistStore: It cannot be written; nothing was stored.
        """
        with self._writing, failures(self.file, "written"):
            self._check_open()
            try:
                return self._append(batch)
            except sqlite3.Error as error:
                if not self._has_helped(error):
                    raise
            return self._append(batch)

    def _append(self, batch: LogBatch) -> int:
        now = self._clock.utc()
        try:
            stored = self._files[-1].append(batch, self._name, now)
        except sqlite3.Error as error:
            self._note_problem(str(error))
            raise
        self._note_problem("")
        self._rotate_when_full()
        return stored

    def _age_now_s(self) -> float:
        """Return up to when ages count: a clock that is set forward must not cost the whole log."""
        monotonic, utc_s = self._opened
        return min(self._clock.utc().timestamp(), utc_s + self._clock.monotonic() - monotonic)

    def _has_helped(self, error: sqlite3.Error) -> bool:
        """Do what can be done about an error; tell whether to try again."""
        if is_damage(error):
            self._set_aside(self._files[-1], error)
            return True
        return is_no_room(error) and self._make_room()

    def _rotate_when_full(self) -> None:
        written, now_s = self._files[-1], self._age_now_s()
        if not is_full(written.facts(now_s), self._limits, now_s):
            return
        try:
            new = self._folder.begin(self._seed(written.last() + 1))
        except sqlite3.OperationalError:
            return  # there is no room for one: the old one goes on
        written.seal()
        self._files = (*self._files, new)

    def maintain(self) -> None:
        """Remove what is too much, file by file; look whether a problem is over; call it often."""
        with self._writing:
            if self._is_closed:
                return
            if self.problem:
                self._probe()
            self._rotate_when_full()
        while self._remove_oldest(must_go):
            pass

    def _probe(self) -> None:
        try:
            self._files[-1].probe()
        except sqlite3.Error as error:
            self._note_problem(str(error))
        else:
            self._note_problem("")

    def _note_problem(self, problem: str) -> None:
        has_changed = bool(problem) != bool(self.problem)
        self.problem = problem
        if has_changed:
            self._on_problem(problem)

    def _make_room(self) -> bool:
        return self._remove_oldest(must_go) or self._remove_oldest(may_go)

    def _remove_oldest(self, is_due: Callable[..., bool]) -> bool:
        with self._writing:
            now_s = self._age_now_s()
            facts = [] if self._is_closed else [each.facts(now_s) for each in self._files]
            if not is_due(facts, self._limits, now_s):
                return False
            oldest, *rest = self._files
            self._files = tuple(rest)
            oldest.remove()
            return True

    def _set_aside(self, file: LogFile, error: sqlite3.Error) -> None:
        """Keep a damaged file under another name; when it was written, begin a new one."""
        with self._writing:
            if file not in self._files:
                return  # somebody else has met the damage, too
            was_written = file is self._files[-1]
            file.close()
            damage = self._folder.set_aside(file.path, error)
            self._files = tuple(each for each in self._files if each is not file)
            if was_written:
                self._begin_after(damage)
            self._tell(damage)

    def _begin_after(self, damage: Damage) -> None:
        # What the damaged file knew of senders is gone with it: they are taken for new ones.
        new = self._folder.begin(self._seed(damage.behind, knows_senders=False))
        self._files = (*self._files, new)

    def _tell(self, damage: Damage) -> None:
        self._files[-1].note(self._told(damage))
        self._on_damage(damage)

    def _told(self, damage: Damage) -> LogRecord:
        return LogRecord(
            time=self._clock.utc(),
            level=LogLevel.ERROR,
            component=self._name,
            logger=STORE_LOGGER,
            text=f"the file {damage.path.name} of the log store is damaged ({damage.why}): kept as "
            f"{damage.kept.name}; its records, from number {damage.first} on, are missing here",
        )

    def last(self) -> int:
        """Return the number of the newest record; 0 when there is none."""
        with failures(self.file, "read"):
            self._check_open()
            return self._files[-1].last()

    def select(self, query: LogQuery, *, by_number: bool = False) -> list[StoredRecord]:
        """Return matching records, as many as fit into a reply.

        Args:
            query: Which.
            by_number: In order of arrival instead of time; "newest" follows it.

        Raises:
            PersistStore: The store cannot be read.
        """
        with failures(self.file, "read"):
            self._check_open()
            return merged(self._files, query, by_number=by_number, on_damage=self._set_aside)

    def stats(self) -> LogStats:
        """Add up what is stored."""
        with failures(self.file, "read"):
            self._check_open()
            return stats_of(self._files, self.problem)

    def accounts(self) -> list[Account]:
        """Return what it took and stored from each sender, since the newest file began to know it."""
        with failures(self.file, "read"):
            self._check_open()
            senders = self._files[-1].senders()
        hop = Hop(name=self._name, kind=HopKind.WRITER, flow=Flow.LOG)
        accounts: list[Account] = []
        for component, incarnation, behind, lost, stored, _ in senders:
            book = Book()
            book.take(stored, first=max(1, behind - stored - lost), last=behind - 1)
            book.pass_on(stored)
            book.miss("supplier", lost)
            accounts.append(book.account(hop, component, incarnation))
        return accounts

    def _check_open(self) -> None:
        if self._is_closed:
            raise PersistStore(
                f"the log store {self.file} is closed",
                cause="the service ends",
                remedy="ask again when it runs; components send again what waits",
            )
