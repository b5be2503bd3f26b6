"""The logbook: an entry at the begin and at the end of each run, in a file that only grows.

One JSON document on a line. An entry is known by run and moment, and made once: whoever makes it
again after a crash finds it there.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.run_control import LogbookEntry, LogbookMoment
from objects.component.atomic import fsync_folder
from objects.run_control.records import RunRecord

log = logging.getLogger(__name__)

MOST_TOLD = 10_000


class Logbook:
    """The logbook in a file; any thread may call it.

    Args:
        file: Made when it is missing; a torn last line is cut off.

    Raises:
        BadParam: The file cannot be used.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._known: set[tuple[int, LogbookMoment]] = set()
        self._last = 0
        self._latest: deque[LogbookEntry] = deque(maxlen=MOST_TOLD)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._read()
        except OSError as error:
            raise BadParam(
                f"run control cannot use its logbook {file}: {error}",
                field="logbook",
                cause="the folder is missing or read-only, or the disk is full",
                remedy="correct the folder's rights or the setting 'logbook'",
            ) from error

    def add(self, make: LogbookEntry) -> LogbookEntry | None:
        """Append an entry with the next number; return it, ``None``: it is there already.

        Raises:
            OSError: It could not be written; the file is as it was.
        """
        key = (make.run, make.moment)
        with self._lock:
            if key in self._known:
                return None
            entry = replace(make, number=self._last + 1)
            self._append(msgspec.json.encode(entry) + b"\n")
            self._remember(entry)
            return entry

    def has(self, run: int, moment: LogbookMoment) -> bool:
        """Tell whether there is an entry."""
        return (run, moment) in self._known

    def latest(self, limit: int) -> list[LogbookEntry]:
        """Return the newest entries, the oldest of them first.

        Raises:
            BadParam: The limit is out of range.
        """
        if not 1 <= limit <= MOST_TOLD:
            raise BadParam(
                f"limit: {limit} is not 1 to {MOST_TOLD}",
                field="limit",
                remedy="ask for fewer entries, or read the file",
            )
        with self._lock:
            return list(self._latest)[-limit:]

    def _append(self, line: bytes) -> None:
        # Unbuffered: nothing that failed may be left behind for a later flush to write.
        with self._file.open("ab", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            try:
                if not size:
                    fsync_folder(self._file.parent)
                left = memoryview(line)
                while left:
                    left = left[file.write(left) :]
                os.fsync(file.fileno())
            except OSError:
                os.ftruncate(file.fileno(), size)
                raise

    def _read(self) -> None:
        if not self._file.exists():
            return
        whole = 0
        with self._file.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                self._take(line)
            file.seek(0, os.SEEK_END)
            torn = file.tell() - whole
        if torn:
            log.warning("%s: a torn entry of %d bytes is cut off", self._file, torn)
            os.truncate(self._file, whole)

    def _take(self, line: bytes) -> None:
        try:
            self._remember(msgspec.json.decode(line, type=LogbookEntry))
        except msgspec.DecodeError as error:
            log.warning("%s: an entry cannot be read: %s", self._file, error)
            self._last += 1

    def _remember(self, entry: LogbookEntry) -> None:
        self._known.add((entry.run, entry.moment))
        # Not how many are known: one that cannot be read has used its number, too.
        self._last = max(self._last, entry.number)
        self._latest.append(entry)


def entry_of(
    record: RunRecord,
    moment: LogbookMoment,
    now: datetime,
    project: dict[str, str],
    remark: str,
) -> LogbookEntry:
    """Return the entry of a run; its number is given when it is added."""
    run = record.run
    about: dict[str, Any] = {}
    if moment is LogbookMoment.END:
        about = {
            "end": run.end,
            "phase": run.phase,
            "verdict": run.verdict,
            "missing": run.missing,
            "ended": run.ended,
            "events": run.events,
            "bytes": run.bytes,
            "files": sum(each.files_total for each in run.writers),
        }
    return LogbookEntry(
        **{
            "number": 0,
            "moment": moment,
            "time": now,
            "run": run.run,
            "by": record.ended_by if moment is LogbookMoment.END else record.by,
            "begin": run.begin,
            "phase": run.phase,
            "started": run.started,
            "configuration_digest": run.configuration_digest,
            "writers": [f"{each.name} ({each.reference})" for each in run.writers],
            "project": project,
            "remark": remark,
            **about,
        }
    )
