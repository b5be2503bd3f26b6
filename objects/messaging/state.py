"""What a channel knows: its events, who supplied them, who reads them, and where."""

from __future__ import annotations

from collections import Counter

from idl_like_interfaces.events import Batch, ChannelStats, PublishReply, RetentionBounds
from idl_like_interfaces.waiting import News
from objects.messaging.accounts import Ended
from objects.messaging.batches import owned, without_first
from objects.messaging.cursor import (
    LATEST,
    NEW,
    OLDEST,
    Place,
    Position,
    parse_cursor,
    refuse_future,
)
from objects.messaging.durables import Durable, Durables
from objects.messaging.journal import Journal, Retention
from objects.messaging.latest import LatestValues
from objects.messaging.rate import RateMeter
from objects.messaging.storage import Checkpoint, Storage
from objects.messaging.subscribers import Subscribers
from objects.messaging.suppliers import SupplierLedger

OTHER_TOPICS = "(others)"

_MOST_TOPICS = 10_000


class ChannelState:
    """The state of a channel; who calls it holds the channel's lock.

    Args:
        epoch: Of a channel that begins anew.
        retention: What it holds.
        now: Monotonic seconds.
        storage: Its journal on disk; a channel that finds one goes on in its epoch.

    Attributes:
        epoch: Since when its numbers count.
        journal: The events that it holds.
        latest: The newest event of each topic.
        suppliers: Who supplied what.
        ended: The accounts of subscriptions that have ended.
        subscribers: Who reads.
        durables: The durable subscriptions.
    """

    def __init__(
        self, epoch: str, retention: Retention, now: float, storage: Storage | None
    ) -> None:
        self.epoch = epoch
        self.journal = Journal(retention)
        self.latest = LatestValues()
        self.suppliers = SupplierLedger()
        self.ended = Ended(self.journal)
        self.subscribers = Subscribers(self.journal, self.latest, self.ended.add)
        self.durables = Durables()
        self._topics: Counter[str] = Counter()
        self._rate = RateMeter(now)
        self._storage = storage
        if storage is not None:
            self._recover(storage, now)

    def _recover(self, storage: Storage, now: float) -> None:
        found = storage.recover()
        if found is not None:
            point = found.checkpoint
            self.epoch = point.epoch
            behind = [chunk for chunk in found.chunks if chunk.first > point.last]
            self.journal.restore(found.chunks, found.forgotten, found.last)
            self.suppliers.restore(point.suppliers, behind)
            self._topics.update(point.topics)
            for chunk in found.chunks[: len(found.chunks) - len(behind)]:
                self.latest.add(chunk)
            self.latest.restore(point.latest)
            for chunk in behind:
                self.latest.add(chunk)
                self._count_topics(chunk.topic_counts())
            self.durables.restore(found.durables, self.epoch)
            self.evict(now)
        storage.attend(self._checkpoint)

    def _checkpoint(self) -> Checkpoint:
        return Checkpoint(
            epoch=self.epoch,
            last=self.journal.last,
            suppliers=self.suppliers.kept(),
            topics=dict(self._topics),
            latest=self.latest.alone(),
            durables=self.durables.kept(self.epoch),
        )

    def take(self, batch: Batch, now: float) -> tuple[PublishReply, list[News]]:
        """Keep what is new of a batch; say who is to be told of it."""
        waiting: list[News] = []
        admission = self.suppliers.admit(batch)
        accepted = len(batch.records) - admission.duplicates
        if accepted:
            fresh = without_first(batch, admission.duplicates) if admission.duplicates else batch
            chunk = self.journal.append(owned(fresh), admission.missing, now)
            self.latest.add(chunk)
            self._count_topics(chunk.topic_counts())
            self._rate.add(accepted, now)
            if self._storage is not None:
                self._storage.append(chunk, self._checkpoint)
            waiting = self.subscribers.take(chunk, now)
            self.evict(now)
        reply = PublishReply(
            epoch=self.epoch,
            accepted=accepted,
            duplicates=admission.duplicates,
            last=self.journal.last,
        )
        return reply, waiting

    def evict(self, now: float) -> None:
        """Let go what the bounds of the retention leave no room for."""
        evicted = self.journal.evict(now)
        for chunk in evicted:
            self.latest.let_go(chunk)
            self.subscribers.let_go(chunk)
        if evicted and self._storage is not None:
            self._storage.trim(self.journal.first)

    def _count_topics(self, counts: Counter[str]) -> None:
        for topic, count in counts.items():
            is_known = topic in self._topics or len(self._topics) < _MOST_TOPICS
            self._topics[topic if is_known else OTHER_TOPICS] += count

    def start(self, cursor: str, kept: Durable | None) -> Position:
        """Return where a consumer begins: where it says, or at what is kept if that is later."""
        if kept is None:
            return self.position(cursor)
        mine = Position(epoch=self.epoch, place=kept.place)
        if cursor in (NEW, OLDEST, LATEST):
            return mine
        given = self.position(cursor)
        is_later = given.epoch == self.epoch and given.place.furthest >= mine.place.furthest
        return given if is_later else mine

    def position(self, cursor: str) -> Position:
        """Read a cursor; one of another epoch comes back as it is."""
        last = self.journal.last
        if cursor == NEW:
            return Position(epoch=self.epoch, place=Place(last))
        if cursor == OLDEST:
            return Position(epoch=self.epoch, place=Place(self.journal.first - 1))
        if cursor == LATEST:
            return Position(epoch=self.epoch, place=Place(last, told=0))
        position = parse_cursor(cursor)
        if position.epoch == self.epoch:
            refuse_future(position, last)
        return position

    def keep_durables(self) -> None:
        """Have the durable subscriptions kept on disk; they have changed."""
        if self._storage is not None:
            self._storage.keep(lambda: self.durables.kept(self.epoch))

    def attend(self) -> None:
        """Do what is due about once a second for the journal on disk."""
        if self._storage is not None:
            self._storage.attend(self._checkpoint)

    def close(self) -> None:
        """End the journal on disk."""
        if self._storage is not None:
            self._storage.close()

    def stats(self, now: float, lease_s: float) -> ChannelStats:
        """Return the channel's statistics.

        Args:
            now: Monotonic seconds.
            lease_s: Of a subscription that asks for none.
        """
        journal = self.journal
        bounds = journal.retention
        rows = self.subscribers.stats(journal.last, now)
        rows += self.durables.away(journal, bounds, lease_s)
        return ChannelStats(
            epoch=self.epoch,
            first=journal.first if journal.last else 0,
            last=journal.last,
            held_bytes=journal.held_bytes,
            events_per_s=self._rate.per_second(now),
            topics=dict(sorted(self._topics.items())),
            suppliers=self.suppliers.stats(),
            consumers=sorted(rows, key=lambda row: row.name),
            retention=RetentionBounds(
                max_events=bounds.max_events,
                max_bytes=bounds.max_bytes,
                max_age_s=bounds.max_age_s,
            ),
            latest_topics=len(self.latest),
            journal=None if self._storage is None else self._storage.stats(),
        )
