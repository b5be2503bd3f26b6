"""The newest event of each topic: for who begins with them, and for who wants nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from typing_extensions import override

from idl_like_interfaces.clients.globs import TopicFilters
from idl_like_interfaces.event_quality import QoS
from idl_like_interfaces.events import Gap, GapReason
from objects.messaging.backlog import Backlog, Found, Lose
from objects.messaging.chunk import Chunk
from objects.messaging.cursor import Place
from objects.messaging.journal import REPLY_BYTES, Journal, Pick

MOST_TOPICS = 10_000
MOST_BYTES = 16 * 1024 * 1024


class Newest(NamedTuple):
    """The newest event of a topic: a chunk and the position in it; alone when only it is kept."""

    chunk: Chunk
    position: int
    is_alone: bool = False

    @property
    def sequence(self) -> int:
        """Its number in the channel."""
        return self.chunk.first + self.position

    @property
    def pick(self) -> Pick:
        """The event alone."""
        return Pick(self.chunk, (self.position,))


class LatestValues:
    """The newest event of each topic, by the time at which it came.

    An event that the journal holds no longer is kept here alone, within bounds: then those
    of the topics go that have been silent for longest.
    """

    def __init__(self) -> None:
        self._newest: dict[str, Newest] = {}
        self._alone_bytes = 0

    def __len__(self) -> int:
        return len(self._newest)

    def get(self, topic: str) -> Newest | None:
        """Return the newest event of a topic."""
        return self._newest.get(topic)

    def __iter__(self) -> Iterator[tuple[str, Newest]]:
        yield from self._newest.items()

    def add(self, chunk: Chunk) -> None:
        """Note what has come."""
        for topic, position in chunk.newest().items():
            self._remove(topic)
            self._newest[topic] = Newest(chunk, position)
        if len(self._newest) > MOST_TOPICS:
            self._remove(next(iter(self._newest)))

    def restore(self, chunks: Iterable[Chunk]) -> None:
        """Add what was kept beside the journal: each chunk is one event.

        What is in the journal is not kept twice; what is damaged there is known from here.
        """
        for chunk in chunks:
            topic = chunk.batch.topics[0]
            known = self._newest.get(topic)
            if known is not None and known.sequence >= chunk.first:
                continue
            self._remove(topic)
            self._newest[topic] = Newest(chunk, 0, is_alone=True)
            self._alone_bytes += chunk.size
        self._newest = dict(sorted(self._newest.items(), key=lambda each: each[1].sequence))

    def let_go(self, chunk: Chunk) -> None:
        """Keep alone what is newest in a chunk that is held no longer."""
        for topic in chunk.batch.topics:
            newest = self._newest.get(topic)
            if newest is not None and newest.chunk is chunk:
                alone = chunk.alone(newest.position)
                self._newest[topic] = Newest(alone, 0, is_alone=True)
                self._alone_bytes += alone.size
        while self._alone_bytes > MOST_BYTES:
            topic = next(t for t, each in self._newest.items() if each.is_alone)
            self._remove(topic)

    def _remove(self, topic: str) -> None:
        before = self._newest.pop(topic, None)
        if before is not None and before.is_alone:
            self._alone_bytes -= before.chunk.size

    def alone(self) -> list[Chunk]:
        """Return all of them, each in a chunk of its own, by sequence number."""
        found = sorted(self._newest.values(), key=lambda each: each.sequence)
        return [each.chunk if each.is_alone else each.chunk.alone(each.position) for each in found]

    def tell(self, filters: TopicFilters, place: Place, limit: int) -> Found:
        """Return the newest events up to a place that have not been told yet."""
        told = place.told or 0
        due = [
            each
            for topic, each in self._newest.items()
            if told < each.sequence <= place.sequence and filters.matches(topic)
        ]
        due.sort(key=lambda each: each.sequence)
        picks = _fitting(due, limit)
        is_over = len(picks) == len(due)
        behind = Place(place.sequence, told=None if is_over else due[len(picks) - 1].sequence)
        return Found([], picks, behind)


def _fitting(due: list[Newest], limit: int) -> list[Pick]:
    """Return the first ones, as many as fit into a reply."""
    picks: list[Pick] = []
    room = REPLY_BYTES
    for each in due[:limit]:
        pick = each.pick
        room -= pick.chunk.bytes_of(pick.positions)
        if room < 0 and picks:
            break
        picks.append(pick)
    return picks


class LatestBacklog(Backlog):
    """Of each topic only the newest event waits (``latest``).

    Args:
        journal: Knows how many there were.
        values: The newest of each topic.
        filters: What the consumer wants.
        qos: The effective one.
        lose: Is told of each loss whose event is still known.
    """

    def __init__(
        self, journal: Journal, values: LatestValues, filters: TopicFilters, qos: QoS, lose: Lose
    ) -> None:
        self._journal = journal
        self._values = values
        self._filters = filters
        self._qos = qos
        self._lose = lose
        self._waiting: dict[str, Newest] = {}
        self._lost: Counter[GapReason] = Counter()
        self._base = 0

    @property
    @override
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    @override
    def waiting_bytes(self) -> int:
        return sum(each.chunk.bytes_of(each.pick.positions) for each in self._waiting.values())

    @override
    def parts(self) -> Iterator[tuple[Chunk, Sequence[int]]]:
        for each in self._waiting.values():
            yield each.chunk, (each.position,)

    @override
    def begin(self, place: Place) -> None:
        journal = self._journal
        self._base = place.sequence
        due = [
            (topic, each)
            for topic, each in self._values
            if each.sequence > place.sequence and self._filters.matches(topic)
        ]
        self._waiting = dict(sorted(due, key=lambda item: item[1].sequence))
        total = journal.count(self._filters, place.sequence, journal.last)
        self._lost = Counter()
        if total != len(due):
            self._lost[GapReason.LATEST] = max(-1, total - len(due))

    @override
    def settle(self) -> None:
        """What was handed out is known no more."""

    @override
    def add(self, chunk: Chunk) -> None:
        positions = chunk.matching(self._filters)
        if not positions:
            return
        newest = {topic: at for topic, at in chunk.newest().items() if self._filters.matches(topic)}
        for topic in newest:
            before = self._waiting.pop(topic, None)
            if before is not None:
                self._drop(before, GapReason.LATEST)
        kept = set(newest.values())
        older = [at for at in positions if at not in kept]
        if older:
            self._lost[GapReason.LATEST] += len(older)
            self._lose(chunk, older, GapReason.LATEST)
        for topic, at in sorted(newest.items(), key=lambda item: item[1]):
            self._waiting[topic] = Newest(chunk, at)
        while len(self._waiting) > self._qos.max_queue:
            self._drop(self._waiting.pop(next(iter(self._waiting))), GapReason.DROP_OLDEST)

    def _drop(self, newest: Newest, reason: GapReason) -> None:
        self._lost[reason] += 1
        self._lose(newest.chunk, (newest.position,), reason)

    @override
    def lose(self, chunk: Chunk) -> None:
        for topic in chunk.batch.topics:
            waiting = self._waiting.get(topic)
            if waiting is None or waiting.chunk is not chunk:
                continue
            # The values keep the newest of a topic for longer than the journal.
            kept = self._values.get(topic)
            if kept is None:
                self._drop(self._waiting.pop(topic), GapReason.RETENTION)
            else:
                self._waiting[topic] = kept

    @override
    def read(self, limit: int) -> Found:
        due = list(self._waiting.items())
        picks = _fitting([each for _, each in due], limit)
        for topic, _ in due[: len(picks)]:
            del self._waiting[topic]
        is_all = len(picks) == len(due)
        self._base = self._journal.last if is_all else due[len(picks) - 1][1].sequence
        gaps = [Gap(reason=reason, count=count) for reason, count in self._lost.items() if count]
        self._lost = Counter()
        return Found(gaps, picks, Place(self._base))
