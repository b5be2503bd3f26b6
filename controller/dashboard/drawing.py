"""What all panels are drawn with."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

FRAME = 2
"""Lines, or columns on each side, that the frame of a panel takes."""


def plain_table(width: int) -> Table:
    """Make a table without lines."""
    return Table(box=None, width=width, padding=(0, 1, 0, 0), header_style="dim", pad_edge=False)


def joined(lines: list[Text], width: int) -> Text:
    """Put lines below each other, each cut to the width: nothing may wrap."""
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return Text("\n", no_wrap=True).join(lines)


def framed(
    title: str, content: RenderableType, size: int | None = None, *, hint: str = ""
) -> Layout:
    """Put a frame with a title, and perhaps a hint below, around something."""
    panel = Panel(
        content,
        title=title,
        title_align="left",
        border_style="blue",
        padding=(0, 1),
        subtitle=Text(hint, style="dim") if hint else None,
        subtitle_align="right",
    )
    return Layout(panel, size=size)


def fill(table: Table, rows: Sequence[tuple[Text, ...]], room: int) -> Table:
    """Add rows as far as there is room below the head; say how many there are besides."""
    left = max(room - 1, 0)
    shown = rows if len(rows) <= left else rows[: max(left - 1, 0)]
    for row in shown:
        table.add_row(*row)
    if len(shown) < len(rows):
        table.add_row(Text(f"and {len(rows) - len(shown)} more", style="dim"))
    return table
