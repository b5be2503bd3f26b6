"""What waits for a file of a stream, and the ends of failed files that are read back."""

from __future__ import annotations

from pathlib import Path

from objects.logger_stream.backlog import Backlog
from objects.logger_stream.live_file import Tail
from tests.support.streams import records


def taken(backlog: Backlog) -> list[tuple[int, list[int]]]:
    """Take all; return slots and numbers of events."""
    found = []
    while (each := backlog.peek()) is not None:
        found.append((each[0], each[1].index["event"].tolist()))
        backlog.pop()
    return found


def test_what_a_file_did_not_take_comes_before_the_rest() -> None:
    """In its order."""
    backlog = Backlog(lambda _: None)
    backlog.put(1, records([5]))
    backlog.put_back(0, [records([1, 2]), records([3])])
    assert backlog
    assert taken(backlog) == [(0, [1, 2]), (0, [3]), (1, [5])]
    assert not backlog


def test_an_end_is_read_back(tmp_path: Path) -> None:
    """From where it was synced to where it was written."""
    path = tmp_path / "file"
    first, second = records([1, 2]), records([3, 4, 5])
    path.write_bytes(bytes(first.view) + bytes(second.view) + b"more")
    lost: list[Tail] = []
    backlog = Backlog(lost.append)
    backlog.put_tail(3, Tail(path, first.nbytes, first.nbytes + second.nbytes, 3))
    assert taken(backlog) == [(3, [3, 4, 5])]
    assert lost == []


def test_what_cannot_be_read_back_is_told(tmp_path: Path) -> None:
    """The file is damaged, too short, or gone."""
    path = tmp_path / "file"
    given = records([1, 2, 3])
    octets = bytearray(given.view)
    octets[given.nbytes // 3 + 40] ^= 1
    path.write_bytes(octets[:-10])
    lost: list[Tail] = []
    backlog = Backlog(lost.append)
    backlog.put_tail(0, Tail(path, 0, given.nbytes, 3))
    backlog.put_tail(1, Tail(tmp_path / "gone", 0, given.nbytes, 7))
    assert taken(backlog) == [(0, [1])]
    assert [each.missing for each in lost] == [2, 7]


def test_what_is_given_up_is_counted(tmp_path: Path) -> None:
    """Also what was not read back yet."""
    backlog = Backlog(lambda _: None)
    backlog.put(0, records([1, 2]))
    backlog.put_tail(0, Tail(tmp_path / "file", 0, 100, 4))
    assert backlog.give_up() == 6
    assert not backlog
