"""A log file for each process, ``$DAQ_LOGS/<component>.log``, when that folder is there."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from logging.handlers import WatchedFileHandler
from pathlib import Path

from typing_extensions import override

VARIABLE = "DAQ_LOGS"

log = logging.getLogger(__name__)


@contextmanager
def logging_to_file(component: str) -> Iterator[None]:
    """Log into the component's file below ``$DAQ_LOGS`` as well, as long as this lasts.

    The variable must name a folder that exists and can be written; else this is said once,
    and the component works without the file.
    """
    handler = _handler(component)
    if handler is None:
        yield
        return
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()


class LogFile(WatchedFileHandler):
    """A log file that may be moved away and begun anew, and whose disk may be full.

    A record that cannot be written is missing there; the first of such a time is told on
    stderr, for a log that cannot be written must not stop what it is a log of.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", errors="backslashreplace")
        formatter = logging.Formatter(
            "%(asctime)s.%(msecs)03dZ %(levelname)-8s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S"
        )
        formatter.converter = time.gmtime
        self.setFormatter(formatter)
        self._is_failing = False

    @override
    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.reopenIfNeeded()
            if not self.stream:
                self.stream = self._open()
            self.stream.write(self.format(record) + self.terminator)
            self.stream.flush()
        except OSError as error:
            self._give_up(error)
        except Exception:  # noqa: BLE001 (a record with wrong arguments must not stop the program)
            self.handleError(record)
        else:
            self._is_failing = False

    def _give_up(self, error: OSError) -> None:
        """Throw away what its buffer holds, which would fail again; the next record opens it."""
        with suppress(OSError):
            if self.stream:
                self.stream.close()
        self.stream = None
        if not self._is_failing:
            sys.stderr.write(f"{self.baseFilename} cannot be written: {error.strerror}\n")
        self._is_failing = True


def _handler(component: str) -> LogFile | None:
    folder = os.environ.get(VARIABLE, "")
    if not folder:
        return None
    path = Path(folder) / f"{component}.log"
    try:
        if not Path(folder).is_dir():
            log.warning("there is no log file: $%s is %s, which is no folder", VARIABLE, folder)
            return None
        return LogFile(path)
    except OSError as error:
        log.warning("there is no log file: %s cannot be written: %s", path, error.strerror)
        return None
