"""Drawings of a run over time, as SVG that stands in the page itself.

By hand: four lines over one axis need no drawing library in a servant, and the page can be read
in any browser without anything else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 860, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 78, 30, 30, 30
_COLOURS = ("#1f6fb4", "#d0661a", "#2a8a3e", "#b3262e", "#6f4fa8", "#7a5230", "#c44fa0", "#56646f")
_MOST_LINES = len(_COLOURS)
_TICKS, _TIMES = 4, 8
_MINUTE_S, _HOUR_S, _DAY_S = 60.0, 3600.0, 86_400.0
_TIME_STEPS = (
    *(0.2, 0.5, 1, 2, 5, 10, 15, 30),
    *(each * _MINUTE_S for each in (1, 2, 5, 10, 15, 30)),
    *(each * _HOUR_S for each in (1, 2, 3, 6, 12, 24)),
)
_NOTHING = 1e-300
"""What is less is nothing: it cannot be divided any more."""

_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A curve.

    Attributes:
        name: As the legend shows it.
        values: One for each moment; None: nothing is known, the curve has a hole there.
        is_stepped: The value holds until the next one.
    """

    name: str
    values: Sequence[float | None]
    is_stepped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A drawing.

    Attributes:
        title: What it shows.
        unit: Of its values.
        seconds: The moments, since the begin of the run.
        lines: The curves.
        shaded: From when to when the run was paused, seconds.
    """

    title: str
    unit: str
    seconds: Sequence[float]
    lines: Sequence[Line]
    shaded: Sequence[tuple[float, float]] = ()


def draw(chart: Chart) -> str:
    """Return the drawing as an SVG element."""
    span = max(chart.seconds[-1] if chart.seconds else 0.0, 1.0)
    lines = chart.lines[:_MOST_LINES]
    step = step_of(max((v for line in lines for v in line.values if v is not None), default=0.0))
    top = step * _TICKS
    parts = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(chart.title)}">',
        f'<text class="title" x="{_LEFT}" y="16">{escape(chart.title)}</text>',
        *_shades(chart.shaded, span),
        *_grid(span, top, chart.unit),
        *_legend(lines),
    ]
    for line, colour in zip(lines, _COLOURS, strict=False):
        paths = _paths(chart.seconds, line, span, top)
        parts += [f'<path d="{path}" stroke="{colour}"/>' for path in paths]
    return "\n".join([*parts, "</svg>"])


def step_of(most: float) -> float:
    """Return a round distance of ticks, of which at most five reach the greatest value."""
    if most < _NOTHING:
        return 1.0
    unit = 10.0 ** math.floor(math.log10(most / _TICKS))
    return next(factor * unit for factor in (1, 2, 2.5, 5, 10) if factor * unit * _TICKS >= most)


def time_step(span: float) -> float:
    """Return a round distance of ticks in time, seconds."""
    return next(
        (each for each in _TIME_STEPS if span / each <= _TIMES), _DAY_S * step_of(span / _DAY_S)
    )


def shown(value: float, unit: str = "") -> str:
    """Return a number with a prefix of its unit, short."""
    for factor, prefix in _PREFIXES:
        if abs(value) >= factor:
            return f"{value / factor:.4g} {prefix}{unit}".strip()
    return f"{value:.3g} {unit}".strip()


def duration(seconds: float) -> str:
    """Return a time since the begin as people say it."""
    if seconds < _MINUTE_S * 2:
        return f"{seconds:.4g} s"
    if seconds < _HOUR_S * 2:
        return f"{seconds / _MINUTE_S:.4g} min"
    if seconds < _DAY_S * 2:
        return f"{seconds / _HOUR_S:.4g} h"
    return f"{seconds / _DAY_S:.4g} d"


def _x(second: float, span: float) -> float:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * min(max(second / span, 0.0), 1.0)


def _y(value: float, top: float) -> float:
    return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * min(max(value / top, 0.0), 1.0)


def _grid(span: float, top: float, unit: str) -> list[str]:
    parts = []
    for number in range(_TICKS + 1):
        value = top * number / _TICKS
        y = _y(value, top)
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        parts.append(
            f'<text class="tick" text-anchor="end" x="{_LEFT - 6}" y="{y + 4:.1f}">'
            f"{shown(value, unit) if value else 0}</text>"
        )
    step = time_step(span)
    for number in range(int(span / step) + 1):
        x = _x(number * step, span)
        parts.append(
            f'<text class="tick" text-anchor="middle" x="{x:.1f}" y="{HEIGHT - 10}">'
            f"{duration(number * step)}</text>"
        )
    return parts


def _legend(lines: Sequence[Line]) -> list[str]:
    parts, x = [], WIDTH - _RIGHT
    for line, colour in reversed(list(zip(lines, _COLOURS, strict=False))):
        x -= 7 * len(line.name) + 26
        parts.append(f'<rect x="{x}" y="8" width="12" height="8" fill="{colour}"/>')
        parts.append(f'<text class="tick" x="{x + 16}" y="16">{escape(line.name)}</text>')
    return parts


def _shades(shaded: Sequence[tuple[float, float]], span: float) -> list[str]:
    return [
        f'<rect class="paused" x="{_x(begin, span):.1f}" y="{_TOP}" '
        f'width="{max(1.0, _x(end, span) - _x(begin, span)):.1f}" height="{HEIGHT - _TOP - _BOTTOM}"/>'
        for begin, end in shaded
    ]


def _paths(seconds: Sequence[float], line: Line, span: float, top: float) -> list[str]:
    paths: list[str] = []
    points: list[str] = []
    before = 0.0
    for second, value in zip(seconds, line.values, strict=True):
        if value is None:
            paths.append(" ".join(points))
            points = []
            continue
        x, y = _x(second, span), _y(value, top)
        if points and line.is_stepped:
            points.append(f"L{x:.1f} {before:.1f}")
        points.append(f"{'L' if points else 'M'}{x:.1f} {y:.1f}")
        before = y
    return [each for each in [*paths, " ".join(points)] if each]
