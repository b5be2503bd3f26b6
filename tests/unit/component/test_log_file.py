"""A log file for each process, where DAQ_LOGS is a folder that can be written."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from objects.component.log_file import LogFile, logging_to_file

LOG = logging.getLogger("tested.file")


@pytest.fixture(autouse=True)
def level() -> Iterator[None]:
    """Let all records through."""
    LOG.setLevel(logging.DEBUG)
    yield
    LOG.setLevel(logging.NOTSET)


@pytest.mark.spec("ESO-161")
def test_records_go_into_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named as the process, with UTC time, ESO's level and the logger; only as long as it lasts."""
    monkeypatch.setenv("DAQ_LOGS", str(tmp_path))
    before = logging.getLogger().handlers[:]
    with logging_to_file("ocm"):
        LOG.log(27, "Operational;Idle")
    LOG.info("not there")
    [line] = (tmp_path / "ocm.log").read_text().splitlines()
    assert line[10] == "T"
    assert line.split(maxsplit=1)[1].endswith("tested.file: Operational;Idle")
    assert logging.getLogger().handlers == before


@pytest.mark.spec("ESO-161")
def test_it_is_appended_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A restart keeps what was logged before."""
    monkeypatch.setenv("DAQ_LOGS", str(tmp_path))
    for text in ("one", "two"):
        with logging_to_file("ocm"):
            LOG.info(text)
    assert len((tmp_path / "ocm.log").read_text().splitlines()) == 2


@pytest.mark.spec("ESO-161")
@pytest.mark.parametrize("where", ["", "missing", "file"])
def test_without_such_a_folder_there_is_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    """It is not made, and what was wanted is told, unless nothing was."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DAQ_LOGS", str(tmp_path / where) if where else "")
    with logging_to_file("ocm"):
        LOG.info("it works all the same")
    assert sorted(each.name for each in tmp_path.rglob("*")) == ["file"]
    assert ("is no folder" in caplog.text) is bool(where)


@pytest.mark.spec("ESO-161")
def test_a_folder_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The component works without the file."""
    (tmp_path / "ocm.log").mkdir()  # also root cannot write this
    monkeypatch.setenv("DAQ_LOGS", str(tmp_path))
    with logging_to_file("ocm"):
        LOG.info("it works all the same")
    assert "cannot be written" in caplog.text


def test_a_file_that_was_moved_away_is_begun_anew(tmp_path: Path) -> None:
    """As those do who rotate logs."""
    handler = LogFile(tmp_path / "ocm.log")
    handler.emit(logging.makeLogRecord({"msg": "one", "levelname": "INFO"}))
    (tmp_path / "ocm.log").rename(tmp_path / "ocm.log.1")
    handler.emit(logging.makeLogRecord({"msg": "two", "levelname": "INFO"}))
    handler.close()
    assert "two" in (tmp_path / "ocm.log").read_text()


def test_a_full_disk_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Records are missing then; when there is room again they come again."""
    record = logging.makeLogRecord({"msg": "x" * 4000, "levelname": "INFO"})
    file = tmp_path / "ocm.log"
    file.symlink_to("/dev/full")
    handler = LogFile(file)
    for _ in range(5):
        handler.emit(record)
    assert capsys.readouterr().err.count("cannot be written: No space left") == 1
    file.unlink()
    handler.emit(logging.makeLogRecord({"msg": "room", "levelname": "INFO"}))
    handler.close()
    assert len(file.read_text().splitlines()) == 1
