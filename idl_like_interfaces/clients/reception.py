"""What a consumer has got: each event once, and an account for each start of a supplier."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from idl_like_interfaces.accounts import Account, Drop, Flow, HopKind
from idl_like_interfaces.clients.records import Event, decode_record
from idl_like_interfaces.events import Batch, Delivery, Gap, GapReason, Priority
from idl_like_interfaces.octets import OctetBlocks

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
    reading is.
    """

    def __init__(self) -> None:
        self._tallies: OrderedDict[tuple[str, str], _Tally] = OrderedDict()
        self._missed: Counter[GapReason] = Counter()
        self._unknown: set[GapReason] = set()
        self._missed_of: dict[str, int] = {}

    def take(self, delivery: Delivery, epoch: str) -> list[Event]:
        """Return the events of a delivery that are new."""
        batch = delivery.batch
        tally = self._tally_of(batch)
        events = _new_ones(_decoded(delivery, epoch), batch, tally.newest)
        if events:
            tally.received += len(events)
            # Within a batch the numbers rise: its first is the lowest.
            first = events[0].source_sequence
            tally.first = min(tally.first or first, first)
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
        if gap.count < 0:
            self._unknown.add(gap.reason)
            return
        self._missed[gap.reason] += gap.count
        if gap.source:
            self._missed_of[gap.source] = self._missed_of.get(gap.source, 0) + gap.count

    def accounts(self, hop: str, *, knows_holes: bool) -> list[Account]:
        """Return the accounts of the consumer.

        Events that were lost to it, of which the channel does not say whose they were, stand in
        an account without source.

        Args:
            hop: Name of the consumer.
            knows_holes: It reads all topics in the order of the channel: a missing number is
                a lost event.
        """
        left = Counter(self._missed)
        accounts = [
            self._account(hop, key, tally, tally.holes if knows_holes else 0, left)
            for key, tally in list(self._tallies.items())
        ]
        drops = [Drop(reason=reason, count=count) for reason, count in left.items() if count > 0]
        if not knows_holes:
            drops += [Drop(reason=reason, count=-1) for reason in sorted(self._unknown)]
        if drops:
            accounts.append(_account_of_nobody(hop, drops))
        return accounts

    def _account(
        self, hop: str, key: tuple[str, str], tally: _Tally, holes: int, left: Counter[GapReason]
    ) -> Account:
        drops = []
        if holes > 0:
            drops = [Drop(reason=self._reason(key[0], holes, left), count=holes)]
        return Account(
            hop=hop, kind=HopKind.CONSUMER, flow=Flow.EVENTS, source=key[0], incarnation=key[1],
            taken=tally.received + max(0, holes), passed=tally.received, in_flight=0, drops=drops,
            first=tally.first, last=tally.last,
        )  # fmt: skip

    def _reason(self, source: str, holes: int, left: Counter[GapReason]) -> str:
        """Say why numbers of a source are missing, as far as the gaps say it."""
        supplier = GapReason.SUPPLIER
        if min(self._missed_of.get(source, 0), left[supplier]) >= holes:
            left[supplier] -= holes
            return supplier.value
        likely = [each for each in left if left[each] > 0 and each is not supplier]
        for reason in likely:
            left[reason] -= min(holes, left[reason])
        return ", ".join(each.value for each in likely or sorted(self._unknown)) or "unexplained"


def _account_of_nobody(hop: str, drops: list[Drop]) -> Account:
    return Account(
        hop=hop, kind=HopKind.CONSUMER, flow=Flow.EVENTS, source="", incarnation="",
        taken=sum(max(0, drop.count) for drop in drops), passed=0, in_flight=0, drops=drops,
    )  # fmt: skip


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
    events = []
    for position, topic, encoded in zip(
        delivery.positions or range(count),
        batch.topic_of or [0] * count,
        _copies(batch.records),
        strict=True,
    ):
        record = decode_record(encoded)
        events.append(
            Event(
                epoch=epoch,
                sequence=begin + position,
                topic=topics[topic],
                source=batch.source,
                incarnation=batch.incarnation,
                source_sequence=first + position,
                time_ns=record.time_ns,
                repository_id=record.repository_id,
                body=record.body,
                priority=priorities[topic],
            )
        )
    return events


def _copies(blocks: OctetBlocks) -> Iterator[bytes]:
    """Yield the blocks as octets of their own: of small ones cheaper than views."""
    buffer = bytes(blocks.buffer)
    end = 0
    for length in blocks.lengths:
        begin, end = end, end + length
        yield buffer[begin:end]
