"""The accounts of the channel: its intake of each source, and what it does for each consumer.

*Intake.* Of each incarnation of a source: taken are the events that were accepted, and all of
them are passed on to the retention at once. That the retention lets go of an event is no loss in
itself: it is one to those consumers that had not read it. Numbers that never came are missing.

*Each consumer*, by subscription. Taken are the events behind its start that match its filters;
passed are those that its cursor has acknowledged; in flight are those that were handed out since
then, and those that wait; the others are dropped, for the reason that the consumer is told.
When a subscription ends in good order, or is durable, what is in flight is in no figure any
more: nobody waits for it, or the next subscription of the name takes it. When its lease runs out
it is dropped (``closed``), until somebody of that name goes on at a cursor.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from idl_like_interfaces.accounts import Account, HopKind
from idl_like_interfaces.clients.accounts import Book, Books, Hop
from idl_like_interfaces.events import GapReason
from objects.messaging.backlog import WholeBacklog
from objects.messaging.chunk import Chunk
from objects.messaging.journal import Journal, behind
from objects.messaging.subscriber import Subscriber
from objects.messaging.suppliers import SupplierLedger

CLOSED = "closed"

MOST_ENDED = 256
"""Subscriptions that have ended, and whose accounts are told still."""


def intake_accounts(suppliers: SupplierLedger, hop: str, epoch: str) -> list[Account]:
    """Return what the channel took from each incarnation of each source."""
    told = Hop(name=hop, kind=HopKind.CHANNEL, incarnation=epoch)
    return [book.account(told, *key) for key, book in suppliers.books()]


def books_of(subscriber: Subscriber, journal: Journal, *, is_silent: bool = False) -> Books:
    """Return what the channel does for a consumer, by source; its lock must be held.

    Args:
        subscriber: The consumer.
        journal: What it reads.
        is_silent: Its lease ran out: what is in flight is lost.
    """
    books = Books()
    for key, count in subscriber.by_source.items():
        book = books.of(*key)
        book.take(count.acknowledged + sum(lost.count for lost in count.lost.values()))
        book.pass_on(count.acknowledged)
        book.first, book.last = count.first, count.last
        for reason, lost in count.lost.items():
            book.drop(reason, lost.count, lost.first, lost.last)
            _reach(book, lost.first, lost.last)
    for handed in subscriber.pending:
        _book(books, handed.chunk, handed.positions, CLOSED if is_silent else "")
    for chunk, positions in subscriber.backlog.parts():
        _book(books, chunk, positions, CLOSED if is_silent else "")
    _book_untold(books, subscriber, journal)
    return books


def _book(books: Books, chunk: Chunk, positions: Iterable[int], reason: str) -> None:
    """Book events of a chunk: dropped for a reason; without one they are in flight."""
    places = list(positions)
    if not places:
        return
    begin = chunk.batch.first
    first, last = begin + places[0], begin + places[-1]
    book = books.of(chunk.batch.source, chunk.batch.incarnation)
    book.take(len(places), first, last)
    if reason:
        book.drop(reason, len(places), first, last)


def _book_untold(books: Books, subscriber: Subscriber, journal: Journal) -> None:
    """Book what the retention let go, and the consumer has not been told of."""
    if not isinstance(subscriber.backlog, WholeBacklog):
        return  # who has limits is told at once
    known = subscriber.handed.sequence, subscriber.counted[1], subscriber.lost_to
    after, held = max(known), journal.first
    for chunk in journal.between(after, held - 1):
        if not chunk.is_damaged:
            lost = behind(chunk, subscriber.filters, after)
            _book(books, chunk, lost, GapReason.RETENTION.value)


def _reach(book: Book, first: int, last: int) -> None:
    if first:
        book.first = min(book.first or first, first)
        book.last = max(book.last, last)


@dataclass(slots=True)
class _Ended:
    name: str
    books: Books


class Ended:
    """The subscriptions that have ended, the newest of them; the channel's lock must be held.

    Args:
        journal: What they read.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._ended: OrderedDict[str, _Ended] = OrderedDict()

    def add(self, subscriber: Subscriber, is_silent: bool) -> None:  # noqa: FBT001 (a callback)
        """Note that a subscription is over.

        Args:
            subscriber: Whose.
            is_silent: Its lease ran out.
        """
        is_lost = is_silent and not subscriber.is_durable
        books = books_of(subscriber, self._journal, is_silent=is_lost)
        for book in books:
            book.give_up()
        self._ended[subscriber.id] = _Ended(subscriber.name, books)
        if len(self._ended) > MOST_ENDED:
            self._ended.popitem(last=False)

    def came_back(self, name: str) -> None:
        """Note that somebody goes on at a cursor: what was waiting for that name is not lost."""
        for each in self._ended.values():
            if each.name == name:
                for book in each.books:
                    book.take_back(CLOSED)

    def accounts(self, hop: str, epoch: str) -> list[Account]:
        """Return what the channel did for them."""
        return [
            account
            for id, each in self._ended.items()
            for account in each.books.accounts(_toward(hop, epoch, each.name, id, is_over=True))
        ]


def reading_accounts(
    subscriber: Subscriber, journal: Journal, hop: str, epoch: str
) -> list[Account]:
    """Return what the channel does for a consumer, by source; its lock must be held."""
    toward = _toward(hop, epoch, subscriber.name, subscriber.id)
    return books_of(subscriber, journal).accounts(toward)


def _toward(hop: str, epoch: str, name: str, id: str, *, is_over: bool = False) -> Hop:
    return Hop(
        name=hop,
        kind=HopKind.CHANNEL,
        incarnation=epoch,
        to=name,
        subscription=id,
        is_over=is_over,
    )
