"""The journal of a logger: what was told survives, what was torn is cut off."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from crc32c import crc32c

from idl_like_interfaces.errors import PersistStore
from idl_like_interfaces.event_logger import GapNote, LoggerInit, LoggerRunStart
from objects.logger_stream import journal as journals
from objects.logger_stream.journal import Journal, read_entries
from objects.logger_stream.memory import (
    Began,
    Configured,
    Ended,
    Ending,
    Entry,
    GapSeen,
    Initialized,
    Marks,
    Memory,
    OrphansSeen,
    Seen,
    Told,
    WasPaused,
    WasReset,
    WasResumed,
)
from objects.logger_stream.senders import SenderMark
from tests.support.event_logger import QUICK, streams

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def mark(durable: int, incarnation: int = 1 << 62, **counts: tuple[int, int]) -> Marks:
    """Return the mark of a sender."""
    said = {int(run.removeprefix("r")): each for run, each in counts.items()}
    return Marks(
        senders=[SenderMark(name="cr1", incarnation=incarnation, durable=durable, counts=said)]
    )


STORY: list[Entry] = [
    Initialized(arguments=LoggerInit(event_port=7)),
    Configured(configuration=streams(1, 2), defaults=QUICK),
    Began(start=LoggerRunStart(run=5), configuration=streams(1, 2), time=NOW, fence=3),
    Seen(fence=3),
    mark(10, r5=(8, 800)),
    Began(start=LoggerRunStart(run=6), configuration=streams(1), time=NOW),
    WasPaused(run=5, reason="tea"),
    Told(run=5, path="/a/b"),
    GapSeen(run=5, gap=GapNote(sender="cr1", count=4, time=NOW, reason="cut")),
    OrphansSeen(run=99, count=12),
    Ending(run=6, aborted="bad"),
    mark(20, r5=(15, 1500)),
]


def same(one: Memory, other: Memory) -> bool:
    """Tell whether two memories say the same."""
    return list(one.entries()) == list(other.entries())


def test_a_start_finds_what_was_told(tmp_path: Path) -> None:
    """All of it, also after it was rewritten at the start before."""
    with Journal(tmp_path / "journal") as journal:
        for entry in STORY:
            journal.append(entry)
        told = journal.memory
    for _ in range(2):
        with Journal(tmp_path / "journal") as again:
            assert same(again.memory, told)
            assert again.cut == 0
    memory = told
    assert (memory.newest, memory.fence, memory.orphans) == (6, 3, {99: 12})
    assert memory.count(5) == (15, 1500)
    assert memory.runs[5].paused == "tea"
    assert (memory.runs[6].is_ending, memory.runs[6].aborted) == (True, "bad")
    assert memory.runs[5].gap_count == 4


def test_it_survives_a_kill_at_every_byte(tmp_path: Path) -> None:
    """What is whole is kept; what was being written is cut off (each 29th byte, and each end)."""
    path = tmp_path / "journal"
    with Journal(path) as journal:
        for entry in STORY:
            journal.append(entry)
    content = path.read_bytes()
    whole = list(read_entries(path))
    ends = [n for n, octet in enumerate(content) if octet == ord("\n")]
    for size in sorted({*range(0, len(content), 29), *ends, *(n + 1 for n in ends)}):
        path.write_bytes(content[:size])
        kept = content[:size].count(b"\n")
        with Journal(path) as again:
            assert again.cut == size - len(b"".join(content.splitlines(keepends=True)[:kept]))
            expected = Memory()
            for entry in whole[:kept]:
                expected.apply(entry)
            assert same(again.memory, expected)


def test_what_ended_is_forgotten_but_for_its_number(tmp_path: Path) -> None:
    """Numbers of runs grow also over restarts."""
    with Journal(tmp_path / "journal") as journal:
        journal.append(*STORY, Ended(run=5), Ended(run=6), WasReset())
    with Journal(tmp_path / "journal") as again:
        assert again.memory.runs == {}
        assert (again.memory.newest, again.memory.init) == (6, None)


def test_it_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Marks of each second are folded."""
    monkeypatch.setattr(journals, "COMPACT_BYTES", 2000)
    with Journal(tmp_path / "journal") as journal:
        journal.append(*STORY)
        for number in range(200):
            journal.append(mark(number, r5=(number, number)), sync=False)
        assert journal.path.stat().st_size < 10_000
        told = journal.memory
    with Journal(tmp_path / "journal") as again:
        assert same(again.memory, told)


def test_damage_in_the_middle_is_put_aside(tmp_path: Path) -> None:
    """What follows it may not be believed, and not be thrown away."""
    path = tmp_path / "journal"
    with Journal(path) as journal:
        journal.append(*STORY)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = b"x" + lines[2][1:]
    path.write_bytes(b"".join(lines))
    with Journal(path) as again:
        assert again.cut == sum(map(len, lines[2:]))
    assert path.with_suffix(".damaged").read_bytes() == b"".join(lines[2:])


def test_entries_of_another_version_are_not_guessed(tmp_path: Path) -> None:
    """The start is refused, the journal left as it is."""
    path = tmp_path / "journal"
    document = b'{"entry":"what is this"}'
    content = b"%08x %s\n" % (crc32c(document), document)
    path.write_bytes(content)
    with pytest.raises(PersistStore) as caught:
        Journal(path)
    assert "another version" in caught.value.cause
    assert path.read_bytes() == content


def test_a_resumed_run_is_not_paused() -> None:
    """The last word counts."""
    memory = Memory()
    for entry in [*STORY, WasResumed(run=5)]:
        memory.apply(entry)
    assert memory.runs[5].paused is None
    memory.apply(WasPaused(run=1234))  # of a run that nobody knows
    assert 1234 not in memory.runs


def test_counts_of_an_older_start_of_a_sender_stay() -> None:
    """What a run has of it is not forgotten while the run goes on."""
    memory = Memory()
    for entry in [*STORY, mark(3, incarnation=77, r5=(2, 20))]:
        memory.apply(entry)
    assert memory.count(5) == (17, 1520)
    memory.apply(Ended(run=5))
    memory.apply(mark(4, incarnation=77))
    assert list(memory.senders) == [77]
