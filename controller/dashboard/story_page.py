"""The page of one acquisition: its whole story, as far as there is room, and the way to the rest."""

from __future__ import annotations

from rich.layout import Layout
from rich.text import Text

from controller.dashboard.drawing import FRAME, framed, joined
from controller.dashboard.page import Page, hints
from controller.dashboard.snapshot import Snapshot
from controller.dashboard.stories import Line, lines_of, sections
from controller.dashboard.text import tail

STEP_HINT = "n next, p previous, space on, b back"

_LEAST = 10


def line_count(snapshot: Snapshot) -> int:
    """Return how many lines the story has."""
    return len(lines_of(sections(snapshot.story))) if snapshot.story is not None else 0


def draw_story(snapshot: Snapshot, width: int, height: int, offset: int = 0) -> Layout:
    """Draw the page so that it fills a size.

    Args:
        snapshot: What is known.
        width: Of the page.
        height: Of the page.
        offset: So many lines of the story are above the page.
    """
    inner, rows = width - 2 * FRAME, height - FRAME
    body = Layout()
    body.split_column(
        framed(_title(snapshot), _content(snapshot, inner, rows, offset), hint=hints(Page.STORY))
    )
    return body


def _title(snapshot: Snapshot) -> str:
    ids = [each.id for each in snapshot.acquisitions]
    if snapshot.chosen not in ids:
        return "story"
    return f"acquisition {ids.index(snapshot.chosen) + 1} of {len(ids)}: {STEP_HINT}"


def _content(snapshot: Snapshot, width: int, rows: int, offset: int) -> Text:
    if snapshot.story is None:
        said = snapshot.story_note or "the coordinator was not asked yet"
        return Text(said, style="red" if snapshot.chosen and snapshot.story_note else "dim")
    lines = [_styled(text, line, width) for text, line in lines_of(sections(snapshot.story))]
    if snapshot.story_note:
        lines.insert(0, Text(f"as it was last told: {snapshot.story_note}", style="red"))
    first = min(offset, max(len(lines) - rows, 0))
    shown = lines[first : first + rows]
    if first + rows < len(lines):
        left = len(lines) - first - rows + 1
        shown[-1] = Text(f"and {left} more lines: space", style="dim")
    return joined(shown, width)


def _styled(text: str, line: Line | None, width: int) -> Text:
    if line is None:
        return Text(text, style="bold cyan")
    room = width - 2 - len(line.text) - len(line.more)
    shown = f"  {line.text}{tail(line.path, max(room, _LEAST))}{line.more}"
    return Text(shown, style="bold red" if line.is_bad else "")
