"""``obsorb sim`` as a program: found by name, ended by Enter, faulty when it is wanted."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from idl_like_interfaces.errors import CommFailure, RemoteError
from idl_like_interfaces.metadaqif import MetaDaq
from idl_like_interfaces.recif import RecCmds, RecProperties, RecStatusName
from nameserver.client import Names, parse_address
from tests.support.eventually import eventually
from tests.support.small import SmallInstallation

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

OBSORB = Path(sys.executable).with_name("obsorb")
DEADLINE_S = 60.0


class Simulator:
    """A running simulator and what it has said."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []
        self._lines: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def await_line(self, words: str) -> str:
        """Return the first line from here on that contains some words."""
        until = time.monotonic() + DEADLINE_S
        while True:
            line = self._lines.get(timeout=max(0.01, until - time.monotonic()))
            self.said.append(line)
            if words in line:
                return line
            assert line, f"it ended without {words!r}: {self.said}"

    def press_enter(self) -> None:
        """As an operator does."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self) -> int:
        """End it by Ctrl-C; its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(DEADLINE_S)


@contextmanager
def simulator(address: str, folder: Path, *arguments: str) -> Iterator[Simulator]:
    process = subprocess.Popen(
        [str(OBSORB), "sim", *arguments, "--names", address, "--folder", str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        bufsize=1, env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    with process:
        running = Simulator(process)
        try:
            yield running
        finally:
            if process.poll() is None:
                process.kill()
            running.reader.join()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallInstallation]:
    """Real broker services to be found by."""
    with SmallInstallation(tmp_path / "installation") as installation:
        yield installation


@pytest.fixture
def names(small: SmallInstallation) -> Iterator[Names]:
    """A client of the name service."""
    with Names(parse_address(small.address)) as found:
        yield found


def test_enter_ends_what_a_client_has_begun(
    small: SmallInstallation, names: Names, tmp_path: Path
) -> None:
    """A recording is Completed when Enter is pressed; Ctrl-C ends the simulator quietly."""
    with simulator(small.address, tmp_path, "recif", "dcs", "--shape", "8", "8") as dcs:
        assert "PYRO:obs/sources/dcs/rec~" in dcs.await_line("uri:")
        dcs.await_line("Enter ends a recording")
        source = names.narrow("obs/sources/dcs/rec", RecCmds)
        source.rec_start(RecProperties(id="one"))
        dcs.await_line("start one: one Recording")
        dcs.press_enter()
        dcs.await_line("Enter: one ends")
        reply = source.rec_wait(20.0)
        assert reply.status.status is RecStatusName.COMPLETED
        assert reply.status.dp_files[0] in dcs.await_line("one Completed")
        assert dcs.end() == 0


def test_a_closed_stdin_is_nobodys_enter(
    small: SmallInstallation, names: Names, tmp_path: Path
) -> None:
    """It goes on until it is told to end; an endpoint is its port."""
    with simulator(small.address, tmp_path, "metadaqif", "fcf") as fcf:
        fcf.await_line("Ctrl-C ends")
        assert fcf.process.stdin is not None
        fcf.process.stdin.close()
        source = names.narrow("obs/sources/fcf/daq", MetaDaq)
        source.start_daq("m1")
        fcf.await_line("start m1")
        assert source.stop_daq("m1").keywords
        fcf.await_line("stop m1: Stopped")
        assert fcf.end() == 0


def test_it_dies_when_it_was_told_to(
    small: SmallInstallation, names: Names, tmp_path: Path
) -> None:
    """Its client learns that nobody is there."""
    with simulator(small.address, tmp_path, "recif", "dcs", "--die", "stop") as dcs:
        dcs.await_line("Enter ends a recording")
        source = names.narrow("obs/sources/dcs/rec", RecCmds, 5.0)
        source.rec_start(RecProperties(id="one"))
        with pytest.raises((CommFailure, RemoteError)):
            source.rec_stop()
        assert dcs.process.wait(DEADLINE_S) == -signal.SIGKILL


def test_a_name_that_is_taken_is_refused(
    small: SmallInstallation, names: Names, tmp_path: Path
) -> None:
    """Two sources of one name would be one too many."""
    with simulator(small.address, tmp_path / "a", "metadaqif", "fcf") as first:
        first.await_line("Ctrl-C ends")
        with simulator(small.address, tmp_path / "b", "metadaqif", "fcf") as second:
            second.await_line("error:")
            assert second.process.wait(DEADLINE_S) == 1
        eventually(lambda: names.resolve("obs/sources/fcf/daq") != "")
        assert first.end() == 0
