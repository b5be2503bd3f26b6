"""Values of the online database as text: on a line, as a document, as a tree."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from idl_like_interfaces.oldb import DataPoint, OldbStats, Quality

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

_WIDEST_KEY = 40
_LEAST_VALUE = 16
_NO_WIDTH = 100_000
_DAY = timedelta(days=1)
_STYLES = {Quality.OK: "", Quality.SUSPECT: "yellow", Quality.BAD: "red"}


def terminal_width() -> int:
    """Return the width of the terminal; 0 when the output is none, and must not be cut."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def value_text(value: Any) -> str:
    """Say a value on one line; a text stands without quotes."""
    if isinstance(value, str) and value.isprintable() and value:
        return value
    # Escapes what a terminal might take for a command.
    is_safe = isinstance(value, str)
    return json.dumps(value, ensure_ascii=is_safe)


def value_document(value: Any) -> str:
    """Say a value for a script or a person: what has parts as JSON on several lines."""
    if isinstance(value, dict | list) and value:
        return json.dumps(value, indent=2)
    return value_text(value)


def why_not_ok(point: DataPoint) -> str:
    """Say what is wrong with a value."""
    when = f"{point.time:%Y-%m-%d %H:%M:%S} UTC"
    if point.quality is Quality.SUSPECT:
        return f"-- suspect: {point.source} has fallen silent, or doubts it; value of {when}"
    return f"-- {point.quality}: {point.source} says that it is wrong; value of {when}"


def point_lines(
    points: Sequence[DataPoint], width: int = 0, now: datetime | None = None
) -> Iterator[str]:
    """Say values on a line each: time, quality when it is not ok, key, value.

    Args:
        points: The values.
        width: A line is cut to so many characters; 0: it is not.
        now: Values of another day show the date; None: the present time.
    """
    present = now or datetime.now(UTC)
    widest = min(max((len(each.key) for each in points), default=0), _WIDEST_KEY)
    for each in points:
        yield point_line(each, widest, width, present)


def point_line(point: DataPoint, widest: int, width: int, now: datetime) -> str:
    """Say a value on one line; see ``point_lines``."""
    is_recent = abs(now - point.time) < _DAY
    time = f"{point.time:%H:%M:%S}" if is_recent else f"{point.time:%Y-%m-%d}"
    quality = "removed" if point.is_removed else point.quality.value
    start = f"{time:<10} {quality:<7} {point.key:<{widest}}"
    if point.is_removed:
        return start.rstrip()
    return f"{start} {_cut(value_text(point.value), width - len(start) - 1 if width else 0)}"


def _cut(text: str, room: int) -> str:
    """Cut a text to a room; 0: not at all. However small that is, a little is shown."""
    if not room or len(text) <= max(room, _LEAST_VALUE):
        return text
    return text[: max(room, _LEAST_VALUE) - 1] + "…"


def stats_text(stats: OldbStats) -> str:
    """Say the statistics on a few lines."""
    changes = stats.revision - stats.base
    lines = [f"{stats.keys} keys in {stats.bytes / 1024:.0f} KiB, {changes} changes so far"]
    if stats.mirror:
        behind = f"{stats.mirror_behind} changes behind" if stats.mirror_behind else "up to date"
        lines.append(f"mirror {stats.mirror}: {behind}")
    lines += [f"source {name:<28} {count} keys" for name, count in sorted(stats.by_source.items())]
    if stats.problem:
        lines.append(f"problem: {stats.problem}")
    return "\n".join(lines)


def print_tree(key: str, points: Sequence[DataPoint], depth: int) -> None:
    """Draw values below a key as a tree."""
    from rich.console import Console

    width = terminal_width()
    # A pipe has no width: a value must not be cut there.
    console = Console(soft_wrap=True, width=width or _NO_WIDTH)
    console.print(render_tree(key, points, depth, width))


def render_tree(key: str, points: Sequence[DataPoint], depth: int = 0, width: int = 0) -> Tree:
    """Return values below a key as a tree.

    Args:
        key: Its root; empty: that of everything.
        points: The values, sorted.
        depth: So many levels; 0: all. Of what is deeper it says how much there is.
        width: Values are cut to it; 0: they are not.
    """
    from rich.text import Text
    from rich.tree import Tree

    at_key = next((each for each in points if each.key == key), None)
    title = Text(key or "/", style="bold")
    tree = Tree(_labelled(title, at_key, 0, width))
    branches = {key: tree}
    hidden: dict[str, int] = {}
    for each in points:
        names = each.key.removeprefix(key).strip("/").split("/") if each is not at_key else []
        if depth and len(names) > depth:
            above = "/".join([key, *names[:depth]] if key else names[:depth])
            hidden[above] = hidden.get(above, 0) + 1
            names = names[:depth]
        _grow(branches, key, names, each, width)
    for above, count in hidden.items():
        branches[above].add(Text(f"… {count} more", style="dim"))
    return tree


def _grow(
    branches: dict[str, Tree], key: str, names: list[str], point: DataPoint, width: int
) -> None:
    """Add the branches to a value that are missing, and the value."""
    from rich.text import Text

    path = key
    for level, name in enumerate(names, 1):
        above, path = path, f"{path}/{name}" if path else name
        is_value = path == point.key
        if path not in branches:
            label = Text(name, style="" if is_value else "cyan")
            shown = point if is_value else None
            branches[path] = branches[above].add(_labelled(label, shown, level, width))


def _labelled(label: Text, point: DataPoint | None, level: int, width: int) -> Text:
    if point is None:
        return label
    room = width - 4 * level - len(label) - 2 if width else 0
    mark = "" if point.quality is Quality.OK else f"  ({point.quality})"
    room = room and room - len(mark)
    label.append("  ")
    label.append(_cut(value_text(point.value), room), style="green")
    label.append(mark, style=_STYLES[point.quality])
    return label
