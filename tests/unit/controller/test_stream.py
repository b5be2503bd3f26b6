"""``obsorb stream``: event files by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from objects.logger_stream.files.layout import index_path, side_car_path
from objects.logger_stream.files.reader import EventFile
from tests.support.event_files import (
    SENDER,
    closed_file,
    flip,
    left_file,
    message,
    new_writer,
    payload_of,
    some,
)
from tests.unit.controller.running import document, obsorb, ok, refused


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a file with the events 1 to 30, ten in a block."""
    return closed_file(tmp_path, 30)


def test_files_are_listed_by_folder(path: Path) -> None:
    """State, events, ranges, and the begin of the digest."""
    lines = ok("stream", "ls", str(path.parent)).splitlines()
    assert lines[0] == f"{path.parent}/"
    assert lines[1].split() == [
        "STATE",
        "EVENTS",
        "SIZE",
        "NUMBERS",
        "LBNS",
        "DIGEST",
        "FILE",
    ]
    assert lines[2].split()[:2] == ["CLOSED", "30"]
    assert lines[2].split()[4:6] == ["1-30", "1-3"]
    assert lines[2].endswith(path.name)
    assert lines[-1].startswith("1 file, 30 events, ")


def test_a_file_that_is_written_has_a_star(tmp_path: Path) -> None:
    """One that was left has not, and it is said."""
    writer = new_writer(tmp_path)
    writer.append(some([1, 2]))
    writer.flush()
    text = ok("stream", "ls", str(tmp_path))
    assert "OPEN*" in text
    assert text.endswith("* 1 file being written\n")
    writer._release()
    text = ok("stream", "ls", str(tmp_path))
    assert "OPEN*" not in text
    assert "not closed, and nobody writes it" in text
    (listed,) = document("stream", "ls", str(tmp_path))
    assert (listed["state"], listed["is_written"], listed["summary"]["events"]) == (
        "OPEN",
        False,
        2,
    )


def test_what_is_no_event_file_is_listed_as_such(tmp_path: Path) -> None:
    """When it is named."""
    other = tmp_path / "other.raw"
    other.write_text("hello")
    assert "its first record is not whole" in ok("stream", "ls", str(other))


def test_events_are_shown_a_line_each(path: Path) -> None:
    """Below a head."""
    head, *lines = ok("stream", "cat", str(path), "-n", "3").splitlines()
    assert head.split()[:5] == ["#", "EVENT", "LBN", "RUN", "BYTES"]
    assert lines[2].split() == [
        "2", "3", "1", "7", "100", "2023-11-14T22:13:20.000", "1,4", f"{SENDER:x}:3", "3"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (["--event", "5"], [5]),
        (["--event", "28-99"], [28, 29, 30]),
        (["--lbn", "2"], list(range(11, 21))),
        (["--run", "8"], []),
        (["--run", "7", "--lbn", "3-3", "--event", "1-22"], [21, 22]),
        (["--stream", "4", "--event", "1"], [1]),
        (["--stream", "2"], []),
        (["--sender", f"{SENDER:x}", "--count", "2"], [1, 2]),
        (["--sender", "1"], []),
    ],
)
def test_events_are_chosen(path: Path, options: list[str], numbers: list[int]) -> None:
    """By number, block, run, stream and sender."""
    found = ok("stream", "cat", str(path), "--json", *options).splitlines()
    assert [json.loads(line)["event"] for line in found] == numbers


def test_payloads_are_shown_and_written(path: Path, tmp_path: Path) -> None:
    """As hexadecimal digits, in JSON, and one behind the other into a file."""
    target = tmp_path / "payloads"
    text = ok("stream", "cat", str(path), "--event", "7-8", "--hex", "-o", str(target))
    assert "    00000000  37 2e 37 2e" in text
    assert "  7.7.7.7.7.7.7.7." in text
    assert target.read_bytes() == payload_of(7, 100) + payload_of(8, 100)
    (line,) = ok("stream", "cat", str(path), "--event", "7", "--hex", "--json").splitlines()
    assert bytes.fromhex(json.loads(line)["payload"]) == payload_of(7, 100)
    assert "File exists" in refused("stream", "cat", str(path), "-o", str(target))


def test_a_closed_file_is_followed_to_its_end(path: Path) -> None:
    """Which is at once."""
    assert len(ok("stream", "cat", str(path), "--follow", "--lbn", "1").splitlines()) == 11


def test_a_good_file_is_a_line(path: Path) -> None:
    """Exit code 0."""
    assert ok("stream", "verify", str(path)) == f"{path}: CLOSED, 30 events, good\n"


