"""The audit log: what it keeps, what its check finds out, and that it is never in the way."""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from idl_like_interfaces.security import audit_log
from idl_like_interfaces.security.audit_chain import Kind
from idl_like_interfaces.security.audit_check import Verified, records, verify
from idl_like_interfaces.security.audit_log import AuditLog
from idl_like_interfaces.security.refusals import AuditRefused
from tests.support.eventually import eventually


def write(folder: Path, count: int = 5, process: str = "ocm", limit: int = 10**6) -> str:
    """Write a log of so many calls; return its head."""
    with AuditLog(folder, process, "i1", limit=limit) as audit:
        for index in range(count):
            audit.append(Kind.CALL, caller="alice", operation="start_daq", object=f"o{index}")
    return audit.head.hash


def one(folder: Path) -> Verified:
    (found,) = verify(folder)
    return found


def lines(folder: Path, name: str = "ocm.jsonl") -> list[bytes]:
    return (folder / name).read_bytes().splitlines(keepends=True)


def test_a_log_is_readable_lines_of_json(tmp_path: Path) -> None:
    """The first names process and incarnation, the last says that it ended in good order."""
    write(tmp_path, 1)
    first, call, last = map(json.loads, lines(tmp_path))
    assert (first["what"], first["process"], first["incarnation"]) == ("start", "ocm", "i1")
    assert (call["caller"], call["operation"], call["seq"]) == ("alice", "start_daq", 2)
    assert last["what"] == "stop"
    assert call["prev"] == first["hash"]


def test_a_whole_log_is_intact(tmp_path: Path) -> None:
    """Over restarts too; its head is what the writer said."""
    write(tmp_path)
    head = write(tmp_path)
    found = one(tmp_path)
    assert found.is_intact
    assert (found.records, found.head, found.notes) == (14, head, [])


@pytest.mark.parametrize("line", range(7))
def test_a_changed_line_is_found(tmp_path: Path, line: int) -> None:
    """Wherever it is, and with its number."""
    write(tmp_path)
    changed = lines(tmp_path)
    changed[line] = changed[line].replace(b"20", b"21", 1)
    (tmp_path / "ocm.jsonl").write_bytes(b"".join(changed))
    found = one(tmp_path)
    assert f"ocm.jsonl line {line + 1}:" in found.broken
    assert found.seq == line


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (lambda x: [*x[:2], *x[3:]], "line 3: records 3 to 3 are gone"),
        (lambda x: [*x[:2], x[3], x[2], *x[4:]], "line 3: records 3 to 3 are gone"),
        (lambda x: [*x[:3], x[2], *x[3:]], "line 4: record 3 does not follow on record 3"),
        (lambda x: [*x[:3], b'{"a":"b"}\n', *x[3:]], "line 4: it is no record"),
        (lambda x: [*x[:3], b"{}\n", *x[3:]], "line 4: octets that no record"),
        (lambda x: [*x[:3], b"half", b"\n", *x[3:]], "line 4: octets that no record"),
    ],
)
def test_lines_taken_out_moved_or_put_in_are_found(
    tmp_path: Path, change: object, broken: str
) -> None:
    """The hashes hold their order."""
    assert callable(change)
    write(tmp_path)
    (tmp_path / "ocm.jsonl").write_bytes(b"".join(change(lines(tmp_path))))
    assert broken in one(tmp_path).broken


def test_an_end_that_was_cut_off_is_found_by_the_head(tmp_path: Path) -> None:
    """Within the file nothing shows it but the missing stop."""
    head = write(tmp_path)
    (tmp_path / "ocm.jsonl").write_bytes(b"".join(lines(tmp_path)[:-2]))
    found = one(tmp_path)
    assert found.is_intact
    assert "does not end with `stop`" in found.notes[0]
    assert "the end was cut off" in verify(tmp_path, head)[0].broken


def test_a_head_of_earlier_is_found_in_a_longer_chain(tmp_path: Path) -> None:
    """What was kept last week still proves what was before it."""
    head = write(tmp_path)
    write(tmp_path)
    assert verify(tmp_path, head)[0].is_intact


