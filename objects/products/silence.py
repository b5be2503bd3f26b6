"""Tells of mergers at work that have said nothing for too long: a warning, until they speak again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from idl_like_interfaces.daqif import DaqAlert, DaqSubstate
from objects.component.clock import Clock
from objects.products import alerts
from objects.products.job import Job
from objects.products.ledger import Ledger
from objects.products.progress import Step

log = logging.getLogger("daq.dpm.controller")

SILENT = f"{Step.MERGE}/silent"

_MOST_WORDS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """The last words of a merger; none: it has only begun."""

    words: str
    since: datetime
    at_s: float


class Silences:
    """The mergers at work, and what each has said last.

    Args:
        ledger: The acquisitions.
        clock: The time.
        after_s: A merger that said nothing for longer is told of; 0: none is.
    """

    def __init__(self, ledger: Ledger, clock: Clock, after_s: float) -> None:
        self._ledger = ledger
        self._clock = clock
        self._after_s = after_s
        self._last: dict[str, _Heard] = {}

    @contextmanager
    def listening(self, id: str) -> Iterator[Callable[[str], None]]:
        """Within, a merger is at work on an acquisition; yields what notes its words."""

        def hear(words: str) -> None:
            self._last[id] = _Heard(
                words=words[:_MOST_WORDS], since=self._clock.utc(), at_s=self._clock.monotonic()
            )

        with self._ledger.news:
            hear("")
            self._withdraw(id)  # an earlier DPM may have been killed while it stood
        try:
            yield hear
        finally:
            with self._ledger.news:
                del self._last[id]
                self._withdraw(id)

    def look(self) -> None:
        """Warn of who is silent, and withdraw the warning of who is not any more."""
        with self._ledger.news:
            now_s = self._clock.monotonic()
            for id, heard in self._last.items():
                if self._after_s and now_s - heard.at_s > self._after_s:
                    self._warn(id, heard)
                else:
                    self._withdraw(id)

    def _warn(self, id: str, heard: _Heard) -> None:
        job = self._ledger.in_progress(id)
        if job is None or job.substate is not DaqSubstate.MERGING or is_silent(job):
            return
        found = _silence(id, heard, self._after_s)
        log.warning("%s: %s", id, found.description, extra={"owner": id})
        now = self._clock.utc()
        self._ledger.change(id, lambda it: _with([found], it, now))

    def _withdraw(self, id: str) -> None:
        job = self._ledger.in_progress(id)
        if job is not None and is_silent(job):
            now = self._clock.utc()
            self._ledger.change(id, lambda it: _with([], it, now))


def is_silent(job: Job) -> bool:
    """Tell whether the merger of an acquisition was told to be silent."""
    return any(alert.id == SILENT for alert in job.alerts)


def _with(found: list[DaqAlert], job: Job, now: datetime) -> Job:
    return replace(job, alerts=alerts.replaced(job.alerts, SILENT, found, now))


def _silence(id: str, heard: _Heard, after_s: float) -> DaqAlert:
    last = f", when it said: {heard.words}" if heard.words else ", when it was begun"
    return alerts.warning(
        SILENT,
        f"the merger has told nothing for more than {after_s:g} s,"
        f" since {heard.since:%Y-%m-%dT%H:%M:%S}Z{last}",
        cause="a disk or mount that does not answer, a very large extension on a slow disk,"
        " or a fault of the merger",
        remedy=f"look at logs/merge.log and the disks; `obsorb daq retry {id}` ends this merger"
        f" and begins anew, `obsorb daq abort {id}` discards the acquisition",
    )
