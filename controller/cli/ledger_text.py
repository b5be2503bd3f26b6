"""The ledger as text: a table of each source, with what is wrong below the hop that it is of."""

from __future__ import annotations

import textwrap
from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from idl_like_interfaces.accounts import Balance, HopKind, Line, Verdict

ARROW = "→"

_HEAD = ("given", "passed on", "in flight", "dropped")
_WIDTHS = (10, 11, 11, 9)
_LEAST_WIDTH = 60
_GRAVITY = [Verdict.BALANCED, Verdict.LOST, Verdict.IN_DOUBT, Verdict.UNEXPLAINED]
_STYLES = {
    Verdict.BALANCED: "",
    Verdict.LOST: "bold red",
    Verdict.IN_DOUBT: "yellow",
    Verdict.UNEXPLAINED: "bold magenta",
}


class Styled(NamedTuple):
    """A line of output, and how it looks on a terminal."""

    text: str
    style: str = ""


@dataclass(slots=True)
class Row:
    """What a hop did with the items of a source, over all its starts and subscriptions."""

    name: str
    given: int = 0
    passed: int = 0
    in_flight: int = 0
    dropped: int = 0
    verdict: Verdict = Verdict.BALANCED
    texts: list[tuple[Verdict, str]] = field(default_factory=list)

    def add(self, line: Line) -> None:
        """Add a line of the ledger."""
        account = line.account
        self.given += account.taken
        self.passed += account.passed
        # What waited at a hop that is gone waits there no more.
        self.in_flight += 0 if line.is_stale else account.in_flight
        self.dropped += sum(max(0, each.count) for each in account.drops)
        self.verdict = max(self.verdict, line.verdict, key=_GRAVITY.index)
        if line.verdict is not Verdict.BALANCED or account.drops:
            self.texts.append((line.verdict, line.text))


def is_wrong(line: Line) -> bool:
    """Tell whether something was lost there, or may have been."""
    return line.verdict is not Verdict.BALANCED


def hop_name(line: Line) -> str:
    """Say which hop a line is of."""
    account = line.account
    if account.kind is HopKind.CHANNEL:
        return f"{account.hop} {ARROW} {account.to}" if account.to else account.hop
    return f"{account.hop} ({account.kind})"


def verdict_text(lines: list[Line]) -> str:
    """Say in one line how it stands."""
    sources = len({(each.account.source, each.account.incarnation) for each in lines})
    counts = Counter(each.verdict for each in lines)
    parts = [f"{counts[each]} {each}" for each in reversed(_GRAVITY[1:]) if counts[each]]
    of = "1 source" if sources == 1 else f"{sources} sources"
    return f"{len(lines)} accounts of {of}: {', '.join(parts) or 'all balanced'}"


def wrong_text(lines: list[Line]) -> str:
    """Name the hops that are not balanced, the worst first."""
    wrong = sorted(filter(is_wrong, lines), key=lambda each: -_GRAVITY.index(each.verdict))
    return "; ".join(
        f"{hop_name(each)}, items of {each.account.source}: {each.text}" for each in wrong
    )


def table(balance: Balance, width: int, *, shows_all: bool = False) -> list[Styled]:
    """Draw the ledger: source by source, hop by hop.

    Args:
        balance: The ledger.
        width: Columns of the terminal.
        shows_all: Also earlier starts of sources that are balanced.
    """
    streams = _streams(balance.lines)
    shown = [each for each in streams if shows_all or _is_news(each, streams)]
    hidden = len(streams) - len(shown)
    width = max(width, _LEAST_WIDTH)
    names = max([len(hop_name(line)) for stream in shown for line in stream], default=0)
    name_width = min(names + 2, width - sum(_WIDTHS))
    lines = [_head(name_width)] if shown else []
    for stream in shown:
        lines += _stream(stream, name_width, width)
    if hidden:
        lines.append(Styled(f"{hidden} earlier starts, all balanced, are not shown (--all)", "dim"))
    return [*lines, *_silent(balance), _sum(balance)]


def screen(balance: Balance, width: int, height: int) -> list[Styled]:
    """Draw as much of the ledger as a screen holds, what is wrong first."""
    at = Styled(f"ledger at {balance.time:%H:%M:%S} UTC", "bold")
    streams = sorted(_streams(balance.lines), key=lambda each: not any(map(is_wrong, each)))
    ordered = Balance(time=balance.time, lines=[line for each in streams for line in each])
    *body, last = table(ordered, width)
    silent = _silent(balance)
    room = max(height - 3 - len(silent), 1)
    if len(body) > room:
        left = len(body) - room + 1
        body = [*body[: room - 1], Styled(f"… {left} more lines: give --source GLOB", "dim")]
    return [at, last, *silent, *body]


def _silent(balance: Balance) -> list[Styled]:
    return [
        Styled(f"{name} could not be asked: {why}", "yellow")
        for name, why in balance.silent.items()
    ]


def _sum(balance: Balance) -> Styled:
    worst = max((each.verdict for each in balance.lines), key=_GRAVITY.index, default=_GRAVITY[0])
    return Styled(verdict_text(balance.lines), _STYLES[worst] or "green")


def _streams(lines: list[Line]) -> list[list[Line]]:
    def stream(line: Line) -> tuple[str, str, str]:
        account = line.account
        return account.source, account.incarnation, account.flow

    return [list(group) for _, group in groupby(lines, key=stream)]


def _is_news(stream: list[Line], streams: list[list[Line]]) -> bool:
    """Tell whether it is the newest start of its source, or something is wrong with it."""
    one = stream[0].account
    starts = [
        each[0].account.incarnation
        for each in streams
        if (each[0].account.source, each[0].account.flow) == (one.source, one.flow)
    ]
    return one.incarnation == max(starts) or any(map(is_wrong, stream))


def _head(name_width: int) -> Styled:
    columns = "".join(f"{each:>{width}}" for each, width in zip(_HEAD, _WIDTHS, strict=True))
    return Styled(f"{'':<{name_width}}{columns}", "dim")


def _stream(stream: list[Line], name_width: int, width: int) -> list[Styled]:
    account = stream[0].account
    title = f"{account.source or '(nobody knows whose)'} · {account.flow}"
    lines = [Styled(f"{title} · start {account.incarnation}"[:width], "bold")]
    rows: dict[str, Row] = {}
    for line in stream:
        name = hop_name(line)
        rows.setdefault(name, Row(name)).add(line)
    for row in rows.values():
        lines += _row(row, name_width, width)
    return lines


def _row(row: Row, name_width: int, width: int) -> list[Styled]:
    figures = (row.given, row.passed, row.in_flight, row.dropped)
    columns = "".join(f"{each:>{size}}" for each, size in zip(figures, _WIDTHS, strict=True))
    name = f"  {row.name}"
    if len(name) > name_width:
        name = f"{name[: name_width - 1]}…"
    lines = [Styled(f"{name:<{name_width}}{columns}", _STYLES[row.verdict])]
    for verdict, text in row.texts:
        is_plain = verdict is Verdict.BALANCED or text.startswith(verdict.value)
        said = text if is_plain else f"{verdict}: {text}"
        lines += [Styled(each, _STYLES[verdict] or "dim") for each in _wrapped(said, width)]
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, initial_indent=" " * 4, subsequent_indent=" " * 6)
