"""The example in C reads event files as the reader in Python does."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest
from crc32c import crc32c

from idl_like_interfaces.event_files import FileHeader, FileTrailer
from objects.logger_stream.files.layout import index_path
from objects.logger_stream.files.reader import EventFile
from objects.logger_stream.files.recovery import recover
from objects.logger_stream.files.writer import EventFileWriter
from tests.support.clock import ManualClock
from tests.support.event_files import closed_file, flip, left_file

SOURCE = Path(__file__).parents[2] / "examples" / "event_file.c"
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the compiled example."""
    if COMPILER is None:
        pytest.skip("there is no C compiler (cc, gcc, clang) on this host")
    target = tmp_path_factory.mktemp("c") / "event_file"
    flags = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    subprocess.run([COMPILER, *flags, "-o", str(target), str(SOURCE)], check=True)
    return target


def run(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the example."""
    return subprocess.run(
        [str(program), *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def lines_of(path: Path) -> list[str]:
    """Return what the example shall print of the events of a file."""
    lines = []
    with EventFile(path) as file:
        for event in file:
            h = event.header
            lines.append(
                f"event {h.event} run {h.run} lbn {h.lbn} node {h.node} time {h.time_ns} "
                f"sender {h.sender:016x} sequence {h.sequence} streams "
                f"{' '.join(map(str, h.streams))} payload {len(event.payload)} "
                f"crc {crc32c(event.payload):08x}"
            )
    return lines


def test_c_and_python_read_the_same(program: Path, tmp_path: Path) -> None:
    """Header, each event, trailer."""
    path = closed_file(tmp_path, 40, size=1500)
    done = run(program, str(path))
    assert (done.returncode, done.stderr) == (0, "")
    first, *events, last = done.stdout.splitlines()
    assert events == lines_of(path)
    with EventFile(path) as file:
        assert msgspec.json.decode(first.removeprefix("D0FH "), type=FileHeader) == file.header
        assert msgspec.json.decode(last.removeprefix("D0FT "), type=FileTrailer) == file.trailer


def test_c_reads_over_what_a_recovery_has_covered(program: Path, tmp_path: Path) -> None:
    """The record of damaged bytes is one of a type that it skips."""
    part = left_file(tmp_path, 20)
    flip(part, part.stat().st_size // 2)
    index_path(part).unlink()
    path = Path(EventFileWriter.resume(recover(part), ManualClock()).close("recovered").path)
    done = run(program, str(path))
    assert done.returncode == 0
    assert done.stdout.splitlines()[1:-1] == lines_of(path)
    assert len(lines_of(path)) == 19


def test_c_tells_a_damaged_or_torn_file(program: Path, tmp_path: Path) -> None:
    """Where, and with exit code 1; wrong usage is 2."""
    path = closed_file(tmp_path, 5)
    with EventFile(path) as file:
        place = file[2].offset
    flip(path, place + 70)
    done = run(program, str(path))
    assert done.returncode == 1
    assert done.stderr == f"the record at byte {place}: its check is wrong\n"
    path.write_bytes(path.read_bytes()[: place - 3])
    assert "two lengths differ" in run(program, str(path)).stderr
    assert run(program).returncode == 2
