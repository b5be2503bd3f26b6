"""The page: a grid of images, beside it the keywords and what else is in the file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from objects.products.quicklook.contents import Contents, OpenFile, Part
from objects.products.quicklook.panels import MOST, Panel, columns_of, panel

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

WIDTH = 1280
SIDE = 380
MARGIN = 16
_HEAD = 44
_TITLE = 18
_LEFT = 26
_LINE = 17
_LARGE, _MEDIUM, _SMALL = 20, 13, 11
_MOST_LINES = 60
_INK, _PALE, _EDGE = (20, 20, 20), (110, 110, 110), (170, 170, 170)


def draw_page(file: OpenFile, contents: Contents, title: str, subtitle: str) -> Image:
    """Draw the page of a file.

    Args:
        file: The file.
        contents: What is in it.
        title: Its name.
        subtitle: More about it, on the right.
    """
    from PIL import Image, ImageDraw

    images = [part for part in contents.parts if part.shape]
    side = _side_lines(contents, len(images))
    drawn = _grid(file, images[:MOST])
    height = max(drawn.height if drawn else 0, len(side) * _LINE) + _HEAD + 2 * MARGIN
    whole = Image.new("RGB", (WIDTH, height), "white")
    draw = ImageDraw.Draw(whole)
    _text(draw, (MARGIN, MARGIN - 4), title, _LARGE, WIDTH - SIDE - 2 * MARGIN)
    _text(draw, (WIDTH - SIDE, MARGIN), subtitle, _MEDIUM, SIDE - MARGIN, _PALE)
    left = WIDTH - SIDE if drawn else MARGIN
    if drawn:
        whole.paste(drawn, (MARGIN, _HEAD))
    for number, (text, is_head) in enumerate(side):
        place = (left, _HEAD + number * _LINE)
        _text(draw, place, text, _MEDIUM, WIDTH - left - MARGIN, _PALE if is_head else _INK)
    return whole


def _side_lines(contents: Contents, images: int) -> list[tuple[str, bool]]:
    """Return the lines of text and whether each is a heading."""
    lines: list[tuple[str, bool]] = []
    if contents.keywords:
        lines += [("Keywords", True)]
        lines += [(f"{name}  {value}", False) for name, value in contents.keywords]
        lines += [("", False)]
    lines += [("In this file", True)]
    room = _MOST_LINES - len(lines)
    parts = contents.parts if len(contents.parts) <= room else contents.parts[: room - 1]
    lines += [(f"{part.index}  {part.name}  {part.text}", False) for part in parts]
    if len(parts) < len(contents.parts):
        lines += [(f"and {len(contents.parts) - len(parts)} more HDUs", False)]
    if not images:
        lines += [("", False), ("There is no image in it.", True)]
    elif images > MOST:
        lines += [("", False), (f"The first {MOST} of {images} images are shown.", True)]
    if contents.note:
        lines += [("", False), (contents.note, True)]
    return lines


def _grid(file: OpenFile, parts: Sequence[Part]) -> Image | None:
    from PIL import Image

    if not parts:
        return None
    across = columns_of(len(parts))
    cell = (WIDTH - SIDE - 2 * MARGIN) // across
    room = cell - _LEFT - MARGIN, cell - _LEFT - MARGIN
    panels = [panel(file, part, room) for part in parts]
    heights = [_row_height(panels[n : n + across]) for n in range(0, len(panels), across)]
    whole = Image.new("RGB", (cell * across, sum(heights)), "white")
    for number, each in enumerate(panels):
        row, column = divmod(number, across)
        _place(whole, each, (column * cell, sum(heights[:row])), cell)
    return whole


def _row_height(panels: Sequence[Panel]) -> int:
    tallest = max((each.picture.height for each in panels if each.picture), default=0)
    return _TITLE + tallest + 2 * _LINE + MARGIN


def _place(whole: Image, each: Panel, corner: tuple[int, int], cell: int) -> None:
    """Put a panel into its cell: title, picture with the ends of its axes, note."""
    from PIL import ImageDraw

    draw = ImageDraw.Draw(whole)
    x, y = corner
    _text(draw, corner, each.title, _MEDIUM, cell - MARGIN)
    if each.picture is None:
        _text(draw, (x, y + _TITLE), each.note, _SMALL, cell - MARGIN, _PALE)
        return
    left, top = x + _LEFT, y + _TITLE
    whole.paste(each.picture, (left, top))
    right, bottom = left + each.picture.width, top + each.picture.height
    draw.rectangle((left - 1, top - 1, right, bottom), outline=_EDGE)
    _text(draw, (left, bottom + 2), "1", _SMALL, cell, _PALE)
    _ending(draw, right, bottom + 2, str(each.size[0]))
    if each.size[1] > 1:
        _ending(draw, left - 3, bottom - _SMALL - 2, "1")
        _ending(draw, left - 3, top, str(each.size[1]))
    _text(draw, (left, bottom + _LINE), each.note, _SMALL, cell - _LEFT - 2, _PALE)


def _text(
    draw: ImageDraw,
    place: tuple[int, int],
    text: str,
    size: int,
    width: int,
    colour: tuple[int, int, int] = _INK,
) -> None:
    """Write on one line, cut where the room ends."""
    font = _font(size)
    shown = _printable(text)
    if draw.textlength(shown, font) > width:
        while shown and draw.textlength(f"{shown}...", font) > width:
            shown = shown[:-1]
        shown += "..."
    draw.text(place, shown, colour, font)


def _ending(draw: ImageDraw, right: int, y: int, text: str) -> None:
    font = _font(_SMALL)
    draw.text((right - draw.textlength(text, font), y), text, _PALE, font)


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text)[:400]


@cache
def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)
