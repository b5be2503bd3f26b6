"""Damaged journals: all that can be read is used, what is missing is told, nothing is invented."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from objects.messaging.chunk import Chunk
from objects.messaging.segment_bodies import Times, encode_chunk
from objects.messaging.segments import HEADER_BYTES, Kind, Label, Parts, frame, mark_of, scan
from objects.messaging.storage import Recovered
from tests.support.journals import EPOCH, Keeper, change, durable, same, segments

SEGMENT_BYTES = 700


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was found, and which files were said to be damaged."""

    found: Recovered | None
    damaged: list[str]

    def holes(self) -> list[tuple[int, int]]:
        """Return the events that are missing, as a channel sees it."""
        assert self.found is not None
        holes, last = [], self.found.forgotten
        for chunk in self.found.chunks:
            if chunk.first > last + 1:
                holes.append((last + 1, chunk.first - 1))
            last = chunk.last
        return [*holes, *([(last + 1, self.found.last)] if self.found.last > last else [])]


def _written(folder: Path, batches: int = 12, *, is_killed: bool = True) -> Keeper:
    """Write a journal of several files."""
    keeper = Keeper(folder / "written", segment_bytes=SEGMENT_BYTES)
    keeper.recover()
    keeper.fill(batches)
    keeper.journal.keep(lambda: [durable("archive", 5)])
    left = keeper.left()
    keeper.journal.close()
    left.chunks = keeper.chunks
    if not is_killed:
        left.folder = keeper.folder
    return left


def _found(folder: Path) -> Outcome:
    keeper = Keeper(folder)
    found = keeper.recover()
    damaged = keeper.journal.stats().damaged
    keeper.journal.close()
    return Outcome(found=found, damaged=damaged)


def _flip(path: Path, position: int) -> None:
    def flip(content: bytearray) -> None:
        content[position] ^= 0x10

    change(path, flip)


def _in_events(path: Path) -> int:
    """Return the position of a byte in the body of the first record of events of a file."""
    record = next(each for each in scan(path.read_bytes()).records if each.label.kind == 2)
    return record.end - 1


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Keeper:
    """Give a journal of a channel that was killed."""
    return _written(tmp_path_factory.mktemp("killed"))


