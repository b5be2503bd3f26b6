"""The page of the ledger: what is not balanced, and the sums of all sources."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.layout import Layout
from rich.text import Text

from controller.dashboard.drawing import FRAME, fill, framed, plain_table
from controller.dashboard.page import Page, absent, hints
from controller.dashboard.snapshot import Snapshot
from idl_like_interfaces.accounts import Account, Flow, HopKind, Line, Verdict

_VERDICTS = {
    Verdict.UNEXPLAINED: "bold red",
    Verdict.IN_DOUBT: "yellow",
    Verdict.LOST: "yellow",
    Verdict.BALANCED: "green",
}
"""With the order in which they are shown."""


def draw_ledger(snapshot: Snapshot, width: int, height: int) -> Layout:
    """Draw the page so that it fills a size."""
    balance = snapshot.balance
    if balance is None:
        return absent(Page.LEDGER, "the ledger")
    counts = {v: sum(line.verdict is v for line in balance.lines) for v in _VERDICTS}
    title = "ledger: " + (", ".join(f"{n} {v}" for v, n in counts.items() if n) or "no accounts")
    if balance.silent:
        title += f"; silent: {', '.join(balance.silent)}"
    table = plain_table(width - 2 * FRAME)
    table.add_column("source", ratio=3, no_wrap=True, overflow="ellipsis")
    table.add_column("hop", ratio=3, no_wrap=True, overflow="ellipsis")
    for name, room in (("taken", 9), ("waits", 6), ("lost", 6)):
        table.add_column(name, width=room, justify="right", no_wrap=True)
    table.add_column("verdict", ratio=4, no_wrap=True, overflow="ellipsis")
    order = list(_VERDICTS)
    wrong = [each for each in balance.lines if each.verdict is not Verdict.BALANCED]
    wrong.sort(key=lambda each: order.index(each.verdict))
    rows = [*map(_account_cells, wrong), *map(_source_cells, sums(balance.lines))]
    return framed(title, fill(table, rows, height - FRAME), hint=hints(Page.LEDGER))


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSum:
    """All accounts of a source, in all its incarnations, for one flow."""

    source: str
    flow: Flow
    produced: int
    hops: int
    in_flight: int
    worst: Verdict


def sums(lines: Iterable[Line]) -> list[SourceSum]:
    """Add the accounts up, by source and flow."""
    grouped: dict[tuple[str, Flow], list[Line]] = {}
    for line in lines:
        grouped.setdefault((line.account.source, line.account.flow), []).append(line)
    order = list(_VERDICTS)
    return [
        SourceSum(
            source=source,
            flow=flow,
            produced=sum(_produced(each.account) for each in own),
            hops=len({(each.account.hop, each.account.to) for each in own}),
            in_flight=sum(each.account.in_flight for each in own),
            worst=min((each.verdict for each in own), key=order.index),
        )
        for (source, flow), own in sorted(grouped.items())
    ]


def _produced(account: Account) -> int:
    return account.taken if account.kind is HopKind.SUPPLIER else 0


def _source_cells(each: SourceSum) -> tuple[Text, ...]:
    return (
        Text(each.source, style="bold"),
        Text(f"{each.hops} hops of {each.flow}", style="dim"),
        Text(str(each.produced)),
        Text(str(each.in_flight), style="" if each.in_flight else "dim"),
        Text("0" if each.worst is Verdict.BALANCED else "^", style="dim"),
        Text(each.worst.value, style=_VERDICTS[each.worst]),
    )


def _account_cells(line: Line) -> tuple[Text, ...]:
    account = line.account
    lost = [each.count for each in (*account.drops, *account.missing)]
    to = f" to {account.to}" if account.to else ""
    return (
        Text(account.source, style="bold"),
        Text(f"{account.hop}{to}{' (gone)' if line.is_stale else ''}"),
        Text(str(account.taken)),
        Text(str(account.in_flight)),
        Text("?" if -1 in lost else str(sum(lost)), style="bold red"),
        Text(f"{line.verdict}: {line.text}", style=_VERDICTS[line.verdict]),
    )
