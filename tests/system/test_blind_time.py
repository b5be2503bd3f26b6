"""How long clients are blind when a process is killed, and that to the event nothing is lost.

Two installations run side by side, one whose channel keeps a journal and one without. What was
published and delivered is told by files that suppliers and consumers write themselves.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.system.blind_arena import CHANNEL, Arena, Kill, arena
from tests.system.blind_page import text_of
from tests.system.blind_taps import Comparison

pytestmark = [pytest.mark.system, pytest.mark.alone, pytest.mark.timeout(300)]

KNOWN_S = 3.0
"""Promised: after so long every client knows that it is blind."""

WHOLE_S = 5.0
"""Promised: so long after the restart every client is whole again."""

MOST_NOISE_S = 5.0
"""So much of what the machine itself stood still is forgiven at most."""

SEED = 20261122
RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"

JOURNAL = {"journal": "events"}
NO_JOURNAL = {"journal": ""}
VICTIMS = (CHANNEL, "s1", "kept", "name server")


class Played:
    """What came of all kills.

    Attributes:
        kills: Each kill, with the title of the installation.
        journal: What each consumer got where the channel keeps a journal.
        memory: The same where it keeps none.
        told: There, for each consumer and supplier, how many events its consumer says are missing.
        gaps: There, the reasons of the gaps that each consumer got.
    """

    def __init__(self, folders: pytest.TempPathFactory, count: int) -> None:
        self.kills: list[tuple[str, Kill]] = []
        with ExitStack() as open_, ThreadPoolExecutor(2) as pool:
            folder, other = folders.mktemp("journal"), folders.mktemp("memory")
            journal = open_.enter_context(arena(folder, JOURNAL, SEED))
            memory = open_.enter_context(arena(other, NO_JOURNAL, SEED + 1))
            both = [
                pool.submit(self._play, "journal", journal, VICTIMS, count),
                pool.submit(self._play, "memory", memory, (CHANNEL,), count),
            ]
            self.journal, self.memory = (each.result() for each in both)
            self.told = {name: each.missing for name, each in memory.delivered.items()}
            self.gaps = {
                name: {gap[0] for gap in each.gaps} for name, each in memory.delivered.items()
            }

    def _play(
        self, title: str, ready: Arena, victims: tuple[str, ...], count: int
    ) -> dict[str, list[Comparison]]:
        for victim in victims:
            for _ in range(count):
                is_names = victim == "name server"
                kill = ready.kill_name_server() if is_names else ready.kill(victim)
                self.kills.append((title, kill))
        return ready.finish()


def _noise_s(kill: Kill) -> float:
    return min(kill.noise_s, MOST_NOISE_S)


@pytest.fixture(
    scope="module",
    params=[5, pytest.param(100, marks=[pytest.mark.soak, pytest.mark.timeout(7200)])],
)
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Kill each kind of process so many times; of many the result is kept."""
    found = Played(tmp_path_factory, request.param)
    text = text_of(found.kills, found.journal, found.memory)
    print("\n" + text)  # noqa: T201 (shown with -rP or -s)
    if request.param >= 100:
        head = f"make soak, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores\n\n"
        (RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-blind-time.txt").write_text(head + text)
    return found


@pytest.mark.parametrize("victim", [CHANNEL, "name server"])
def test_whom_it_concerns_knows_in_time_that_it_is_blind(played: Played, victim: str) -> None:
    """Each of the clients says so itself, within 3 s of the kill."""
    late = [
        (title, kill) for title, kill in played.kills if kill.known_s > KNOWN_S + _noise_s(kill)
    ]
    assert not [each for each in late if each[1].victim == victim]


@pytest.mark.parametrize("victim", VICTIMS)
def test_all_is_whole_in_time(played: Played, victim: str) -> None:
    """Within 5 s of the restart everybody has what was published after it, and sees."""
    late = [
        (title, kill) for title, kill in played.kills if kill.whole_s > WHOLE_S + _noise_s(kill)
    ]
    assert not [each for each in late if each[1].victim == victim]


def test_with_a_journal_each_event_comes_once_and_in_order(played: Played) -> None:
    """Whoever was killed: nothing is lost, nothing comes twice, to the event."""
    faults = [each for found in played.journal.values() for each in found if not each.is_perfect]
    assert faults == []


def test_without_a_journal_every_lost_event_is_told(played: Played) -> None:
    """A consumer knows exactly how many of each supplier it misses, and has a gap for them."""
    for reader, found in played.memory.items():
        lost = {each.source: len(each.lost) for each in found if each.lost}
        told = {source: count for source, count in played.told[reader].items() if count}
        assert told == lost
        assert not any(each.repeated or each.strangers or each.disordered for each in found)
        assert "new_epoch" in played.gaps[reader]
