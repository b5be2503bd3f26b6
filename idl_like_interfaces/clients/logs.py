"""The component's side of the log service: a handler that never holds up its program."""

from __future__ import annotations

import logging
import traceback
from datetime import UTC, datetime
from typing import Any

from typing_extensions import override

from idl_like_interfaces.accounts import FOLDED, Account, Flow, HopKind
from idl_like_interfaces.clients.accounts import Book, Hop
from idl_like_interfaces.clients.folding import Folder, Folding
from idl_like_interfaces.clients.owner import current_owner
from idl_like_interfaces.clients.shipping import Manifest
from idl_like_interfaces.clients.spooler import Bounds, Counters, Parcel, Spooler
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.logs import LEVEL_NUMBERS, LogLevel, LogRecord, LogService

SPOOL_RECORDS = 10_000
BATCH_RECORDS = 200
BATCH_WINDOW_S = 0.2

LONGEST_TEXT = 16_384
LONGEST_TRACEBACK = 32_768
LONGEST_NAME = 255

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

    Floods are folded with exact counts. While the service is away records wait in a bounded
    spool; when that is full the oldest are dropped, and the service is told how many. A
    record belongs to the ``owner`` of its ``extra``, else to the one of ``log_owner``.

    Args:
        service: Where they go.
        component: Whose records they are.
        incarnation: Start of the component.
        spool_records: So many wait at most.
        silent: Loggers that are left out, with all below them.
        folding: From when on a flood is folded.

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
        folding: Folding = Folding(),
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
        self._manifest = Manifest(component, incarnation)
        self._spooler: Spooler[LogRecord] = Spooler(f"log of {component}", self._send, bounds)
        self._folder = Folder(f"log of {component}", self._put, folding)

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
            self._folder.take(self._told(record))
        except Exception:  # noqa: BLE001 (a record with wrong arguments must not stop the program)
            self.handleError(record)

    def _told(self, record: logging.LogRecord) -> LogRecord:
        return LogRecord(
            time=datetime.fromtimestamp(record.created, UTC),
            level=level_of(record.levelno),
            component=self.component,
            logger=wire_text(record.name, LONGEST_NAME),
            text=wire_text(record.getMessage(), LONGEST_TEXT),
            traceback=wire_text(_traceback(record), LONGEST_TRACEBACK),
            owner=wire_text(_owner(record), LONGEST_NAME),
        )

    def _put(self, record: LogRecord) -> None:
        if self._spooler.put(record, _size(record)):
            self._manifest.note(record)

    @property
    def counters(self) -> Counters:
        """Records produced (folded ones count once), stored by the service, and dropped."""
        return self._spooler.counters

    def account(self) -> Account:
        """Return how many records were made, stored, folded, dropped and still wait."""
        folded, open_floods = self._folder.tally()
        spooled, behind = self._spooler.counters, self._manifest.behind_losses()
        book = Book()
        book.take(spooled.produced + open_floods + folded)
        book.first, book.last = min(1, spooled.produced), spooled.produced
        book.pass_on(spooled.acknowledged)
        for drop in spooled.drops:
            book.drop(drop.reason, drop.count, drop.first, drop.last)
        # With what is lost, that for which it stood is lost, too.
        book.drop("spool", behind.spool)
        book.drop("refused", behind.refused)
        book.drop("closed", behind.closed)
        book.drop(FOLDED, folded - behind.total)
        hop = Hop(
            name=self.component, kind=HopKind.SUPPLIER, flow=Flow.LOG, incarnation=self.incarnation
        )
        return book.account(hop, self.component, self.incarnation)

    @override
    def flush(self) -> None:
        self.drain(_EXIT_FLUSH_S)

    def drain(self, timeout_s: float) -> bool:
        """Wait until the service has all records; tell whether it has."""
        self._folder.flush()
        return self._spooler.flush(timeout_s)

    @override
    def close(self, timeout_s: float = 2.0) -> None:
        self._folder.close()
        self._spooler.close(timeout_s)
        self._manifest.abandon()
        super().close()

    def _send(self, parcel: Parcel[LogRecord]) -> None:
        batch = self._manifest.batch(parcel)
        try:
            self._service.append(batch)
        except BadParam as error:
            self._manifest.refuse(batch, error)
            raise
        self._manifest.deliver()


def _traceback(record: logging.LogRecord) -> str:
    if record.exc_info and record.exc_info[0] is not None:
        return "".join(traceback.format_exception(*record.exc_info))
    return record.exc_text or ""


def _owner(record: logging.LogRecord) -> str:
    owner = getattr(record, "owner", None)
    return current_owner() if owner is None else str(owner)


def _size(record: LogRecord) -> int:
    """Return how long it is at most on its way."""
    texts = (record.text, record.traceback, record.owner)
    return sum(len(text) if text.isascii() else 4 * len(text) for text in texts) + _OVERHEAD
