"""What a consumer has got: each event once, and an account for each start of a supplier."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from dataclasses import dataclass, field

import msgspec

from idl_like_interfaces.accounts import Account, Drop
from idl_like_interfaces.clients.accounts import UNTOLD, Readings
from idl_like_interfaces.clients.records import Event, decode_records
from idl_like_interfaces.events import Batch, Delivery, Gap, GapReason, Priority

_MOST_SUPPLIERS = 4096

_NORMAL = Priority.NORMAL


@dataclass(slots=True)
class _Tally:
    """What came of one start of a supplier.

    Attributes:
        received: Events that were new.
        first: The lowest of their numbers; 0: none came yet.
        newest: The highest number of each priority.
    """

    received: int = 0
    first: int = 0
    newest: dict[Priority, int] = field(default_factory=dict)

    @property
    def last(self) -> int:
        """The highest of all numbers; 0: none came yet."""
        return max(self.newest.values(), default=0)

    @property
    def holes(self) -> int:
        """Numbers between the lowest and the highest that did not come."""
        return self.last - self.first + 1 - self.received if self.received else 0


class Reception:
    """Decodes what is delivered, drops what came before, and counts.

    Events come again from a supplier that does not know whether a channel that died had
    taken them. Within one priority the numbers of a supplier's start rise, whatever the order of
    reading is. One thread reads, any thread may ask for accounts.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readings = Readings()
        self._tallies: OrderedDict[tuple[str, str], _Tally] = OrderedDict()
        self._missed: Counter[GapReason] = Counter()
        self._unknown: set[GapReason] = set()
        self._missed_of: dict[str, int] = {}

    def begin(self, subscription_id: str) -> None:
        """Read under another subscription from now on."""
        with self._lock:
            self._readings.begin(subscription_id)

    def hand_over(self) -> None:
        """Note that the owner has finished what it was given."""
        with self._lock:
            self._readings.hand_over()

    def take(self, delivery: Delivery, epoch: str) -> list[Event]:
        """Return the events of a delivery that are new."""
        batch = delivery.batch
        decoded = _decoded(delivery, epoch)
        with self._lock:
            tally = self._tally_of(batch)
            events = _new_ones(decoded, batch, tally.newest)
            book = self._readings.of(batch.source, batch.incarnation)
            book.repeat(len(decoded) - len(events))
            if events:
                tally.received += len(events)
                # Within a batch the numbers rise: its first is the lowest.
                first, last = events[0].source_sequence, events[-1].source_sequence
                tally.first = min(tally.first or first, first)
                book.take(len(events), first, last)
        return events

    def _tally_of(self, batch: Batch) -> _Tally:
        key = (batch.source, batch.incarnation)
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = _Tally()
            if len(self._tallies) > _MOST_SUPPLIERS:
                self._tallies.popitem(last=False)
        self._tallies.move_to_end(key)
        return tally

    def miss(self, gap: Gap) -> None:
        """Count a gap."""
        with self._lock:
            if gap.count < 0:
                self._unknown.add(gap.reason)
                return
            self._missed[gap.reason] += gap.count
            if gap.source:
                self._missed_of[gap.source] = self._missed_of.get(gap.source, 0) + gap.count

    def accounts(self, hop: str, *, knows_holes: bool) -> list[Account]:
        """Return the accounts of the consumer, by subscription.

        What it lost it never got: the channel tells of that. Here stands what is missing between
        the numbers that came, in the newest account of each start of a supplier.

        Args:
            hop: Name of the consumer.
            knows_holes: It reads all topics in the order of the channel: a missing number is
                a lost event.
        """
        with self._lock:
            accounts = self._readings.accounts(hop)
            return self._with_holes(accounts) if knows_holes else accounts

    def _with_holes(self, accounts: list[Account]) -> list[Account]:
        left = Counter(self._missed)
        newest = {(each.source, each.incarnation): at for at, each in enumerate(accounts)}
        for key, at in newest.items():
            holes = self._tallies[key].holes if key in self._tallies else 0
            if holes > 0:
                missing = [Drop(reason=self._reason(key[0], holes, left), count=holes)]
                accounts[at] = msgspec.structs.replace(accounts[at], missing=missing)
        return accounts

    def _reason(self, source: str, holes: int, left: Counter[GapReason]) -> str:
        """Say why numbers of a source are missing, as far as the gaps say it."""
        supplier = GapReason.SUPPLIER
        if min(self._missed_of.get(source, 0), left[supplier]) >= holes:
            left[supplier] -= holes
            return supplier.value
        likely = [each for each in left if left[each] > 0 and each is not supplier]
        for reason in likely:
            left[reason] -= min(holes, left[reason])
        return ", ".join(each.value for each in likely or sorted(self._unknown)) or UNTOLD


def _new_ones(events: list[Event], batch: Batch, newest: dict[Priority, int]) -> list[Event]:
    """Drop the events that came before, and keep the newest number of each priority."""
    if batch.priorities:
        new = [each for each in events if each.source_sequence > newest.get(each.priority, 0)]
        newest.update((each.priority, each.source_sequence) for each in new)
        return new
    known = newest.get(_NORMAL, 0)
    if batch.first <= known:
        events = [each for each in events if each.source_sequence > known]
    if events:
        newest[_NORMAL] = events[-1].source_sequence
    return events


def _decoded(delivery: Delivery, epoch: str) -> list[Event]:
    batch = delivery.batch
    count = len(batch.records)
    topics, priorities = batch.topics, batch.priorities or [_NORMAL] * len(batch.topics)
    begin, first = delivery.sequence, batch.first
    source, incarnation = batch.source, batch.incarnation
    # One comprehension, not a function for each: this is what an event costs its reader.
    return [
        Event(
            epoch=epoch,
            sequence=begin + position,
            topic=topics[topic],
            source=source,
            incarnation=incarnation,
            source_sequence=first + position,
            time_ns=time_ns,
            repository_id=repository_id,
            body=body,
            priority=priorities[topic],
        )
        for position, topic, (time_ns, repository_id, body) in zip(
            delivery.positions or range(count),
            batch.topic_of or [0] * count,
            decode_records(batch.records),
            strict=True,
        )
    ]