def test_an_unfinished_last_line_is_no_forgery(tmp_path: Path) -> None:
    """It is reported as such; the next start tells of it and the chain goes on."""
    write(tmp_path)
    with (tmp_path / "ocm.jsonl").open("ab") as file:
        file.write(b'{"seq":8,"time":"20')
    found = one(tmp_path)
    assert found.is_intact
    assert "the last line is unfinished (19 octets)" in found.notes[0]
    write(tmp_path)
    found = one(tmp_path)
    assert found.is_intact
    assert "before record 8 is an unfinished line of 19 octets" in found.notes[0]
    assert found.records == 14


@pytest.mark.parametrize("octets", [b"rubbish\n", b'{"seq":99,"ti', b"{}", b"\0" * 10])
def test_octets_that_begin_no_record_are_not_taken_for_an_unfinished_one(
    tmp_path: Path, octets: bytes
) -> None:
    """At the end of a log, or alone in a file: only the next record can be unfinished."""
    write(tmp_path, 1)
    with (tmp_path / "ocm.jsonl").open("ab") as file:
        file.write(octets)
    (tmp_path / "other.jsonl").write_bytes(octets)
    for found in verify(tmp_path):
        assert "not the begin of a record" in found.broken


def test_octets_of_an_unfinished_line_cannot_be_changed_later(tmp_path: Path) -> None:
    """The record behind them has their hash."""
    write(tmp_path)
    with (tmp_path / "ocm.jsonl").open("ab") as file:
        file.write(b'{"seq":8,"time":"20')
    write(tmp_path)
    path = tmp_path / "ocm.jsonl"
    path.write_bytes(path.read_bytes().replace(b'{"seq":8,"time":"20\n', b'{"seq":8,"time":"21\n'))
    assert "line 8: octets that no record tells of" in one(tmp_path).broken
    path.write_bytes(path.read_bytes().replace(b'{"seq":8,"time":"21\n', b""))
    assert "octets before it are gone" in one(tmp_path).broken


def test_a_damaged_end_is_put_aside_and_stays_evidence(tmp_path: Path) -> None:
    """The process goes on in a new file; the check still finds the damage."""
    write(tmp_path)
    path = tmp_path / "ocm.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"stop"', b'"call"'))
    write(tmp_path)
    assert "ocm.000001.jsonl line 7" in one(tmp_path).broken


def test_full_files_are_kept_and_the_chain_goes_on(tmp_path: Path) -> None:
    """Over files and over restarts."""
    for _ in range(2):
        write(tmp_path, 30, limit=4000)
    head = write(tmp_path, 30, limit=4000)
    found = one(tmp_path)
    assert found.is_intact
    assert found.files > 5
    assert (found.records, found.head) == (96, head)
    assert [r.seq for r in records(tmp_path)] == list(range(1, 97))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """One in the middle breaks the chain; the oldest ones may be kept elsewhere."""
    write(tmp_path, 60, limit=4000)
    (tmp_path / "ocm.000001.jsonl").unlink()
    found = one(tmp_path)
    assert not found.is_intact
    assert found.missing[0] == "the file ocm.000001.jsonl"
    assert "in earlier files" in found.missing[1]
    (tmp_path / "ocm.000003.jsonl").unlink()
    assert "are gone" in one(tmp_path).broken


def test_each_process_has_its_own_chain(tmp_path: Path) -> None:
    """A folder is judged as a whole; a file under another's name is found."""
    write(tmp_path, process="ocm")
    write(tmp_path, process="dpm")
    assert [each.process for each in verify(tmp_path)] == ["dpm", "ocm"]
    (tmp_path / "dpm.jsonl").rename(tmp_path / "ocm.000001.jsonl")
    assert "a record of dpm, not of ocm" in one(tmp_path).broken


def test_two_living_writers_of_a_name_are_refused(tmp_path: Path) -> None:
    """Their lines would break each other's chain."""
    with AuditLog(tmp_path, "ocm"), pytest.raises(AuditRefused, match="by another process"):
        AuditLog(tmp_path, "ocm")


