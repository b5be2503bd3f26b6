"""The component's side of the log service: a handler that never holds up its program."""

from __future__ import annotations

import logging
import traceback
from datetime import UTC, datetime
from typing import Any

from typing_extensions import override

from idl_like_interfaces.clients.spooler import Bounds, Counters, Parcel, Spooler
from idl_like_interfaces.logs import LEVEL_NUMBERS, LogBatch, LogLevel, LogRecord, LogService

SPOOL_RECORDS = 10_000
BATCH_RECORDS = 200
BATCH_WINDOW_S = 0.2

LONGEST_TEXT = 16_384
LONGEST_TRACEBACK = 32_768

# Sending a record must not make records that are sent: the transport's own loggers
# and those of this package stay out.
SILENT_LOGGERS = ("idl_like_interfaces.clients", "idl_like_interfaces.mapping", "Pyro5")

_MIB = 1024 * 1024
_OVERHEAD = 256
_EXIT_FLUSH_S = 0.5
_BY_NUMBER = sorted(((number, level) for level, number in LEVEL_NUMBERS.items()), reverse=True)


def register_levels() -> None:
    """Teach ``logging`` ESO's level names that it does not know."""
    for level, number in LEVEL_NUMBERS.items():
        logging.addLevelName(number, level.value)


def level_of(number: int) -> LogLevel:
    """Return the most severe declared level that is not above a number of ``logging``."""
    for least, level in _BY_NUMBER:
        if number >= least:
            return level
    return LogLevel.TRACE


def wire_text(text: str, longest: int) -> str:
    """Return a text that any serializer carries: no lone surrogates, not too long."""
    clean = text.encode("utf-8", "replace").decode()
    if len(clean) <= longest:
        return clean
    return f"{clean[:longest]}… ({len(clean) - longest} more characters)"


class LogForwarder(logging.Handler):
    """Forwards the records of a component to the log service, in batches, each once.

    While the service is away records wait in a bounded spool; when that is full the
    oldest are dropped, and the service adds up how many.

    Attributes:
        component: Whose records they are.
        incarnation: Start of the component.
    """

    def __init__(
        self,
        service: LogService,
        component: str,
        incarnation: str,
        *,
        spool_records: int = SPOOL_RECORDS,
        silent: tuple[str, ...] = SILENT_LOGGERS,
    ) -> None:
        super().__init__()
        register_levels()
        self.component = component
        self.incarnation = incarnation
        self._service = service
        self._silent = silent
        self._silent_below = tuple(f"{name}." for name in silent)
        bounds = Bounds(
            spool_items=spool_records,
            spool_bytes=16 * _MIB,
            batch_items=BATCH_RECORDS,
            batch_bytes=_MIB,
            window_s=BATCH_WINDOW_S,
        )
        self._spooler: Spooler[LogRecord] = Spooler(f"log of {component}", self._send, bounds)

    @override
    def filter(self, record: logging.LogRecord) -> Any:
        # Here and not in emit: before the handler's lock is taken, which logging.shutdown
        # holds while it waits for the sender.
        if self._spooler.is_sender() or self._is_silent(record.name):
            return False
        return super().filter(record)

    def _is_silent(self, logger: str) -> bool:
        return logger in self._silent or logger.startswith(self._silent_below)

    @override
    def emit(self, record: logging.LogRecord) -> None:
        try:
            told = self._told(record)
            size = len(told.text) + len(told.traceback) + _OVERHEAD
            self._spooler.put(told, size)
        except Exception:  # noqa: BLE001 (a record with wrong arguments must not stop the program)
            self.handleError(record)

    def _told(self, record: logging.LogRecord) -> LogRecord:
        return LogRecord(
            time=datetime.fromtimestamp(record.created, UTC),
            level=level_of(record.levelno),
            component=self.component,
            logger=wire_text(record.name, 255),
            text=wire_text(record.getMessage(), LONGEST_TEXT),
            traceback=wire_text(_traceback(record), LONGEST_TRACEBACK),
        )

    @property
    def counters(self) -> Counters:
        """Records produced, stored by the service, and dropped."""
        return self._spooler.counters

    @override
    def flush(self) -> None:
        self._spooler.flush(_EXIT_FLUSH_S)

    def drain(self, timeout_s: float) -> bool:
        """Wait until the service has all records; tell whether it has."""
        return self._spooler.flush(timeout_s)

    @override
    def close(self, timeout_s: float = 2.0) -> None:
        self._spooler.close(timeout_s)
        super().close()

    def _send(self, parcel: Parcel[LogRecord]) -> None:
        batch = LogBatch(
            component=self.component,
            incarnation=self.incarnation,
            first=parcel.first,
            records=parcel.items,
            lost=parcel.lost,
        )
        self._service.append(batch)


def _traceback(record: logging.LogRecord) -> str:
    if record.exc_info and record.exc_info[0] is not None:
        return "".join(traceback.format_exception(*record.exc_info))
    return record.exc_text or ""