def test_a_damaged_file_ends_with_1(path: Path) -> None:
    """With cause and remedy of each finding."""
    with EventFile(path) as file:
        flip(path, file[3].offset + 70)
    result = obsorb("stream", "verify", str(path))
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0] == f"{path}: CLOSED, 29 events, 4 errors"
    assert lines[1].startswith("  error: damaged: 172 bytes")
    assert lines[2].startswith("    cause: ")
    assert f"obsorb stream recover --closed {path}" in lines[3]
    result = obsorb("stream", "verify", str(path), "--json")
    assert result.exit_code == 1
    assert len(json.loads(result.stdout)[0]["findings"]) == 4


@pytest.mark.spec("D48")
def test_a_left_file_is_recovered_and_closed(tmp_path: Path) -> None:
    """What was cut is told; then it is good."""
    part = left_file(tmp_path, 30)
    raw = part.read_bytes()
    part.write_bytes(raw[:-5])
    text = ok("stream", "recover", str(tmp_path))
    path = part.with_suffix("")
    assert text.startswith(f"{path}: closed, 29 events, ")
    assert "cut off: 167 bytes from byte" in text
    assert "sha256:" in text
    assert ok("stream", "verify", str(path)).endswith("29 events, good\n")
    assert ok("stream", "recover", str(tmp_path)) == ""


def test_a_recovered_file_may_stay_open(tmp_path: Path) -> None:
    """For a logger that goes on with it."""
    part = left_file(tmp_path, 3)
    (told,) = document("stream", "recover", str(part), "--keep-open")
    assert (told["path"], told["events"], told["is_closed"]) == (str(part), 3, False)


@pytest.mark.spec("D25")
def test_a_closed_file_is_not_recovered_unless_it_is_told(path: Path) -> None:
    """Then it gets another trailer and digest."""
    raw = path.read_bytes()
    error = refused("stream", "recover", str(path))
    assert "is closed, and a closed file is not changed" in error
    assert "remedy: " in error
    assert path.read_bytes() == raw
    with EventFile(path) as file:
        flip(path, file[3].offset + 70)
    assert "damaged, left where they are and skipped" in ok(
        "stream", "recover", "--closed", str(path)
    )
    text = ok("stream", "verify", str(path))
    assert "29 events, 1 remark" in text


def test_a_file_that_is_written_is_not_recovered(tmp_path: Path) -> None:
    """The writer goes on."""
    writer = new_writer(tmp_path)
    error = refused("stream", "recover", str(writer.part))
    assert "is being written" in error
    writer.append(some([1]))
    writer.close("end")


def test_a_file_of_somebody_else_is_never_changed(tmp_path: Path) -> None:
    """Even when it is told to."""
    other = tmp_path / "thesis.txt"
    other.write_text("years of work")
    assert "is no event file" in refused("stream", "recover", "--closed", str(other))
    assert "first record is not whole" in refused("stream", "cat", str(other))
    assert "is not closed" in refused("stream", "index", str(other))
    assert other.read_text() == "years of work"


def test_index_and_side_car_are_made_anew(path: Path) -> None:
    """The file itself is not touched."""
    raw, index = path.read_bytes(), index_path(path).read_bytes()
    index_path(path).unlink()
    side_car_path(path).unlink()
    assert ok("stream", "index", str(path)) == f"{path}: index of 30 events\n"
    assert path.read_bytes() == raw
    assert len(index_path(path).read_bytes()) < len(index)
    assert ok("stream", "verify", str(path)).endswith("30 events, good\n")


def test_a_side_car_with_another_digest_stays(path: Path) -> None:
    """It is the witness that the file was changed."""
    flip(path, path.stat().st_size - 100)
    refused("stream", "index", str(path))
    assert "error" in obsorb("stream", "verify", str(path)).stdout


@pytest.mark.parametrize("verb", ["ls", "cat", "verify", "recover", "index"])
def test_a_missing_file_is_refused(tmp_path: Path, verb: str) -> None:
    """And a folder without event files."""
    assert "there is no" in refused("stream", verb, str(tmp_path / "gone"))
    if verb != "recover":
        error = refused("stream", verb, str(tmp_path))
        assert "no event files below" in error
        assert "remedy: " in error


@pytest.mark.parametrize(
    "options", [["--event", "x"], ["--lbn", "3-"], ["--sender", "xyz"], ["--count", "-1"]]
)
def test_wrong_options_are_wrong_usage(path: Path, options: list[str]) -> None:
    """Exit code 2."""
    assert options[0] in refused("stream", "cat", str(path), *options, code=2)


def test_messages_are_what_the_file_holds(path: Path) -> None:
    """The offset that JSON tells leads to them."""
    (line,) = ok("stream", "cat", str(path), "--event", "9", "--json").splitlines()
    told = json.loads(line)
    assert path.read_bytes()[told["offset"] + 4 :].startswith(message(9))
    assert told["file"] == str(path)