def test_where_there_is_no_log_it_is_told(tmp_path: Path) -> None:
    """Not taken for an intact one."""
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(AuditRefused, match="there is no audit log"):
            verify(path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """At the start, with the way to do without."""
    (tmp_path / "file").write_text("")
    with pytest.raises(AuditRefused, match="cannot be opened") as caught:
        AuditLog(tmp_path / "file" / "audit", "ocm")
    assert 'audit = "off"' in caught.value.remedy


def test_others_cannot_read_it(tmp_path: Path) -> None:
    """The group may, to look; nobody else."""
    write(tmp_path / "audit")
    assert (tmp_path / "audit").stat().st_mode & 0o007 == 0
    assert (tmp_path / "audit" / "ocm.jsonl").stat().st_mode & 0o037 == 0


def test_where_files_cannot_be_changed_one_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As on a file system that allows appending only; nothing is lost."""
    (tmp_path / "taken").mkdir()
    monkeypatch.setattr(audit_log, "next_rotated", lambda *_: tmp_path / "taken")
    write(tmp_path, 30, limit=2000)
    found = one(tmp_path)
    assert (found.files, found.records, found.is_intact) == (1, 32, True)
    assert "is not rotated" in caplog.text


def test_the_head_is_told_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """To the log, which is kept elsewhere; with what was only counted."""
    monkeypatch.setattr(audit_log, "HEAD_S", 0.05)
    monkeypatch.setattr(audit_log, "SYNC_S", 0.01)
    with caplog.at_level(logging.INFO), AuditLog(tmp_path, "events") as audit:
        audit.count("publish")
        audit.append(Kind.CALL, caller="a")
        audit.count("publish")
        eventually(lambda: any(r.what == "count" for r in records(tmp_path)))
        eventually(lambda: f"audit head of events: 3 {audit.head.hash}" in caplog.text)
    assert one(tmp_path).is_intact


def test_many_threads_write_one_chain(tmp_path: Path) -> None:
    """Each line whole and in its place."""
    with AuditLog(tmp_path, "ocm") as audit:

        def call() -> None:
            for _ in range(200):
                audit.append(Kind.CALL, caller="a")

        threads = [threading.Thread(target=call) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = one(tmp_path)
    assert found.is_intact
    assert found.records == 1602


def test_counts_ride_on_the_next_line(tmp_path: Path) -> None:
    """What is only counted is not forgotten."""
    with AuditLog(tmp_path, "events") as audit:
        for _ in range(1000):
            audit.count("publish")
    assert [r.counted for r in records(tmp_path)] == [{}, {"publish": 1000}]


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no file grow beyond a size: to a writer it is as a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_stops_nobody_and_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An alarm when it begins, the number of lost lines in the next one; the chain holds."""
    with AuditLog(tmp_path, "ocm") as audit:
        with caplog.at_level(logging.ERROR), largest_file(1000):
            written = [audit.append(Kind.CALL, caller="a") for _ in range(20)]
        assert not audit.is_writable
        assert audit.append(Kind.CALL, caller="b")
    lost = written.count(False)
    assert lost > 10
    assert [r.message for r in caplog.records].count(
        "the audit log of ocm cannot be written: is its disk full?"
    ) == 1
    found = one(tmp_path)
    assert found.is_intact
    assert f"{lost} could not be written" in found.notes[0]


WRITER = """
import sys
from pathlib import Path
from idl_like_interfaces.security import audit_log
from idl_like_interfaces.security.audit_chain import Kind
from idl_like_interfaces.security.audit_log import AuditLog
audit = AuditLog(Path(sys.argv[1]), "ocm", limit=20000)
print(audit.head.seq, flush=True)
while True:
    audit.append(Kind.CALL, caller="alice" * 20)
    print(audit.head.seq, flush=True)
"""


def kill_while_writing(folder: Path) -> int:
    """Kill a writer at any moment; return the number of the last line that it had reported."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(200):
            process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
        rest = process.stdout.read().splitlines()
    return int(rest[-1]) if rest else 0


def test_what_was_written_survives_kill_9(tmp_path: Path) -> None:
    """Each line that was acknowledged is there, and the chain is whole after each restart."""
    for _ in range(4):
        acknowledged = kill_while_writing(tmp_path)
        found = one(tmp_path)
        assert found.is_intact
        assert found.seq >= acknowledged


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_what_was_written_survives_many_kills(tmp_path: Path) -> None:
    """As above, at full count."""
    for _ in range(200):
        acknowledged = kill_while_writing(tmp_path)
        found = one(tmp_path)
        assert found.is_intact
        assert found.seq >= acknowledged
