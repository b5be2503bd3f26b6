"""What the event loggers have said, and how fast they were; no I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from controller.dashboard.snapshot import LoggerLine
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.event_logger import LoggerStatus, RunState

HISTORY = 120
"""Rates that are kept of each logger, about one a second."""


@dataclass(slots=True)
class _Known:
    status: LoggerStatus
    rates: deque[float]
    why: str = ""


class LoggerHistory:
    """What the loggers have said; one that does not answer stays as it was, with the reason."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def put(self, answers: Mapping[str, LoggerStatus | RemoteError]) -> None:
        """Take answers; a logger that is bound no more is forgotten."""
        self._known = {name: each for name, each in self._known.items() if name in answers}
        for name, found in answers.items():
            if isinstance(found, LoggerStatus):
                self._take(name, found)
            elif name in self._known:
                self._known[name].why = found.briefly()

    def lines(self) -> tuple[LoggerLine, ...]:
        """Return a line for each logger, sorted by name."""
        return tuple(
            LoggerLine(name=name, status=each.status, rates=tuple(each.rates), why=each.why)
            for name, each in sorted(self._known.items())
        )

    def _take(self, name: str, status: LoggerStatus) -> None:
        known = self._known.setdefault(name, _Known(status, deque(maxlen=HISTORY)))
        known.status, known.why = status, ""
        active = [each for each in status.runs if each.state is RunState.ACTIVE]
        known.rates.append(sum(each.events_s for each in active))
