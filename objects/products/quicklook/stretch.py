"""From values to grey: limits that show the faint parts, and a colour for what is no value."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

NO_VALUE = (58, 78, 140)
"""Red, green, blue of a pixel without a value: no grey, so that it cannot be mistaken."""

CONSTANT = 128

_SOFTENING = 0.1


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
    black, white = ZScaleInterval().get_limits(known)
    usable = np.isfinite(black) and np.isfinite(white) and black < white
    return (float(black), float(white)) if usable else (lowest, highest)


def coloured(values: NDArray[np.float64], ends: tuple[float, float] | None) -> NDArray[np.uint8]:
    """Return red, green and blue, (rows, columns, 3), the highest row first as on a screen."""
    from astropy.visualization import AsinhStretch

    flipped = values[::-1]
    if ends is None:
        grey = np.zeros(flipped.shape)
    elif ends[0] == ends[1]:
        grey = np.full(flipped.shape, CONSTANT / 255)
    else:
        # Halved: the difference of two large ones may be more than a float holds.
        span = ends[1] / 2 - ends[0] / 2
        part: NDArray[Any] = (np.nan_to_num(flipped, nan=ends[0]) / 2 - ends[0] / 2) / span
        grey = AsinhStretch(_SOFTENING)(np.clip(part, 0, 1), clip=True)
    picture = np.repeat((grey * 255).round().astype(np.uint8)[..., None], 3, axis=2)
    picture[~np.isfinite(flipped)] = NO_VALUE
    return picture
