"""Bookkeeping of a hop: what it was given, what it passed on, what it lost.

How a hop uses it: one ``Book`` for each incarnation of a source (``Books`` keeps many, and
forgets the ones that were silent longest), under the hop's own lock::

    book.take(5, first=1)  # it was given the items 1 to 5
    book.drop("spool", 2, first=1, last=2)  # it had to drop the first two
    book.pass_on(3)  # the next hop has acknowledged the rest
    book.miss("supplier", 3, first=6, last=8)  # it was never given 6 to 8
    book.account(hop, source, incarnation)  # as the ledger wants it

What is neither passed on nor dropped is in flight.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from idl_like_interfaces.accounts import Account, Drop, Flow, HopKind

MOST_RANGES = 32
"""Ranges that are told apart for each reason; of more the two nearest become one."""

MOST_SOURCES = 4096

UNTOLD = "unexplained"
"""The reason of what a consumer misses although no gap told of it."""

MOST_SUBSCRIPTIONS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """Who keeps accounts; the fields are those of ``Account``."""

    name: str
    kind: HopKind
    flow: Flow = Flow.EVENTS
    incarnation: str = ""
    to: str = ""
    subscription: str = ""
    is_over: bool = False


class Losses:
    """Lost items by reason and range of numbers: the counts are exact, the ranges bounded.

    Adjacent ranges become one. When there are more than ``MOST_RANGES`` of a reason, the two
    with the fewest other items between become one: it then spans items that were not lost, and
    its count is less than its length.
    """

    def __init__(self) -> None:
        # What nobody knows the number of stays apart: it must not hide what is known.
        self._ranges: dict[tuple[str, bool], list[Drop]] = {}
        self.total = 0

    def add(self, reason: str, count: int, first: int = 0, last: int = 0) -> None:
        """Note a loss.

        Args:
            reason: Why.
            count: How many; -1 when nobody can know.
            first: Number of the first; 0 when it is not known.
            last: Number of the last; 0: it follows from first and count.
        """
        if not count:
            return
        self.total += max(0, count)
        last = last or (first and first + max(1, count) - 1)
        drop = Drop(reason=reason, count=count, first=first, last=last)
        known = self._ranges.setdefault((reason, count < 0), [])
        if known and _touch(known[-1], drop):
            known[-1] = _joined(known[-1], drop)
            return
        known.append(drop)
        if len(known) > MOST_RANGES:
            _join_nearest(known)

    def remove(self, reason: str) -> int:
        """Forget all losses of a reason; return how many items that were, as far as known."""
        gone = [*self._ranges.pop((reason, False), []), *self._ranges.pop((reason, True), [])]
        count = sum(max(0, each.count) for each in gone)
        self.total -= count
        return count

    def drops(self) -> list[Drop]:
        """Return all of them, by reason in the order of their first occurrence."""
        return [drop for known in self._ranges.values() for drop in known]


def _touch(before: Drop, after: Drop) -> bool:
    if not before.first or not after.first:
        return before.first == after.first
    return before.first <= after.first <= before.last + 1


def _joined(one: Drop, other: Drop) -> Drop:
    return Drop(
        reason=one.reason,
        count=-1 if one.count < 0 else one.count + other.count,
        first=min(one.first, other.first),
        last=max(one.last, other.last),
    )


def _join_nearest(known: list[Drop]) -> None:
    known.sort(key=lambda drop: drop.first)
    # Without numbers there is at most one: it must not lend its zeros to a range.
    begin = 0 if known[0].first else 1
    at = min(
        range(begin, len(known) - 1), key=lambda each: known[each + 1].first - known[each].last
    )
    known[at : at + 2] = [_joined(known[at], known[at + 1])]


class Book:
    """What a hop does with the items of one incarnation of a source; not for many threads.

    Attributes:
        taken: Items that the hop was given.
        passed: Items that the next hop has acknowledged.
        first: Number of the first item that it was given; 0: none yet.
        last: Number of the last.
        drops: What it lost.
        missing: What it was never given.
        repeated: Items that it was given again and passed over.
    """

    __slots__ = ("drops", "first", "last", "missing", "passed", "repeated", "taken")

    def __init__(self) -> None:
        self.taken = self.passed = self.repeated = self.first = self.last = 0
        self.drops = Losses()
        self.missing = Losses()

    @property
    def in_flight(self) -> int:
        """Items that were taken, and neither passed on nor dropped."""
        return self.taken - self.passed - self.drops.total

    def take(self, count: int, first: int = 0, last: int = 0) -> None:
        """Be given items.

        Args:
            count: How many.
            first: Number of the first; 0: they have none.
            last: Number of the last; 0: they follow each other.
        """
        if not count:
            return
        self.taken += count
        if first:
            self.first = min(self.first or first, first)
            self.last = max(self.last, last or first + count - 1)

    def pass_on(self, count: int) -> None:
        """Have items acknowledged by the next hop."""
        self.passed += count

    def drop(self, reason: str, count: int, first: int = 0, last: int = 0) -> None:
        """Lose items that were taken; the arguments are those of ``Losses.add``."""
        self.drops.add(reason, count, first, last)

    def miss(self, reason: str, count: int, first: int = 0, last: int = 0) -> None:
        """Learn of items that hops before lost; the arguments are those of ``Losses.add``."""
        self.missing.add(reason, count, first, last)

    def give_up(self) -> None:
        """Have no part any more in what is in flight: another hop, or another book, takes it."""
        self.taken -= self.in_flight

    def take_back(self, reason: str) -> None:
        """Have no part any more in what was dropped for a reason."""
        self.taken -= self.drops.remove(reason)

    def repeat(self, count: int) -> None:
        """Be given items again."""
        self.repeated += count

    def account(self, hop: Hop, source: str, incarnation: str) -> Account:
        """Return how it stands now."""
        return Account(
            hop=hop.name,
            kind=hop.kind,
            flow=hop.flow,
            source=source,
            incarnation=incarnation,
            taken=self.taken,
            passed=self.passed,
            in_flight=self.in_flight,
            drops=self.drops.drops(),
            first=self.first,
            last=self.last,
            to=hop.to,
            hop_incarnation=hop.incarnation,
            subscription=hop.subscription,
            is_over=hop.is_over,
            missing=self.missing.drops(),
            repeated=self.repeated,
        )


class Books:
    """The books of a hop that serves many sources; the ones silent longest are forgotten.

    Args:
        most: So many are kept.
    """

    def __init__(self, most: int = MOST_SOURCES) -> None:
        self._most = most
        self._books: OrderedDict[tuple[str, str], Book] = OrderedDict()

    def of(self, source: str, incarnation: str) -> Book:
        """Return the book of an incarnation; a new one when there is none."""
        key = (source, incarnation)
        book = self._books.get(key)
        if book is None:
            book = self._books[key] = Book()
            if len(self._books) > self._most:
                self._books.popitem(last=False)
        else:
            self._books.move_to_end(key)
        return book

    def __iter__(self) -> Iterator[Book]:
        yield from self._books.values()

    def pass_on_all(self) -> None:
        """Pass on whatever is in flight."""
        for book in self._books.values():
            book.pass_on(book.in_flight)

    def accounts(self, hop: Hop) -> list[Account]:
        """Return how all of them stand."""
        return [book.account(hop, *key) for key, book in self._books.items()]


class Readings:
    """The books of a consumer: one set for each subscription, the newest few are kept.

    The channel keeps its account of a consumer by subscription, too, so that the two can be
    compared also when one of them was started again. ``take`` what a reply brings, and
    ``hand_over`` when the owner comes back for more. Not for many threads.
    """

    def __init__(self) -> None:
        self._books: OrderedDict[str, Books] = OrderedDict()
        self._now = Books()

    def begin(self, subscription_id: str) -> None:
        """Read under another subscription from now on."""
        self._now = self._books.setdefault(subscription_id, Books())
        while len(self._books) > MOST_SUBSCRIPTIONS:
            self._books.popitem(last=False)

    def of(self, source: str, incarnation: str) -> Book:
        """Return the book of an incarnation within the present subscription."""
        return self._now.of(source, incarnation)

    def hand_over(self) -> None:
        """Note that the owner has finished what it was given."""
        self._now.pass_on_all()

    def accounts(self, name: str) -> list[Account]:
        """Return how all of them stand, the newest last; the consumer is called so."""
        return [
            account
            for subscription_id, books in self._books.items()
            for account in books.accounts(
                Hop(name=name, kind=HopKind.CONSUMER, subscription=subscription_id)
            )
        ]


def below(root: str, accounts: list[Account]) -> list[Account]:
    """Return accounts of the log with sources and hops as they are named below a root."""
    return [
        msgspec.structs.replace(each, source=f"{root}/{each.source}", hop=_below(root, each.hop))
        for each in accounts
    ]


def _below(root: str, hop: str) -> str:
    return hop if hop.startswith(f"{root}/") else f"{root}/{hop}"
