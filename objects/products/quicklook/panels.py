"""The images of a file as panels of a grid: each drawn, framed and named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import TYPE_CHECKING, Any

from objects.products.quicklook.contents import BROKEN, OpenFile, Part
from objects.products.quicklook.planes import (
    Binned,
    NotDrawn,
    Plane,
    StoredPlane,
    TiledPlane,
    binned,
    middle,
)
from objects.products.quicklook.stretch import coloured, limits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

MOST = 25
"""So many images are drawn; more would be stamps."""

_THIN = 24
"""Pixels that a side has at least on the screen."""

_CURVE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """An image that was drawn, or why it was not.

    Attributes:
        title: Number, name and what it is.
        note: Limits, binning, plane; or why there is no picture.
        size: Columns and rows of the image, for the ends of its axes.
        picture: The picture; None: there is none.
    """

    title: str
    note: str
    size: tuple[int, int]
    picture: Image | None


def columns_of(count: int) -> int:
    """Return how many panels stand side by side."""
    return max(isqrt(count - 1) + 1, 1) if count else 1


def panel(file: OpenFile, part: Part, room: tuple[int, int]) -> Panel:
    """Draw an image.

    Args:
        file: It lies there.
        part: Which it is.
        room: Width and height that it may have.
    """
    title = f"{part.index} {part.name}  {part.text}"
    *_, rows, columns = (1, *part.shape)
    try:
        index = middle(part.shape)
        # Twice as fine as it is shown: what remains is reduced by averages.
        found = binned(_plane(file, part, index), (2 * room[1], 2 * room[0]))
        ends = limits(found.values)
        make = _curve if rows == 1 else _image
        picture = make(found, ends, (columns, rows), room)
    except (*BROKEN, NotDrawn, MemoryError, RuntimeError) as error:
        note = f"not drawn: {' '.join(str(error).split()) or type(error).__name__}"
        return Panel(title=title, note=note, size=(columns, rows), picture=None)
    note = ", ".join(_remarks(found, ends, index, part.shape))
    return Panel(title=title, note=note, size=(columns, rows), picture=picture)


def _plane(file: OpenFile, part: Part, index: tuple[int, ...]) -> Plane:
    hdu = file.hdus[part.index]
    if part.is_compressed or file.descriptor < 0:
        return TiledPlane(hdu, index)
    return StoredPlane(hdu, file.descriptor, index)


def _remarks(
    found: Binned, ends: tuple[float, float] | None, index: Sequence[int], shape: Sequence[int]
) -> list[str]:
    if ends is None:
        said = ["no finite value"]
    elif ends[0] == ends[1]:
        said = [f"{ends[0]:g} everywhere"]
    else:
        said = [f"{ends[0]:.5g} to {ends[1]:.5g}"]
    for axis, (where, length) in enumerate(zip(index, shape, strict=False)):
        if length > 1:
            said.append(f"plane {where + 1} of {length} of axis {len(shape) - axis}")
    if found.factors != (1, 1):
        said.append(f"binned {found.factors[1]} x {found.factors[0]}")
    if found.row_step > 1:
        said.append(f"every {found.row_step}th row read")
    return said


def _image(
    found: Binned, ends: tuple[float, float] | None, size: tuple[int, int], room: tuple[int, int]
) -> Image:
    from PIL import Image

    picture = Image.fromarray(coloured(found.values, ends))
    shown = fitting(size, room)
    is_larger = shown[0] >= picture.width and shown[1] >= picture.height
    method = Image.Resampling.NEAREST if is_larger else Image.Resampling.BOX
    return picture.resize(shown, method)


def fitting(size: tuple[int, int], room: tuple[int, int]) -> tuple[int, int]:
    """Return the size on the screen: the whole room in one direction, no thread in the other."""
    scale = min(room[0] / size[0], room[1] / size[1])
    if scale > 1:
        scale = int(scale)  # a pixel is a square of whole pixels
    return (
        min(max(round(size[0] * scale), _THIN), room[0]),
        min(max(round(size[1] * scale), _THIN), room[1]),
    )


def _curve(
    found: Binned, ends: tuple[float, float] | None, _size: tuple[int, int], room: tuple[int, int]
) -> Image:
    """Draw one row of values as a line; it has gaps where there is no value."""
    import numpy as np
    from PIL import Image, ImageDraw

    width, height = room[0], min(room[1], _CURVE)
    picture = Image.new("RGB", (width, height), "white")
    values = found.values[0]
    known = np.isfinite(values)
    if ends is None or not known.any():
        return picture
    low, high = float(values[known].min()), float(values[known].max())
    # Halved, as in the stretch: a difference may be too large for a float.
    span = (high / 2 - low / 2) or 1.0
    level = (values / 2 - low / 2) / span if high > low else np.where(known, 0.5, np.nan)
    x = (np.arange(values.size) + 0.5) * (width / values.size)
    y = (height - 1) - (0.05 + 0.9 * level) * (height - 1)
    draw = ImageDraw.Draw(picture)
    for piece in _stretches(known):
        _line(draw, x[piece], y[piece])
    return picture


def _stretches(known: NDArray[np.bool_]) -> list[slice]:
    import numpy as np

    edges = np.flatnonzero(np.diff(np.r_[False, known, False].astype(np.int8)))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _line(draw: Any, x: NDArray[Any], y: NDArray[Any]) -> None:
    points = list(zip(x.tolist(), y.tolist(), strict=True))
    if len(points) == 1:
        points = [(points[0][0] - 2, points[0][1]), (points[0][0] + 2, points[0][1])]
    draw.line(points, fill=(30, 70, 160), width=1)