class TestTorn:
    """The record with which the channel was killed."""

    def test_it_is_cut_and_said(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """What was acknowledged stands before it; nothing is damaged."""
        left = _written(tmp_path)
        newest = segments(left.folder)[-1]
        whole = newest.stat().st_size
        with newest.open("ab") as stream:
            stream.write(b"OBEJ and the begin of something")
        outcome = _found(left.folder)
        assert outcome.found is not None
        assert same(outcome.found.chunks, left.chunks)
        assert outcome.damaged == []
        assert newest.stat().st_size == whole
        assert "batches are kept; the last record was not finished, and its 31 bytes" in caplog.text

    def test_a_file_of_which_only_the_begin_was_written_costs_nothing(self, tmp_path: Path) -> None:
        """The checkpoint before it and the events tell the same."""
        left = _written(tmp_path)
        newest = segments(left.folder)[-1]
        following = newest.with_name("00000099.events")
        following.write_bytes(newest.read_bytes()[: HEADER_BYTES + 5])
        outcome = _found(left.folder)
        assert outcome.found is not None
        assert same(outcome.found.chunks, left.chunks)
        assert outcome.damaged == []
        assert not following.exists()

    @pytest.mark.parametrize("size", [0, HEADER_BYTES + 5])
    def test_it_is_gone_at_the_start_after_that(self, tmp_path: Path, size: int) -> None:
        """An older file of which nothing can be read would be damaged."""
        left = _written(tmp_path)
        newest = segments(left.folder)[-1]
        newest.with_name("00000099.events").write_bytes(newest.read_bytes()[:size])
        for _ in range(3):
            outcome = _found(left.folder)
            assert outcome.found is not None
            assert outcome.damaged == []


class TestDamage:
    """A file in which something has changed."""

    def test_one_batch_is_missing_and_the_file_is_kept(self, tmp_path: Path) -> None:
        """All before and all behind it are used; the hole is visible."""
        left = _written(tmp_path)
        second = segments(left.folder)[1]
        spoilt = _in_events(second)
        _flip(second, spoilt)
        before = second.read_bytes()
        outcome = _found(left.folder)
        assert outcome.found is not None
        missing = [each for each in left.chunks if each.first not in _firsts(outcome.found)]
        assert len(missing) == 1
        assert outcome.holes() == [(missing[0].first, missing[0].last)]
        assert outcome.damaged == [second.name + ".damaged"]
        assert second.with_name(second.name + ".damaged").read_bytes() == before

    def test_it_is_kept_when_its_events_are_held_no_longer(self, tmp_path: Path) -> None:
        """The journal goes on; the file stays until somebody removes it, and so long it is told."""
        left = _written(tmp_path)
        second = segments(left.folder)[1]
        _flip(second, _in_events(second))
        keeper = Keeper(left.folder, segment_bytes=SEGMENT_BYTES)
        keeper.recover()
        keeper.fill(5)
        keeper.journal.trim(keeper.last)
        assert not second.exists()
        kept = second.with_name(second.name + ".damaged")
        assert keeper.journal.stats().damaged == [kept.name]
        kept.unlink()
        keeper.clock.advance(1.0)
        keeper.journal.attend(keeper.point)
        assert keeper.journal.stats().damaged == []
        keeper.journal.close()

    def test_a_file_without_its_checkpoint_still_gives_its_events(self, tmp_path: Path) -> None:
        """Whether it is the first, the last or any other."""
        for number in range(3):
            folder = tmp_path / str(number)
            folder.mkdir()
            left = _written(folder)
            spoilt = [segments(left.folder)[at] for at in (0, 1, -1)][number]
            _flip(spoilt, HEADER_BYTES + 3)
            outcome = _found(left.folder)
            assert outcome.found is not None
            assert same(outcome.found.chunks, left.chunks)
            assert outcome.found.last == left.chunks[-1].last
            assert outcome.damaged == [spoilt.name + ".damaged"]

    def test_a_file_that_is_gone_is_a_hole(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """And said."""
        left = _written(tmp_path)
        segments(left.folder)[1].unlink()
        outcome = _found(left.folder)
        ((first, last),) = outcome.holes()
        assert f"events {first} to {last} are missing" in caplog.text

    def test_a_file_that_cannot_be_read_is_damaged(self, tmp_path: Path) -> None:
        """All others are used."""
        left = _written(tmp_path)
        second = segments(left.folder)[1]
        second.unlink()
        second.symlink_to(tmp_path)
        outcome = _found(left.folder)
        assert len(outcome.holes()) == 1

    def test_the_end_that_was_cut_off_is_missed(self, tmp_path: Path) -> None:
        """When the journal was ended in good order, or somebody has read further."""
        left = _written(tmp_path, is_killed=False)
        newest = segments(left.folder)[-1]
        record = scan(newest.read_bytes()).records[-1]
        os.truncate(newest, record.end - len(record.body) - HEADER_BYTES)
        outcome = _found(left.folder)
        assert outcome.found is not None
        assert outcome.found.last == left.chunks[-1].last
        assert outcome.holes() == [(left.chunks[-1].first, left.chunks[-1].last)]
        assert outcome.damaged == [newest.name + ".damaged"]

    def test_a_cursor_behind_the_end_tells_of_events_that_are_missing(self, tmp_path: Path) -> None:
        """Their numbers are not given to others."""
        left = _written(tmp_path)
        keeper = Keeper(left.folder)
        keeper.recover()
        keeper.journal.keep(lambda: [durable("archive", 50), durable("old", 99, "another")])
        outcome = _found(keeper.left("again").folder)
        keeper.journal.close()
        assert outcome.found is not None
        assert outcome.found.last == 50

    def test_what_was_written_twice_is_given_once(self, tmp_path: Path) -> None:
        """A file that could not be cut after a failure, and the next one with the same event."""
        left = _written(tmp_path)
        newest = segments(left.folder)[-1]
        shutil.copy(newest, newest.with_name("00000099.events"))
        outcome = _found(left.folder)
        assert outcome.found is not None
        assert same(outcome.found.chunks, left.chunks)
        assert outcome.damaged == []

    def test_a_journal_without_any_checkpoint_begins_a_new_epoch(self, tmp_path: Path) -> None:
        """Its files are kept."""
        left = _written(tmp_path)
        for path in segments(left.folder):
            _flip(path, 0)
        keeper = Keeper(left.folder)
        keeper.epoch = "another epoch"
        assert keeper.recover() is None
        keeper.fill(2)
        after = keeper.left("after")
        found = after.recover()
        assert found is not None
        assert (found.checkpoint.epoch, found.last) == ("another epoch", 6)
        assert after.journal.stats().damaged
        after.journal.close()
        keeper.journal.close()

    def test_files_of_another_epoch_are_put_away(self, tmp_path: Path) -> None:
        """Those of the newest checkpoint count; only one epoch that has ended is kept."""
        left = _written(tmp_path)
        foreign = Keeper(tmp_path / "foreign")
        foreign.epoch = "another epoch"
        foreign.recover()
        foreign.fill(1)
        foreign.journal.close()
        shutil.copy(segments(foreign.folder)[0], left.folder / "00000000001.events")
        outcome = _found(left.folder)
        assert outcome.found is not None
        assert outcome.found.checkpoint.epoch == EPOCH
        assert same(outcome.found.chunks, left.chunks)
        assert (left.folder / "00000000001.events.old").exists()

    @pytest.mark.parametrize("kind", [Kind.EVENTS, Kind.CHECKPOINT, Kind.LATEST])
    @pytest.mark.parametrize("body", [b"", b"\xff\xff\xff\xff", b"\x01\0\0\0\x80", b"\xc1"])
    def test_a_body_without_sense_is_damage(self, tmp_path: Path, kind: Kind, body: bytes) -> None:
        """Although its CRC fits: everything else is used."""
        left = _written(tmp_path)
        _add(segments(left.folder)[-1], Label(kind=kind, sequence=37, mark=mark_of(EPOCH)), [body])
        outcome = _found(left.folder)
        assert outcome.found is not None
        assert same(outcome.found.chunks, left.chunks)
        assert len(outcome.damaged) == 1

    def test_lengths_that_do_not_fit_are_damage(self, tmp_path: Path) -> None:
        """A batch whose records are not so long as it says."""
        left = _written(tmp_path)
        *body, octets = encode_chunk(left.chunks[-1], Times.now(left.clock))
        label = Label(kind=Kind.EVENTS, sequence=37, mark=mark_of(EPOCH))
        _add(segments(left.folder)[-1], label, [*body, octets[1:]])
        outcome = _found(left.folder)
        assert outcome.found is not None
        assert same(outcome.found.chunks, left.chunks)
        assert len(outcome.damaged) == 1

    def test_numbers_that_overlap_are_damage(self, tmp_path: Path) -> None:
        """Nobody knows which of two events has the number: the one before keeps it."""
        left = _written(tmp_path)
        chunk = left.chunks[-1]
        label = Label(kind=Kind.EVENTS, sequence=chunk.last, mark=mark_of(EPOCH))
        _add(segments(left.folder)[-1], label, encode_chunk(chunk, Times.now(left.clock)))
        outcome = _found(left.folder)
        assert outcome.found is not None
        assert same(outcome.found.chunks, left.chunks)
        assert len(outcome.damaged) == 1

    def test_a_record_of_another_epoch_is_damage(self, tmp_path: Path) -> None:
        """It does not belong into the file."""
        left = _written(tmp_path)
        label = Label(kind=Kind.EVENTS, sequence=37, mark=mark_of("another"))
        body = encode_chunk(left.chunks[-1], Times.now(left.clock))
        _add(segments(left.folder)[-1], label, body)
        outcome = _found(left.folder)
        assert outcome.found is not None
        assert outcome.found.last == 36
        assert len(outcome.damaged) == 1

    def test_records_of_an_unknown_kind_are_passed_over(self, tmp_path: Path) -> None:
        """A later version may write more."""
        left = _written(tmp_path)
        label = Label(kind=77, sequence=0, mark=mark_of(EPOCH))
        _add(segments(left.folder)[-1], label, [b"what is new"])
        outcome = _found(left.folder)
        assert outcome.found is not None
        assert same(outcome.found.chunks, left.chunks)
        assert outcome.damaged == []

    def test_a_file_of_another_kind_is_not_taken_for_the_cursors(self, tmp_path: Path) -> None:
        """Or for the state."""
        left = _written(tmp_path)
        shutil.copy(left.folder / "state", left.folder / "cursors")
        outcome = _found(left.folder)
        assert outcome.found is not None
        assert outcome.damaged == ["cursors.damaged"]

    @pytest.mark.parametrize(("name", "kind"), [("state", Kind.STATE), ("cursors", Kind.CURSORS)])
    def test_a_small_file_without_sense_is_not_used(
        self, tmp_path: Path, name: str, kind: Kind
    ) -> None:
        """Although its CRC fits."""
        left = _written(tmp_path)
        (left.folder / name).unlink()
        _add(left.folder / name, Label(kind=kind, sequence=0, mark=mark_of(EPOCH)), [b"\x80"])
        outcome = _found(left.folder)
        assert (outcome.found is None) is (name == "state")

    def test_a_state_that_is_damaged_begins_a_new_epoch(self, tmp_path: Path) -> None:
        """It cannot be known whether all accepted events are on disk."""
        left = _written(tmp_path)
        _flip(left.folder / "state", 50)
        outcome = _found(left.folder)
        assert outcome.found is None
        assert outcome.damaged == ["state.damaged"]


def _add(path: Path, label: Label, body: Parts) -> None:
    """Add a record to a file."""
    with path.open("ab") as stream:
        stream.write(b"".join(frame(label, body, stream.tell())))


def _firsts(found: Recovered) -> set[int]:
    return {each.first for each in found.chunks}


class TestAnything:
    """Properties: never a wrong event, and nothing is missing in silence."""

    def outcome(self, left: Keeper, spoil: Callable[[Path], None]) -> Outcome:
        """Return what is found in a spoilt copy."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory())) / "copy"
            shutil.copytree(left.folder, folder)
            spoil(folder)
            return _found(folder)

    def check(self, outcome: Outcome, chunks: list[Chunk]) -> list[Chunk]:
        """Compare what was found with what was written; return what is missing."""
        assert outcome.found is not None
        known = {each.first: each for each in chunks}
        found = outcome.found.chunks
        assert [each.first for each in found] == sorted({each.first for each in found})
        assert same(found, [known[each.first] for each in found])
        missing = [each for each in chunks if each.first not in _firsts(outcome.found)]
        told = {number for first, last in outcome.holes() for number in range(first, last + 1)}
        for chunk in missing:
            # Of what was before the oldest file that can be read, only the file is told.
            is_told = chunk.first in told or chunk.first > outcome.found.last
            assert is_told or (chunk.last <= outcome.found.forgotten and outcome.damaged)
        return missing

    @given(data=st.data(), flip=st.integers(1, 255))
    def test_a_byte_that_has_changed(self, killed: Keeper, data: st.DataObject, flip: int) -> None:
        """Wherever it is: at most one batch is missing, and the file is put aside."""
        names = sorted(path.name for path in killed.folder.iterdir())
        name = data.draw(st.sampled_from(names))
        position = data.draw(st.integers(0, (killed.folder / name).stat().st_size - 1))

        def spoil(folder: Path) -> None:
            def change_it(content: bytearray) -> None:
                content[position] ^= flip

            change(folder / name, change_it)

        outcome = self.outcome(killed, spoil)
        assert outcome.damaged == [f"{name}.damaged"]
        if name == "state":
            assert outcome.found is None
            return
        assert len(self.check(outcome, killed.chunks)) <= 1

    @given(data=st.data())
    def test_a_file_that_was_cut(self, killed: Keeper, data: st.DataObject) -> None:
        """What is missing of an older one is a hole; the newest ends where it was killed."""
        files = segments(killed.folder)
        name = data.draw(st.sampled_from([path.name for path in files]))
        size = data.draw(st.integers(0, (killed.folder / name).stat().st_size))
        outcome = self.outcome(killed, lambda folder: os.truncate(folder / name, size))
        missing = self.check(outcome, killed.chunks)
        if name == files[-1].name:
            assert missing == killed.chunks[len(killed.chunks) - len(missing) :]
        elif missing:
            assert outcome.damaged == [f"{name}.damaged"]
