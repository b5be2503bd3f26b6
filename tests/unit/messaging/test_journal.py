"""The journal: bounds, gaps, and the promise that nothing is lost silently."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.clients.globs import TopicFilters
from idl_like_interfaces.events import Batch, Gap, GapReason
from objects.messaging.chunk import Chunk
from objects.messaging.journal import REPLY_BYTES, Journal, Reading, Retention, Wanted
from tests.support.batches import make_batch

ALL = TopicFilters(["**"])
ONLY_A = TopicFilters(["a"])


def keep(journal: Journal, batch: Batch, missing: int = 0) -> Chunk:
    """Append a batch and let go what passes the bounds, as a channel does."""
    chunk = journal.append(batch, missing)
    journal.evict(0.0)
    return chunk


def read(journal: Journal, filters: TopicFilters, after: int, limit: int) -> Reading:
    """Read behind a position."""
    return journal.read(Wanted(filters=filters, limit=limit), after)


def sequences(reading: Reading) -> list[int]:
    """Return the numbers of the events that a reading holds."""
    return [pick.chunk.first + at for pick in reading.picks for at in pick.positions]


def test_an_empty_journal_has_nothing() -> None:
    """Its first event would be number 1."""
    journal = Journal(Retention())
    assert (journal.first, journal.last) == (1, 0)
    assert read(journal, ALL, 0, 10) == Reading(gaps=[], picks=[], position=0)


def test_a_whole_chunk_is_handed_on_without_a_copy() -> None:
    """The buffer that the supplier sent is the buffer that the consumer gets."""
    journal = Journal(Retention())
    batch = make_batch(1, ["a"] * 5)
    keep(journal, batch)
    (pick,) = read(journal, ONLY_A, 0, 10).picks
    assert pick.chunk.deliver(pick.positions).batch is batch


def test_the_bound_in_bytes_holds() -> None:
    """The oldest chunks go until the records fit; the newest stays whatever its size."""
    journal = Journal(Retention(max_bytes=100))
    size = len(make_batch(1, ["a"] * 4).records.buffer)
    for first in range(1, 200, 4):
        keep(journal, make_batch(first, ["a"] * 4))
        assert journal.held_bytes <= max(100, size)
    keep(journal, make_batch(201, ["a"] * 100))
    assert journal.first == 201


def test_evicted_events_are_counted_by_their_topics() -> None:
    """The count of a gap knows the filter, also when reading began within a chunk."""
    journal = Journal(Retention(max_events=4))
    for first in range(1, 9, 4):
        keep(journal, make_batch(first, ["a", "b", "a", "b"]))
    assert read(journal, ONLY_A, 1, 10).gaps == [
        Gap(reason=GapReason.RETENTION, count=1, first=2, last=4)
    ]
    assert read(journal, TopicFilters(["c"]), 0, 10).gaps == []


def test_what_is_forgotten_is_a_gap_of_unknown_size() -> None:
    """Beyond what is remembered only a filter that takes all knows how many it lost."""
    journal = Journal(Retention(max_events=4))
    for first in range(1, 41, 4):
        keep(journal, make_batch(first, ["a"] * 4))
    assert read(journal, ONLY_A, 0, 10).gaps[0].count == -1
    assert read(journal, ALL, 0, 10).gaps[0].count == 36


def test_a_supplier_s_losses_in_a_gap_are_told_once() -> None:
    """Several holes of one supplier that are passed over together become one gap."""
    journal = Journal(Retention(max_events=2))
    for number in range(1, 5):
        keep(journal, make_batch(number * 10, ["a"]), missing=number)
    gaps = read(journal, ALL, 0, 10).gaps
    assert [(gap.reason, gap.count) for gap in gaps] == [
        (GapReason.RETENTION, 2),
        (GapReason.SUPPLIER, 6),
    ]


def test_a_forgotten_hole_makes_a_gap_of_unknown_size() -> None:
    """What a supplier lost among forgotten events cannot be told apart any more."""
    journal = Journal(Retention(max_events=1))
    for missing in (1, 0, 0):
        keep(journal, make_batch(1, ["a"]), missing)
    assert [gap.count for gap in read(journal, ALL, 0, 10).gaps] == [-1]
    assert [gap.count for gap in read(journal, ALL, 1, 10).gaps] == [1]


def test_a_reading_fits_into_a_message() -> None:
    """It ends before the chunk that would make it too large, whatever the limit."""
    journal = Journal(Retention(max_bytes=1 << 30))
    records = 40_000
    for first in range(1, 10 * records, records):
        keep(journal, make_batch(first, ["a"] * records))
    reading = read(journal, ALL, 0, 10_000_000)
    assert 0 < sum(pick.chunk.size for pick in reading.picks) <= REPLY_BYTES


def test_old_chunks_are_really_given_up() -> None:
    """The list of chunks does not grow with the age of the channel."""
    journal = Journal(Retention(max_events=10))
    for first in range(1, 20_001):
        keep(journal, make_batch(1, ["a"]))
        assert journal.last == first
    assert len(journal._chunks) < 5_000
    assert sequences(read(journal, ALL, 19_995, 10)) == [19_996, 19_997, 19_998, 19_999, 20_000]


class Witness:
    """Reads a journal to its end and keeps account of every number."""

    def __init__(self, journal: Journal, filters: TopicFilters) -> None:
        self.journal = journal
        self.filters = filters
        self.topic_of: dict[int, str] = {}
        self.lost_by_supplier = self.told_by_supplier = self.after = 0
        self.is_unknown = False
        self.accounted: list[int] = []

    def publish(self, topics: list[str], missing: int) -> None:
        """Add a batch behind a hole."""
        chunk = keep(self.journal, make_batch(1, topics), missing)
        self.lost_by_supplier += missing
        self.topic_of.update(enumerate(topics, chunk.first))

    def matching(self, first: int, last: int) -> list[int]:
        """Return the numbers of the matching events in a range."""
        return [n for n in range(first, last + 1) if self.filters.matches(self.topic_of[n])]

    def read(self, limit: int) -> bool:
        """Read once; tell whether there was progress."""
        reading = read(self.journal, self.filters, self.after, limit)
        for gap in reading.gaps:
            self._book(gap)
        self.accounted += sequences(reading)
        assert len(sequences(reading)) <= limit
        before, self.after = self.after, reading.position
        return self.after > before

    def _book(self, gap: Gap) -> None:
        if gap.reason is GapReason.SUPPLIER:
            self.told_by_supplier += self.lost_by_supplier if gap.count < 0 else gap.count
            return
        missed = self.matching(gap.first, gap.last)
        assert gap.count in (-1, len(missed))
        self.is_unknown = self.is_unknown or gap.count < 0
        self.accounted += missed


publications = st.tuples(
    st.lists(st.sampled_from(["a", "b", "c/d"]), min_size=1, max_size=6), st.integers(0, 2)
)


@given(
    steps=st.lists(publications | st.integers(1, 7), max_size=40),
    patterns=st.lists(st.sampled_from(["a", "b", "*", "c/*", "**", "x"]), min_size=1, max_size=2),
    max_events=st.integers(1, 12),
)
def test_every_event_is_delivered_or_accounted_for(
    steps: list[tuple[list[str], int] | int], patterns: list[str], max_events: int
) -> None:
    """Events that match come once and in order; the rest is in gaps, to the event."""
    journal = Journal(Retention(max_events=max_events))
    witness = Witness(journal, TopicFilters(patterns))
    for step in steps:
        if isinstance(step, int):
            witness.read(step)
        else:
            witness.publish(*step)
    while witness.read(5):
        pass
    assert witness.accounted == witness.matching(1, journal.last)
    assert witness.is_unknown or witness.told_by_supplier >= witness.lost_by_supplier
