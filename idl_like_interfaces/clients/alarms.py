"""The component's side of the alarm service: reports that never wait and come through once."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

import msgspec
from typing_extensions import override

from idl_like_interfaces.alarms import (
    LONGEST_NAME,
    LONGEST_TEXT,
    AlarmBatch,
    AlarmClear,
    AlarmNote,
    AlarmReport,
    AlarmService,
    AllReported,
    ReportReply,
)
from idl_like_interfaces.clients.spooler import Bounds, Counters, Parcel, Spooler
from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import BadParam, RemoteError

log = logging.getLogger(__name__)

SPOOL_REPORTS = 10_000
BATCH_REPORTS = 200
BATCH_WINDOW_S = 0.005

CHECK_S = 5.0
"""How often a component that has reported something asks whether the service still knows it."""

RENEW_S = 10.0
"""A report that says nothing new is sent again after so long, not sooner."""

MOST_CONDITIONS = 5000

_MIB = 1024 * 1024
_OVERHEAD = 256

Key: TypeAlias = tuple[str, str]
"""Object and name: what a condition is known by."""

Report: TypeAlias = AlarmReport | AlarmClear | AlarmNote | AllReported


class AlarmReporter(Closing):
    """Reports the conditions of one component to the alarm service, in order, each once.

    While the service is away reports wait in a bounded spool. A service that lost what it
    knew (its store, or reports that the spool had to drop) is told anew all that holds.

    Args:
        service: The alarm service; it need not run yet.
        source: Who reports, e.g. ``obs/dpm``; also the object of what names none.
        incarnation: Its start.
        spool_reports: Reports that wait at most; then the oldest are dropped.
        check_s: How often to ask whether the service still knows all.
    """

    def __init__(
        self,
        service: AlarmService,
        source: str,
        incarnation: str,
        *,
        spool_reports: int = SPOOL_REPORTS,
        check_s: float = CHECK_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.source = source
        self.incarnation = incarnation
        self._service = service
        self._check_s = check_s
        self._monotonic = monotonic
        self._lock = threading.RLock()
        self._active: dict[Key, tuple[AlarmReport, float]] = {}
        self._cleared: OrderedDict[Key, None] = OrderedDict()
        self._is_full = False
        self._next = 1
        self._all_told_at = 0
        self._told_time = -RENEW_S
        self._checker: threading.Thread | None = None
        self._has_reported = False
        self._is_away = False
        self._closed = threading.Event()
        bounds = Bounds(
            spool_items=spool_reports,
            spool_bytes=16 * _MIB,
            batch_items=BATCH_REPORTS,
            batch_bytes=_MIB,
            window_s=BATCH_WINDOW_S,
        )
        self._spooler: Spooler[Report] = Spooler(f"alarms of {source}", self._send, bounds)

    def raise_alarm(self, report: AlarmReport) -> None:
        """Report a condition that holds; returns at once, and may be repeated at will.

        Raises:
            BadParam: A field is missing, too long or of the wrong type; nothing is reported.
        """
        report = checked(report)
        key = report.object, report.name
        with self._lock:
            if self._is_known(key, report) or not self._has_room(key):
                return
            self._active[key] = report, self._monotonic()
            self._cleared.pop(key, None)
            self._put(report)
            self._has_reported = True
            self._begin_to_check()

    def clear_alarm(self, name: str, object: str = "", text: str = "") -> None:
        """Report that a condition is over, also one that an earlier start reported.

        Args:
            name: Of the condition.
            object: As in the report; empty: the component itself.
            text: What to say about it.
        """
        key = (fitting(object or self.source, LONGEST_NAME), fitting(name, LONGEST_NAME))
        with self._lock:
            if self._active.pop(key, None) is None and key in self._cleared:
                return
            self._cleared[key] = None
            if len(self._cleared) > MOST_CONDITIONS:
                self._cleared.popitem(last=False)
            said = fitting(text, LONGEST_TEXT)
            self._put(AlarmClear(object=key[0], name=key[1], time=datetime.now(UTC), text=said))

    def note(self, text: str) -> None:
        """Enter something into the history that is no alarm, e.g. that a run begins."""
        with self._lock:
            self._put(AlarmNote(text=fitting(text, LONGEST_TEXT), time=datetime.now(UTC)))

    @property
    def active(self) -> list[AlarmReport]:
        """The conditions that hold, as reported."""
        with self._lock:
            return [report for report, _ in self._active.values()]

    def watch(self) -> None:
        """Look from now on whether the service is there, also before there is an alarm."""
        with self._lock:
            self._begin_to_check()

    @property
    def is_away(self) -> bool:
        """Tell whether the service did not answer when it was looked for last."""
        return self._is_away

    @property
    def counters(self) -> Counters:
        """Reports produced, taken by the service, and dropped."""
        return self._spooler.counters

    def flush(self, timeout_s: float) -> bool:
        """Wait until the service has all reports; tell whether it has."""
        return self._spooler.flush(timeout_s)

    @override
    def close(self, timeout_s: float = 2.0) -> None:
        """Send what waits, for at most ``timeout_s``, and end; conditions are not cleared."""
        self._closed.set()
        self._spooler.close(timeout_s)
        if self._checker is not None:
            self._checker.join(timeout_s)

    def _is_known(self, key: Key, report: AlarmReport) -> bool:
        before = self._active.get(key)
        if before is None or self._monotonic() - before[1] >= RENEW_S:
            return False
        return msgspec.structs.replace(report, time=before[0].time) == before[0]

    def _has_room(self, key: Key) -> bool:
        if key in self._active or len(self._active) < MOST_CONDITIONS:
            return True
        if not self._is_full:
            self._is_full = True
            log.error("%s has %d alarms; more are not reported", self.source, MOST_CONDITIONS)
        return False

    def _put(self, report: Report) -> None:
        self._spooler.put(report, _size(report))

    def _send(self, parcel: Parcel[Report]) -> None:
        reply = self._report(parcel.first, parcel.items, parcel.lost)
        self._next = parcel.first + len(parcel.items)
        self._heed(reply, self._next - 1)

    def _report(self, first: int, reports: list[Report], lost: int = 0) -> ReportReply:
        return self._service.report(
            AlarmBatch(
                source=self.source,
                incarnation=self.incarnation,
                first=first,
                reports=reports,
                lost=lost,
            )
        )

    def _heed(self, reply: ReportReply, up_to: int) -> None:
        """Tell all anew if the service asks for it, unless that is on its way already."""
        if reply.is_complete or up_to < self._all_told_at:
            return
        with self._lock:
            now = self._monotonic()
            if now - self._told_time < min(1.0, self._check_s):
                return  # the next check asks again: no loop at the speed of the network
            self._told_time = now
            since = self._spooler.counters.produced + 1
            for report, _ in self._active.values():
                self._put(report)
            self._put(AllReported(since=since))
            self._all_told_at = since + len(self._active)
        log.info("%s tells the alarm service anew all that holds", self.source)

    def _begin_to_check(self) -> None:
        if self._checker is None and not self._closed.is_set():
            name = f"alarms of {self.source} kept known"
            self._checker = threading.Thread(target=self._check, name=name, daemon=True)
            self._checker.start()

    def _check(self) -> None:
        while not self._closed.wait(self._check_s):
            try:
                self._ask()
                self._is_away = False
            except (RemoteError, OSError) as error:
                self._is_away = True
                log.debug("%s: the alarm service is away: %s", self.source, error)
            except Exception:
                log.exception("%s: asking the alarm service failed unexpectedly", self.source)

    def _ask(self) -> None:
        """Ask whether the service knows all that holds; while nothing does, whether it is there."""
        if not self._has_reported:
            self._service.get_stats()
            return
        up_to = self._next - 1
        self._heed(self._report(up_to + 1, []), up_to)


def checked(report: AlarmReport) -> AlarmReport:
    """Return a report as it can travel; a time without a zone is taken as UTC.

    Raises:
        BadParam: A field is missing, too long or of the wrong type.
    """
    moment = report.time
    if getattr(moment, "tzinfo", UTC) is None:
        moment = moment.replace(tzinfo=UTC)
    texts = {
        "object": fitting(report.object, LONGEST_NAME),
        "name": fitting(report.name, LONGEST_NAME),
        "text": fitting(report.text, LONGEST_TEXT),
        "cause": fitting(report.cause, LONGEST_TEXT),
        "remedy": fitting(report.remedy, LONGEST_TEXT),
    }
    plain = msgspec.to_builtins(msgspec.structs.replace(report, time=moment, **texts))
    try:
        sound = msgspec.convert(plain, AlarmReport)
        sound.time.astimezone(UTC)  # at the ends of the calendar there is none
    except (msgspec.ValidationError, OverflowError) as error:
        raise BadParam(
            f"the alarm {report.name!r} of {report.object!r} cannot be reported: {error}",
            field="report",
            remedy="correct the report",
        ) from error
    return sound


def fitting(text: str, longest: int) -> str:
    """Return a text that any serializer carries, cut where it is too long."""
    clean = text.encode("utf-8", "replace").decode()
    return clean if len(clean) <= longest else f"{clean[: longest - 1]}…"


def _size(report: Report) -> int:
    match report:
        case AlarmReport():
            return len(report.text) + len(report.cause) + len(report.remedy) + _OVERHEAD
        case AlarmClear() | AlarmNote():
            return len(report.text) + _OVERHEAD
        case AllReported():
            return _OVERHEAD
