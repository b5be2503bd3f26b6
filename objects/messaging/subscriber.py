"""One connected consumer: what it wants, what it got of whom, and what it lost."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from idl_like_interfaces.clients.globs import TopicFilters
from idl_like_interfaces.event_quality import QoS
from idl_like_interfaces.events import ConsumerState, ConsumerStats, Gap, GapReason
from idl_like_interfaces.waiting import News
from objects.messaging.backlog import Backlog, Found, WholeBacklog
from objects.messaging.chunk import LANES, Chunk
from objects.messaging.cursor import Place
from objects.messaging.journal import Journal, Pick, behind
from objects.messaging.latest import LatestBacklog
from objects.messaging.limited import LimitedBacklog

_MOST_SOURCES = 1024


@dataclass(slots=True)
class Lost:
    """Events of one source that were lost for one reason: how many, and its own numbers of them."""

    count: int = 0
    first: int = 0
    last: int = 0


@dataclass(slots=True)
class SourceCount:
    """What a consumer got of one incarnation of a source; it has acknowledged a part of that."""

    delivered: int = 0
    acknowledged: int = 0
    first: int = 0
    last: int = 0
    lost: dict[GapReason, Lost] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Subscriber:
    """One connected consumer.

    Attributes:
        id: Of the subscription.
        name: As it called itself.
        filters: What it wants.
        asked: The quality of service that it asked for.
        qos: What it effectively gets.
        is_durable: Its name is that of a durable subscription.
        backlog: What waits for it.
        place: Up to here it has acknowledged.
        handed: Up to here it was handed out; behind it the backlog goes on.
        seen: When it asked last (monotonic seconds).
        news: What its fetches wait for: something that it wants.
        last_wanted: Of all that came since it is connected, what it wants, or what it must
            be told of, ends with this sequence number.
        quiet_from: Behind this sequence number there was nothing for it ...
        quiet_to: ... up to this one, when its fetches were woken the last time.
        delivered: Events handed out.
        delivered_bytes: Size of their records.
        dropped: Events that it lost, as far as their number is known, by reason.
        counted: Up to these sequence numbers, in each lane, events are in the counts.
        by_source: What it got of whom.
        pending: What was handed out and is not acknowledged.
        lost_to: Up to here it is booked what the retention took unread.
        blocked_since: It holds up suppliers since then; ``None``: it does not.
        blocked_s: For how long it did before.
    """

    id: str
    name: str
    filters: TopicFilters
    asked: QoS
    qos: QoS
    is_durable: bool
    backlog: Backlog = field(init=False)
    place: Place
    handed: Place = field(init=False)
    seen: float
    news: News = field(default_factory=News)
    last_wanted: int
    quiet_from: int = 0
    quiet_to: int = 0
    delivered: int = 0
    delivered_bytes: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    counted: list[int] = field(init=False)
    by_source: OrderedDict[tuple[str, str], SourceCount] = field(default_factory=OrderedDict)
    pending: list[Pick] = field(default_factory=list)
    lost_to: int = 0
    blocked_since: float | None = None
    blocked_s: float = 0.0

    def begin(self, backlog: Backlog, place: Place) -> None:
        """Go on behind a place, with a new backlog."""
        self.backlog = backlog
        self.place = self.handed = place
        self.counted = list(place.in_lanes)
        backlog.begin(place)

    def go_on(self, place: Place) -> None:
        """Note what it has acknowledged; hand out again what got lost on the way to it."""
        if place == self.handed:
            self.backlog.settle()
            for pick in self.pending:
                self._of(pick.chunk).acknowledged += len(pick.positions)
        else:
            self.backlog.begin(place)
            self.handed = place
        self.pending.clear()
        self.place = place

    def tell(self, found: Found) -> None:
        """Book the newest events of the topics, with which it begins."""
        for pick in found.picks:
            self.delivered += len(pick.positions)
            self.delivered_bytes += pick.chunk.bytes_of(pick.positions)

    def blocks_no_more(self, now: float) -> None:
        """Note that it has read: suppliers may go on."""
        if self.blocked_since is not None:
            self.blocked_s += now - self.blocked_since
            self.blocked_since = None

    def pass_quiet(self, journal: Journal) -> None:
        """Pass over what is known to have nothing for it.

        The journal itself cannot tell of events that it has evicted and forgotten.
        """
        if not isinstance(self.backlog, WholeBacklog):
            return
        at = self.handed.sequence
        if at >= self.last_wanted:
            self.backlog.begin(Place(journal.last))
        elif self.quiet_from <= at < self.quiet_to:
            self.backlog.begin(Place(self.quiet_to))

    def read(self, journal: Journal, limit: int) -> Found:
        """Return what comes next, and book it."""
        before = self.handed
        found = self.backlog.read(limit)
        self.handed = found.place
        self.pending += found.picks
        for pick in found.picks:
            self._book(pick)
        for gap in found.gaps:
            self._book_gap(gap, before, journal)
        self.counted = [max(pair) for pair in zip(self.counted, found.place.in_lanes, strict=True)]
        return found

    def _book(self, pick: Pick) -> None:
        """Count what is handed out, but for what was before."""
        chunk, positions = pick.chunk, pick.positions
        if isinstance(self.backlog, LatestBacklog):
            known = 0 if chunk.first + positions[0] > self.counted[0] else len(positions)
        elif chunk.batch.priorities:
            known = sum(
                chunk.first + at <= self.counted[LANES.index(chunk.lane_of(at))] for at in positions
            )
        else:
            known = bisect_left(positions, self.counted[1] + 1 - chunk.first)
        fresh = positions[known:]
        if not fresh:
            return
        self.delivered += len(fresh)
        self.delivered_bytes += chunk.bytes_of(fresh)
        count = self._of(chunk)
        count.delivered += len(fresh)
        count.first = count.first or chunk.batch.first + fresh[0]
        count.last = chunk.batch.first + fresh[-1]

    def _book_gap(self, gap: Gap, before: Place, journal: Journal) -> None:
        """Count what is lost and was not told by the backlog: what only the journal knows of."""
        is_whole = isinstance(self.backlog, WholeBacklog)
        if gap.reason in (GapReason.SUPPLIER, GapReason.DAMAGED):
            is_new = self.handed.furthest > self.counted[1]
            self.dropped[gap.reason] += max(0, gap.count) if is_new else 0
        elif is_whole:
            after = max(gap.first - 1, self.counted[1]) if gap.last else before.sequence
            self._book_retention(after, gap, journal)

    def miss(self, chunk: Chunk) -> None:
        """Book what the retention takes and it has not read."""
        after = max(self.handed.sequence, self.lost_to)
        if not chunk.is_damaged:
            self.lose(chunk, behind(chunk, self.filters, after), GapReason.RETENTION)
        self.lost_to = max(self.lost_to, chunk.last)

    def _book_retention(self, after: int, gap: Gap, journal: Journal) -> None:
        after = max(after, self.lost_to)
        for chunk in journal.between(after, gap.last):
            positions = behind(chunk, self.filters, after)
            if positions and chunk.last <= gap.last:
                self.lose(chunk, positions, gap.reason)
        # What is not known any more, nobody can say of whom it was.
        known = max(0, journal.count(self.filters, max(after, journal.first_known - 1), gap.last))
        total = max(0, journal.count(self.filters, after, gap.last))
        self.dropped[gap.reason] += max(0, total - known)

    def lose(self, chunk: Chunk, positions: Sequence[int], reason: GapReason) -> None:
        """Book events that it will not get."""
        if not positions:
            return
        self.dropped[reason] += len(positions)
        lost = self._of(chunk).lost.setdefault(reason, Lost())
        lost.count += len(positions)
        lost.first = lost.first or chunk.batch.first + positions[0]
        lost.last = chunk.batch.first + positions[-1]

    def _of(self, chunk: Chunk) -> SourceCount:
        key = (chunk.batch.source, chunk.batch.incarnation)
        count = self.by_source.get(key)
        if count is None:
            count = self.by_source[key] = SourceCount()
            if len(self.by_source) > _MOST_SOURCES:
                self.by_source.popitem(last=False)
        return count

    @property
    def state(self) -> ConsumerState:
        """How it stands."""
        backlog = self.backlog
        is_out = isinstance(backlog, LimitedBacklog) and backlog.is_quarantined
        return ConsumerState.QUARANTINED if is_out else ConsumerState.READING

    def stats(self, last: int, now: float) -> ConsumerStats:
        """Return its row of the channel's statistics."""
        holding = 0.0 if self.blocked_since is None else now - self.blocked_since
        return ConsumerStats(
            name=self.name,
            topics=self.filters.patterns,
            qos=self.qos,
            delivered=self.delivered,
            dropped=sum(self.dropped.values()),
            lag=max(0, last - self.place.sequence),
            subscription_id=self.id,
            state=self.state,
            durable=self.is_durable,
            dropped_by={str(reason): n for reason, n in sorted(self.dropped.items()) if n},
            waiting=self.backlog.waiting,
            waiting_bytes=self.backlog.waiting_bytes,
            delivered_bytes=self.delivered_bytes,
            blocked_s=self.blocked_s + holding,
        )
