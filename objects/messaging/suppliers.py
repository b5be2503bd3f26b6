"""Who has sent what: duplicates are known by the supplier's own numbers, and so are holes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from idl_like_interfaces.clients.accounts import Book, Losses
from idl_like_interfaces.events import Batch, GapReason, SupplierStats
from objects.messaging.chunk import Chunk
from objects.messaging.storage import SupplierAccount

# Each restart of a supplier is an incarnation; the longest silent ones are forgotten.
_MOST = 4096


@dataclass(slots=True, kw_only=True)
class _Account:
    next: int
    accepted: int = 0
    duplicates: int = 0
    missing: int = 0
    holes: Losses = field(default_factory=Losses)
    damaged: Losses = field(default_factory=Losses)

    def miss(self, count: int, first: int = 0) -> None:
        """Note numbers that never came."""
        self.missing += count
        self.holes.add(GapReason.SUPPLIER.value, count, first)

    def book(self) -> Book:
        """Return it as the ledger wants it: what was accepted is kept for the consumers."""
        book = Book()
        first = max(1, self.next - self.accepted - self.missing)
        book.take(self.accepted, first, self.next - 1)
        book.drops = self.damaged
        book.pass_on(book.in_flight)
        book.repeat(self.duplicates)
        book.missing = self.holes
        return book


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What is to be done with a batch.

    Attributes:
        duplicates: So many of its first events were taken before.
        missing: So many events of the supplier are missing before it.
    """

    duplicates: int
    missing: int


class SupplierLedger:
    """Keeps an account for each supplier's incarnation."""

    def __init__(self) -> None:
        self._accounts: OrderedDict[tuple[str, str], _Account] = OrderedDict()

    def admit(self, batch: Batch) -> Admission:
        """Book a batch.

        The first batch of an incarnation may begin anywhere: what was before it went
        to an earlier epoch of the channel, but for what the supplier says it lost.
        """
        count = len(batch.records)
        account = self._account_of(batch)
        duplicates = min(max(account.next - batch.first, 0), count)
        missing = max(batch.first - account.next, 0)
        account.accepted += count - duplicates
        account.duplicates += duplicates
        account.miss(missing, account.next)
        account.next = max(account.next, batch.first + count)
        return Admission(duplicates=duplicates, missing=missing)

    def _account_of(self, batch: Batch) -> _Account:
        key = (batch.source, batch.incarnation)
        if key not in self._accounts:
            self._accounts[key] = _Account(next=max(1, batch.first - batch.lost))
            if len(self._accounts) > _MOST:
                self._accounts.popitem(last=False)
        self._accounts.move_to_end(key)
        return self._accounts[key]

    def next_of(self, source: str, incarnation: str) -> int:
        """Return the number that an incarnation's next event will have."""
        account = self._accounts.get((source, incarnation))
        return account.next if account else 1

    def restore(self, kept: Iterable[SupplierAccount], behind: Iterable[Chunk]) -> None:
        """Begin with what was kept, and with what came behind that."""
        for each in kept:
            self._accounts[each.source, each.incarnation] = _Account(
                next=each.next,
                accepted=each.accepted,
                duplicates=each.duplicates,
            )
            self._accounts[each.source, each.incarnation].miss(each.missing)
        for chunk in behind:
            batch = chunk.batch
            account = self._account_of(batch)
            # What was accepted and is not there could not be read back.
            damaged = max(0, batch.first - chunk.missing - account.next)
            account.damaged.add(GapReason.DAMAGED.value, damaged, account.next)
            account.accepted += damaged + chunk.count
            account.miss(chunk.missing, batch.first - chunk.missing)
            account.next = batch.first + chunk.count

    def books(self) -> list[tuple[tuple[str, str], Book]]:
        """Return what became of the events of each incarnation of a source."""
        return [(key, account.book()) for key, account in self._accounts.items()]

    def kept(self) -> list[SupplierAccount]:
        """Return what must be kept of all accounts."""
        return [
            SupplierAccount(
                source=source,
                incarnation=incarnation,
                next=account.next,
                accepted=account.accepted,
                duplicates=account.duplicates,
                missing=account.missing,
            )
            for (source, incarnation), account in self._accounts.items()
        ]

    def stats(self) -> list[SupplierStats]:
        """Return all accounts, sorted by source, then in the order of their last batch."""
        rows = [
            SupplierStats(
                source=source,
                incarnation=incarnation,
                accepted=account.accepted,
                duplicates=account.duplicates,
                missing=account.missing,
            )
            for (source, incarnation), account in self._accounts.items()
        ]
        return sorted(rows, key=lambda row: row.source)
