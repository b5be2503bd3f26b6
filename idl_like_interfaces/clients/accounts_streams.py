"""The accounts of one incarnation of a source, sorted by what the hops are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from idl_like_interfaces.accounts import FOLDED, Account, Drop, Flow, HopKind, Verdict
from idl_like_interfaces.clients.accounts_memory import Seen
from idl_like_interfaces.events import GapReason

REPLACED = frozenset({FOLDED, GapReason.LATEST.value})
"""Reasons that are no loss: another item stands for what was dropped."""

Finding: TypeAlias = tuple[Verdict, str]

_ORDER = list(HopKind)


@dataclass(slots=True)
class Stream:
    """All accounts of one incarnation of a source.

    Attributes:
        senders: Of who produced the items.
        takers: Of the channel's intake, or of writers.
        readings: Of the channel for its consumers.
        consumers: Of these.
        is_over: The source was started again since.
        starts: The starts of each hop that answer, by its name.
    """

    senders: list[Seen] = field(default_factory=list)
    takers: list[Seen] = field(default_factory=list)
    readings: list[Seen] = field(default_factory=list)
    consumers: list[Seen] = field(default_factory=list)
    is_over: bool = False
    starts: dict[str, set[str]] = field(default_factory=dict)

    def add(self, seen: Seen) -> None:
        """Put an account where it belongs."""
        match seen.account.kind:
            case HopKind.SUPPLIER:
                self.senders.append(seen)
            case HopKind.CHANNEL if seen.account.to:
                self.readings.append(seen)
            case HopKind.CHANNEL | HopKind.WRITER:
                self.takers.append(seen)
            case HopKind.CONSUMER:
                self.consumers.append(seen)

    @property
    def all(self) -> list[Seen]:
        """All of them, in the order in which items pass."""
        everything = [*self.senders, *self.takers, *self.readings, *self.consumers]
        return sorted(everything, key=_place)

    def went_on(self, account: Account) -> bool:
        """Tell whether another start of a hop answers than the one whose account this is."""
        return bool(self.starts.get(account.hop, set()) - {account.hop_incarnation})

    def gone(self, seen: Seen) -> str:
        """Say of an account that nobody tells any more why, and since when."""
        why = "was started again" if self.went_on(seen.account) else "does not answer"
        return f"{why}; last asked {seen.at:%H:%M:%S} UTC"


def streams_of(seen: Iterable[Seen]) -> list[Stream]:
    """Sort accounts into streams; by source and incarnation."""
    streams: dict[tuple[str, str, Flow], Stream] = defaultdict(Stream)
    newest: dict[tuple[str, Flow], str] = {}
    starts: dict[str, set[str]] = defaultdict(set)
    for each in seen:
        account = each.account
        streams[account.source, account.incarnation, account.flow].add(each)
        of = account.source, account.flow
        newest[of] = max(newest.get(of, ""), account.incarnation)
        if not each.is_stale:
            starts[account.hop].add(account.hop_incarnation)
    for (source, incarnation, flow), stream in streams.items():
        stream.is_over = incarnation < newest[source, flow]
        stream.starts = starts
    return [streams[key] for key in sorted(streams)]


def earlier(seen: Iterable[Seen]) -> Iterator[Account]:
    """Yield the accounts as they were before the last round."""
    return (each.earlier for each in seen if each.earlier is not None)


def known(drops: Iterable[Drop]) -> int:
    """Add up what is known to be lost."""
    return sum(max(0, each.count) for each in drops)


def numbers(drop: Drop) -> str:
    """Say which numbers a loss has; empty when they are not known."""
    if not drop.first:
        return ""
    if drop.first == drop.last:
        return f": number {drop.first}"
    among = "" if drop.count == drop.last - drop.first + 1 else " among"
    return f":{among} numbers {drop.first} to {drop.last}"


def _place(seen: Seen) -> tuple[int, str, str, str, str]:
    account = seen.account
    start = account.hop_incarnation, account.subscription
    return _ORDER.index(account.kind), account.hop, account.to, *start
