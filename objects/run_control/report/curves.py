"""From the samples of a run to its drawings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from objects.run_control.report.charts import Chart, Line
from objects.run_control.samples import Sample, WriterSample


def charts_of(started: datetime, samples: Sequence[Sample], names: Sequence[str]) -> list[Chart]:
    """Return the drawings of a run: rates, sizes, gaps of the named loggers, conditions."""
    seconds = [(each.time - started).total_seconds() for each in samples]
    shaded = _paused(seconds, samples)

    def lines(value: Callable[[WriterSample], float], *, is_stepped: bool = False) -> list[Line]:
        return [
            Line(name=name, values=_values(name, value, samples), is_stepped=is_stepped)
            for name in names
        ]

    conditions = Line(
        name="conditions", values=[float(each.alarms) for each in samples], is_stepped=True
    )
    return [
        Chart(title=title, unit=unit, seconds=seconds, lines=curves, shaded=shaded)
        for title, unit, curves in (
            ("Event rate", "/s", lines(lambda each: each.events_s)),
            ("Data rate", "B/s", lines(lambda each: each.bytes_s)),
            ("Size", "B", lines(lambda each: float(each.bytes))),
            ("Events that wait in queues", "", lines(lambda each: float(each.queued))),
            ("Messages that never came", "", lines(lambda each: float(each.gaps), is_stepped=True)),
            ("Alarm conditions that pause the run", "", [conditions]),
        )
    ]


def _values(
    name: str, value: Callable[[WriterSample], float], samples: Sequence[Sample]
) -> list[float | None]:
    return [
        value(found)
        if (found := each.writers.get(name)) is not None and not found.is_lost
        else None
        for each in samples
    ]


def _paused(seconds: Sequence[float], samples: Sequence[Sample]) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    begin: float | None = None
    for second, each in zip(seconds, samples, strict=True):
        if each.is_paused and begin is None:
            begin = second
        elif not each.is_paused and begin is not None:
            found.append((begin, second))
            begin = None
    if begin is not None:
        found.append((begin, seconds[-1]))
    return found
