"""Verification: what is wrong with a file is found, and nothing is changed by looking."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from idl_like_interfaces.event_files import FileFinding
from objects.logger_stream.files.layout import index_path, side_car_path
from objects.logger_stream.files.reader import EventFile
from objects.logger_stream.files.sidecar import read_side_car
from objects.logger_stream.files.verify import verify
from tests.support.event_files import closed_file, flip, left_file, message


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a closed file."""
    return closed_file(tmp_path, 60)


def texts(path: Path, *, errors: bool) -> list[str]:
    """Return what is found, errors or remarks."""
    found: list[FileFinding] = verify(path).findings
    assert all(each.cause and each.remedy for each in found)
    return [each.message for each in found if each.is_error is errors]


def test_a_good_file_has_no_findings(path: Path) -> None:
    """Its events are counted, its digest is computed."""
    report = verify(path)
    side_car = read_side_car(path)
    assert side_car is not None
    assert (report.findings, report.state, report.summary.events) == ([], "CLOSED", 60)
    assert report.digest == side_car.digest


@pytest.mark.spec("D25")
def test_verification_changes_nothing(path: Path, tmp_path: Path) -> None:
    """Whatever it finds."""
    flip(path, 700)
    index_path(path).unlink()

    def look() -> dict[str, tuple[bytes, int]]:
        return {
            each.name: (each.read_bytes(), each.stat().st_mtime_ns) for each in tmp_path.iterdir()
        }

    before = look()
    assert verify(path).findings
    assert look() == before


def test_a_changed_byte_is_an_error_of_event_trailer_and_digest(path: Path) -> None:
    """Each says so in its way."""
    with EventFile(path) as file:
        flip(path, file[30].offset + 90)
    damage, count, crc, digest = texts(path, errors=True)
    assert "a damaged record: its check is" in damage
    assert count == "the trailer says events 60, there are 59"
    assert "CRC of all checks" in crc
    assert "the side-car says sha256:" in digest


def test_a_record_that_is_missing_or_twice_is_an_error(path: Path) -> None:
    """Although all that are there are whole."""
    raw = path.read_bytes()
    with EventFile(path) as file:
        begin, end = file[10].offset, file[11].offset
    path.chmod(0o644)
    for changed in (raw[:begin] + raw[end:], raw[:end] + raw[begin:]):
        path.write_bytes(changed)
        assert any("the trailer's CRC" in text for text in texts(path, errors=True))


def test_two_records_that_changed_places_are_an_error(path: Path) -> None:
    """All counts are right; the CRC of the checks minds the order."""
    raw = path.read_bytes()
    with EventFile(path) as file:
        a, b, c = (file[number].offset for number in (10, 11, 12))
    path.chmod(0o644)
    path.write_bytes(raw[:a] + raw[b:c] + raw[a:b] + raw[c:])
    found = texts(path, errors=True)
    assert any("the trailer's CRC" in text for text in found)
    assert not any("says events" in text for text in found)


def test_a_closed_name_without_a_trailer_is_an_error(tmp_path: Path) -> None:
    """As a copy that was not finished is."""
    path = closed_file(tmp_path, 60)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-30])
    assert [
        "it does not end with a whole record" in text or "no trailer" in text
        for text in texts(path, errors=True)[:2]
    ] == [True, True]


def test_a_file_that_was_left_is_told_with_the_remedy(tmp_path: Path) -> None:
    """It is not closed, which is no error; a torn record is one."""
    part = left_file(tmp_path)
    assert not texts(part, errors=True)
    assert ["not closed" in text for text in texts(part, errors=False)] == [True]
    part.write_bytes(part.read_bytes()[:-1])
    (found,) = [each for each in verify(part).findings if each.is_error]
    assert found.remedy == f"if nobody writes it: obsorb stream recover {part}"


def test_what_stands_beside_may_be_missing(path: Path) -> None:
    """A remark each, with the command that makes it."""
    index_path(path).unlink()
    side_car_path(path).unlink()
    assert not texts(path, errors=True)
    assert texts(path, errors=False) == [
        "there is no side-car that can be read",
        "the index is not good: there is none",
    ]


def test_an_index_or_side_car_of_another_file_is_told(path: Path, tmp_path: Path) -> None:
    """The index does not fit; the digest of the side-car is an error."""
    (tmp_path / "other").mkdir()
    other = closed_file(tmp_path / "other", 61)
    for suffix in (".idx", ".meta.json"):
        shutil.copy(f"{other}{suffix}", f"{path}{suffix}")
    assert ["the side-car says sha256:" in text for text in texts(path, errors=True)] == [True]
    found = texts(path, errors=False)
    assert any(text.startswith("the side-car does not fit") for text in found)
    assert any(text.startswith("the index is not good") for text in found)


def test_a_side_car_that_is_no_json_is_as_none(path: Path) -> None:
    """Or one that says something else."""
    for text in ("{", "[]", msgspec.json.encode({"file": 1}).decode()):
        side_car_path(path).chmod(0o644)
        side_car_path(path).write_text(text)
        assert texts(path, errors=False) == ["there is no side-car that can be read"]


def test_another_file_is_no_event_file(tmp_path: Path) -> None:
    """Said in the first finding."""
    other = tmp_path / "x.raw"
    other.write_bytes(message(1))
    assert texts(other, errors=True)[0].startswith("it does not begin as an event file")
