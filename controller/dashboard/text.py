"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Sequence

_BARS = " ▁▂▃▄▅▆▇█"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_KIB = 1024
_TEN = 9.95
_MILLISECOND, _SECOND = 0.9995e-3, 0.9995
"""What is rounded up to these is said in the next unit."""


def duration(seconds: float) -> str:
    """Say a duration in at most six characters, e.g. ``4.2s``, ``3m10s``, ``2h05m``."""
    if seconds < 10:  # noqa: PLR2004 (one decimal below ten seconds)
        return f"{max(seconds, 0):.1f}s"
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m{whole % _MINUTE:02}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02}m"
    return f"{whole // _DAY}d{whole % _DAY // _HOUR:02}h"


def latency(seconds: float | None, highest_s: float | None = None) -> str:
    """Say how long a call took in at most seven characters, e.g. ``85 us``, ``1.2 ms``.

    Args:
        seconds: The time; None: there was no call.
        highest_s: The highest bound of the histogram that it was estimated from: a time
            that reaches it may be longer.
    """
    if seconds is None:
        return "-"
    more = ">" if highest_s and seconds >= highest_s else ""
    if seconds < _MILLISECOND:
        return f"{more}{_short(seconds * 1e6)} us"
    if seconds < _SECOND:
        return f"{more}{_short(seconds * 1e3)} ms"
    return f"{more}{_short(seconds)} s"


def _short(value: float) -> str:
    return f"{value:.1f}" if value < _TEN else f"{value:.0f}"


def size(count: float) -> str:
    """Say a number of bytes, e.g. ``812 B``, ``1.4 MiB``."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < _KIB:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= _KIB
    return f"{count:.1f} TiB"


def sparkline(values: Sequence[float], width: int) -> str:
    """Draw the newest values as bars, newest right; the highest fills the line."""
    shown = list(values)[-width:]
    top = max(shown, default=0.0)
    if top <= 0:
        return _BARS[0] * len(shown)
    last = len(_BARS) - 1
    return "".join(_BARS[_level(value, top, last)] for value in shown)


def chart(values: Sequence[float], width: int, height: int) -> list[str]:
    """As ``sparkline``, several lines high; top line first."""
    shown = list(values)[-width:]
    top = max(shown, default=0.0)
    last = len(_BARS) - 1
    levels = [_level(value, top, last * height) if top > 0 else 0 for value in shown]
    return [
        "".join(_BARS[min(max(level - row * last, 0), last)] for level in levels)
        for row in reversed(range(height))
    ]


def bar(fraction: float, width: int) -> str:
    """Draw a bar of a width, filled from the left."""
    filled = round(min(max(fraction, 0.0), 1.0) * width)
    return "█" * filled + "░" * (width - filled)


def tail(path: str, width: int) -> str:
    """Cut a path from the left, where it says least."""
    return path if len(path) <= width else "…" + path[len(path) - width + 1 :]


def _level(value: float, top: float, last: int) -> int:
    """Scale to 0..last; what is not nothing shows at least the lowest bar."""
    return max(round(value / top * last), 1) if value > 0 else 0
