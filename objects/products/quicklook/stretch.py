"""From values to grey: limits that show the faint parts, and a colour for what is no value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NO_VALUE = (58, 78, 140)
"""Red, green, blue of a pixel without a value: no grey, so that it cannot be mistaken."""

CONSTANT = 128

_SOFTENING = 0.1
_SAMPLES = 100_000
_ROWS = 128
"""So many rows are coloured at once: memory stays bounded."""


def limits(values: NDArray[np.float64]) -> tuple[float, float] | None:
    """Return the values that become black and white; the same twice: all are equal.

    Those of ZScale; where that finds no contrast (a mask that is nearly everywhere 0) the
    lowest and the highest. None: there is no finite value.
    """
    from astropy.visualization import ZScaleInterval

    known = values[np.isfinite(values)]
    if not known.size:
        return None
    lowest, highest = float(known.min()), float(known.max())
    if lowest == highest:
        return lowest, highest
    # Of those that are known: every other column may have no value.
    black, white = ZScaleInterval().get_limits(known[:: known.size // _SAMPLES + 1])
    usable = np.isfinite(black) and np.isfinite(white) and black < white
    return (float(black), float(white)) if usable else (lowest, highest)


def coloured(values: NDArray[np.float64], ends: tuple[float, float] | None) -> NDArray[np.uint8]:
    """Return red, green and blue, (rows, columns, 3), the highest row first as on a screen."""
    from astropy.visualization import AsinhStretch

    picture = np.full((*values.shape, 3), CONSTANT, np.uint8)
    for first in range(0, len(values), _ROWS):
        piece = slice(first, first + _ROWS)
        rows = values[::-1][piece]
        if ends is not None and ends[0] < ends[1]:
            grey = AsinhStretch(_SOFTENING)(_parts(rows, *ends), clip=True)
            picture[piece] = (grey * 255).round().astype(np.uint8)[..., None]
        picture[piece][~np.isfinite(rows)] = NO_VALUE
    return picture


def _parts(rows: NDArray[np.float64], black: float, white: float) -> NDArray[np.float64]:
    """Return where between black, 0, and white, 1, values lie."""
    # Halved: the difference of two large ones may be more than a float holds.
    known = np.nan_to_num(rows, nan=black)
    found: NDArray[np.float64] = (known / 2 - black / 2) / (white / 2 - black / 2)
    return np.clip(found, 0, 1)
