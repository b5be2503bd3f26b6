"""How busy each object is, from what it says about its calls; no I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from controller.dashboard.snapshot import CallLine
from controller.measures import Measure, difference, long_polls, measure, total
from idl_like_interfaces.object import Statistics

WINDOW_S = 30.0
"""The quantile is taken from the calls of so long."""

_RATE_S = 3.0
"""The rate is taken over at least so long."""

_OWN = "get_statistics"
"""What the dashboard itself asks for all the time."""

_PAIR = 2


@dataclass(slots=True)
class _History:
    """What an object has said, oldest first, with the moments."""

    samples: deque[tuple[float, Statistics]] = field(default_factory=deque)

    def add(self, now: float, statistics: Statistics) -> None:
        if self.samples and self.samples[-1][1].since != statistics.since:
            self.samples.clear()
        self.samples.append((now, statistics))
        while len(self.samples) > _PAIR and self.samples[1][0] <= now - WINDOW_S:
            self.samples.popleft()

    def last(self) -> tuple[float, Statistics]:
        return self.samples[-1]

    def before(self, span_s: float) -> tuple[float, Statistics] | None:
        """Return the newest that is so much older than the last one, or the oldest."""
        until = self.last()[0] - span_s
        older = [each for each in list(self.samples)[:-1] if each[0] <= until]
        if older:
            return older[-1]
        return self.samples[0] if len(self.samples) > 1 else None


class CallHistory:
    """Takes the statistics of all objects again and again, and says who is busy."""

    def __init__(self) -> None:
        self._histories: dict[str, _History] = {}

    def put(self, answers: Mapping[str, object], now: float) -> None:
        """Take what the objects have answered; those that are missing are forgotten."""
        self._histories = {name: each for name, each in self._histories.items() if name in answers}
        for name, found in answers.items():
            if isinstance(found, Statistics):
                self._histories.setdefault(name, _History()).add(now, found)

    def lines(self) -> tuple[CallLine, ...]:
        """Return a line for each object, the busiest first."""
        lines = [_line(name, each) for name, each in self._histories.items()]
        return tuple(sorted(lines, key=lambda line: (-(line.per_s or 0.0), -line.calls, line.name)))


def _line(name: str, history: _History) -> CallLine:
    _, last = history.last()
    since_start = _measure(last, None)
    quick = _measure(_since(history.before(WINDOW_S), last), None, without=long_polls())
    return CallLine(
        name=name,
        per_s=_rate(history),
        p99_s=quick.p99_s,
        highest_bound_s=last.bounds_s[-1] if last.bounds_s else 0.0,
        calls=since_start.calls,
        in_progress=since_start.in_progress,
        refused=since_start.refused,
        failed=since_start.failed,
        dropped=since_start.dropped,
        denied=since_start.denied,
    )


def _rate(history: _History) -> float | None:
    now, last = history.last()
    before = history.before(_RATE_S)
    if before is None:
        return None
    return _measure(_since(before, last), now - before[0]).per_s


def _since(before: tuple[float, Statistics] | None, last: Statistics) -> Statistics:
    return difference(before[1] if before is not None else None, last)


def _measure(statistics: Statistics, span_s: float | None, without: Iterable[str] = ()) -> Measure:
    wanted = [each for each in statistics.operations if each.name not in {_OWN, *without}]
    return measure(total(wanted, len(statistics.bounds_s) + 1), statistics.bounds_s, span_s)
