"""The story of an acquisition as sections of lines, for a terminal of any kind; no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from controller.dashboard.text import duration, size
from idl_like_interfaces.daq_contributions import StoryCollision, StoryFile, StorySource
from idl_like_interfaces.daqif import AlertSeverity, DaqStory, ProductStory, StoryAlert, StoryState

_MILLISECOND, _SECOND = 0.0005, 0.9995
_INDENT = "    "


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line.

    Attributes:
        text: What it says.
        path: A path at its end: where there is no room for all of it, its end says most.
        more: What stands behind the path.
        is_bad: Somebody should look at it.
    """

    text: str
    path: str = ""
    more: str = ""
    is_bad: bool = False

    @property
    def whole(self) -> str:
        """The line as it is when there is room."""
        return f"{self.text}{self.path}{self.more}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Lines with a title."""

    title: str
    lines: tuple[Line, ...]


def sections(story: DaqStory) -> list[Section]:
    """Tell a story; what there is nothing of has no section."""
    found = [
        ("acquisition", _head(story)),
        ("product", _product(story)),
        ("states", [_state(each) for each in story.states]),
        ("sources", [line for each in story.sources for line in _source(each)]),
        ("alerts", [line for each in _alerts(story) for line in _alert(each)]),
        ("receivers", _receivers(story.making)),
        ("keywords that collided", _collisions(story.making)),
    ]
    return [Section(title=title, lines=tuple(lines)) for title, lines in found if lines]


def story_text(story: DaqStory) -> str:
    """Tell a story in plain text."""
    parts = [
        "\n".join([each.title, *(f"  {line.whole}" for line in each.lines)])
        for each in sections(story)
    ]
    return "\n\n".join(parts)


def _head(story: DaqStory) -> list[Line]:
    status = story.status
    active = sum(each.severity is AlertSeverity.ERROR for each in status.alerts)
    state = f"{status.state}/{status.substate}"
    state += f", {active} error{'s' if active > 1 else ''}" if active else ""
    keywords = f", {story.keywords} keywords of the client" if story.keywords else ""
    return [
        Line(text=f"id:       {status.id}"),
        Line(text=f"file id:  {status.file_id}"),
        Line(text=f"state:    {state}", is_bad=status.error),
        Line(text=f"made:     {_date(story.created)} by {story.coordinator}{keywords}"),
    ]


def _product(story: DaqStory) -> list[Line]:
    making = story.making
    if making is None:
        path = story.status.result
        result = [Line(text="file:     ", path=path)] if path else []
        return [*result, Line(text=f"not known: {story.making_note}")]
    if making.product is None:
        return [Line(text=f"none: it is in {making.status.state}/{making.status.substate}")]
    product = making.product
    note = "" if making.picture else f"none: {making.picture_note or 'it is not in place yet'}"
    return [
        _file("file:     ", product),
        Line(text=f"digest:   {making.digest}"),
        Line(text=f"picture:  {note}", path=making.picture),
    ]


def _state(each: StoryState) -> Line:
    took = "" if each.duration_s is None else _span(each.duration_s)
    return Line(text=f"{_time(each.entered)}  {each.substate:<12} {took:>8}".rstrip())


def _source(each: StorySource) -> Iterator[Line]:
    reference = f" {each.reference}" if each.reference else ""
    said = f": {each.answer}" if each.answer else ""
    keywords = f", {each.keywords} keywords" if each.keywords else ""
    is_bad = each.state in ("failed", "doubtful")
    yield Line(text=f"{each.name} ({each.kind}{reference}){said}{keywords}", is_bad=is_bad)
    for file in each.files:
        yield _file(_INDENT, file)
    if each.more_files:
        yield Line(text=f"{_INDENT}and {each.more_files} more files")


def _alerts(story: DaqStory) -> list[StoryAlert]:
    """Put together what both servers know; the same is told once."""
    known = [each.alert for each in story.alerts]
    of_dpm = story.making.alerts if story.making else []
    more = [each for each in of_dpm if each.alert not in known]
    return sorted([*story.alerts, *more], key=lambda each: each.alert.time)


def _alert(each: StoryAlert) -> Iterator[Line]:
    alert = each.alert
    until = "is active" if each.cleared is None else f"over at {_time(each.cleared)}"
    is_bad = each.cleared is None and alert.severity is AlertSeverity.ERROR
    text = f"{_time(alert.time)}  {alert.severity} {alert.id}, {until}: {_one(alert.description)}"
    yield Line(text=text, is_bad=is_bad)
    for name, said in (("cause", alert.cause), ("remedy", alert.remedy)):
        if said and each.cleared is None:
            yield Line(text=f"{_INDENT}{name}: {_one(said)}")


def _receivers(making: ProductStory | None) -> list[Line]:
    lines = []
    for each in making.receivers if making else []:
        state = "delivered" if each.is_delivered else "not delivered"
        more = f": {each.detail}" if each.detail else ""
        is_bad = bool(each.detail) and not each.is_delivered
        if is_bad:  # then the reason says most
            lines.append(Line(text=f"{each.place} {state}{more}", is_bad=True))
        else:
            lines.append(Line(text="", path=each.place, more=f"  {state}{more}"))
    return lines


def _collisions(making: ProductStory | None) -> list[Line]:
    if making is None:
        return []
    lines = [Line(text=_collision(each)) for each in making.collisions]
    if making.more_collisions:
        lines.append(Line(text=f"and {making.more_collisions} more"))
    return lines


def _collision(each: StoryCollision) -> str:
    losers = ", ".join(f"{loser.value} of {loser.source}" for loser in each.losers)
    more = f" and {each.more_losers} more" if each.more_losers else ""
    return f"{each.keyword} = {each.winner.value} of {each.winner.source}, not {losers}{more}"


def _file(label: str, file: StoryFile) -> Line:
    known = "size not known" if file.size_bytes is None else size(file.size_bytes)
    return Line(text=label, path=file.path, more=f"  {known}")


def _span(seconds: float) -> str:
    if seconds < _MILLISECOND:
        return "<1 ms"
    return f"{seconds * 1e3:.0f} ms" if seconds < _SECOND else duration(seconds)


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M:%S.%f}"[:-3]


def _date(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d} {_time(moment)} UTC"


def _one(text: str) -> str:
    return " ".join(text.split())


def lines_of(found: Sequence[Section]) -> list[tuple[str, Line | None]]:
    """Return all lines below each other: titles with None, and what stands below them."""
    flat: list[tuple[str, Line | None]] = []
    for each in found:
        flat += [("", None)] if flat else []
        flat += [(each.title, None), *((line.whole, line) for line in each.lines)]
    return flat
