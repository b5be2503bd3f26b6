"""A channel that was killed is, after its restart, what it was before."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.events import ChannelStats
from objects.messaging.channel import EventChannelServant
from objects.messaging.disk_journal import DiskJournal
from objects.messaging.journal import Retention
from tests.support.batches import make_batch
from tests.support.clock import ManualClock

SOURCES = ("obs/a", "obs/b")
TOPICS = ("daq/status", "weather/wind", "rare")

BATCHES = st.lists(
    st.tuples(
        st.sampled_from(SOURCES),
        st.integers(0, 2),
        st.lists(st.sampled_from(TOPICS), min_size=1, max_size=8),
        st.booleans(),
    ),
    min_size=1,
    max_size=25,
)


class Killed:
    """A channel that is killed now and then: it goes on in a copy of its folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._starts = 0
        self.clock = ManualClock()
        self.retired: list[EventChannelServant] = []
        self.channel = self._begin()

    def _begin(self) -> EventChannelServant:
        storage = DiskJournal(
            self._folder / str(self._starts), segment_bytes=4096, clock=self.clock
        )
        return EventChannelServant(
            f"start-{self._starts}",
            retention=Retention(max_events=40),
            clock=self.clock,
            storage=storage,
        )

    def kill(self) -> None:
        """Restart it with what is on disk now."""
        self.retired.append(self.channel)
        self._starts += 1
        shutil.copytree(self._folder / str(self._starts - 1), self._folder / str(self._starts))
        self.channel = self._begin()


@contextmanager
def _killed() -> Iterator[Killed]:
    with TemporaryDirectory() as folder:
        killed = Killed(Path(folder))
        yield killed
        for each in (*killed.retired, killed.channel):
            each.close()


def _told(stats: ChannelStats) -> dict[str, Any]:
    """Return what must be the same; how often something came twice is not kept by itself."""
    suppliers = [msgspec.structs.replace(each, duplicates=0) for each in stats.suppliers]
    return {
        "epoch": stats.epoch,
        "last": stats.last,
        "topics": stats.topics,
        "suppliers": sorted(suppliers, key=lambda each: (each.source, each.incarnation)),
        "latest_topics": stats.latest_topics,
        "held": (stats.first, stats.held_bytes),
    }


@given(batches=BATCHES)
def test_a_killed_channel_knows_all_that_it_knew(
    batches: list[tuple[str, int, list[str], bool]],
) -> None:
    """Counts, suppliers, the latest of each topic, and every event that it held."""
    with _killed() as killed:
        firsts = dict.fromkeys(SOURCES, 1)
        for source, skipped, topics, is_killed in batches:
            first = firsts[source] + skipped
            killed.channel.publish(make_batch(first, topics, source=source))
            firsts[source] = first + len(topics)
            if not is_killed:
                continue
            before = killed.channel
            killed.kill()
            assert _told(killed.channel.get_stats()) == _told(before.get_stats())
            for cursor in ("oldest", "latest"):
                expected = before.pull(cursor, limit=1000, timeout_s=0.0)
                assert killed.channel.pull(cursor, limit=1000, timeout_s=0.0) == expected


@given(batches=BATCHES)
def test_what_a_killed_channel_took_is_taken_once(
    batches: list[tuple[str, int, list[str], bool]],
) -> None:
    """A supplier that heard no answer sends its batch again."""
    with _killed() as killed:
        firsts = dict.fromkeys(SOURCES, 1)
        for source, _, topics, is_killed in batches:
            batch = make_batch(firsts[source], topics, source=source)
            last = killed.channel.publish(batch).last
            firsts[source] += len(topics)
            if is_killed:
                killed.kill()
                reply = killed.channel.publish(batch)
                assert (reply.accepted, reply.duplicates) == (0, len(topics))
                assert (reply.epoch, reply.last) == ("start-0", last)
