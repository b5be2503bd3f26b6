"""The command as a program: the demonstration, signals, pipes and terminals."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import psutil
import pytest

from idl_like_interfaces.stdif import StdStatus
from tests.support.installation import OBSORB
from tests.support.small import SmallInstallation, status

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

DEADLINE_S = 60.0


class Program:
    """A program with pipes; its lines are read as they come."""

    def __init__(self, *arguments: str, names: str = "", terminal: int | None = None) -> None:
        environment = os.environ | {"TERM": "xterm"} | ({"OBSORB_NAMES": names} if names else {})
        self.process = subprocess.Popen(
            [str(OBSORB), *arguments],
            stdin=subprocess.DEVNULL if terminal is None else terminal,
            stdout=subprocess.PIPE if terminal is None else terminal,
            stderr=subprocess.PIPE,
            # What a buffer had read ahead, select would not see.
            bufsize=0,
            env=environment,
            start_new_session=True,
        )

    def await_line(self, start: str, stream: str = "stdout") -> str:
        """Return the first line that begins so.

        Raises:
            AssertionError: It did not come.
        """
        pipe = getattr(self.process, stream)
        until = time.monotonic() + DEADLINE_S
        while time.monotonic() < until:
            ready, _, _ = select.select([pipe], [], [], 1.0)
            line = pipe.readline().decode() if ready else ""
            if line.startswith(start):
                return str(line.rstrip("\n"))
            assert line or self.process.poll() is None, f"it ended without a line {start!r}"
        raise AssertionError(f"no line {start!r} in {DEADLINE_S} s")

    def end(self, number: signal.Signals) -> tuple[int, str, str]:
        """Send a signal; return exit code, and the rest of stdout and stderr."""
        self.process.send_signal(number)
        out, error = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, (out or b"").decode(), error.decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()


def processes_of(folder: Path) -> list[str]:
    """Return the command lines of all processes that work in a folder."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = " ".join(process.info["cmdline"] or [])
        if str(folder) in command and process.pid != os.getpid():
            found.append(command)
    return found


def await_none(folder: Path) -> None:
    """Wait until nothing works in a folder any more.

    Raises:
        AssertionError: Something still does.
    """
    until = time.monotonic() + DEADLINE_S
    while left := processes_of(folder):
        assert time.monotonic() < until, left
        time.sleep(0.05)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallInstallation]:
    with SmallInstallation(tmp_path) as installation:
        yield installation


def test_demo_makes_a_product_and_leaves_nothing_running(tmp_path: Path) -> None:
    """First line the name server, last line the product, plain text, exit code 0."""
    folder = tmp_path / "demo"
    done = subprocess.run(
        [str(OBSORB), "demo", "--folder", str(folder)],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"name server: localhost:\d+", lines[0])
    product = Path(lines[-1].removeprefix("product: "))
    assert product.parent == folder / "olas"
    assert product.is_file()
    (picture,) = [
        Path(each.removeprefix("picture: ")) for each in lines if each.startswith("picture: ")
    ]
    assert picture.is_file()
    (story,) = [Path(each.removeprefix("story: ")) for each in lines if each.startswith("story: ")]
    assert str(picture) in story.read_text(encoding="utf-8")
    assert "\x1b" not in done.stdout
    for state in ("Starting", "Acquiring", "Stopped", "Merging", "Releasing", "Completed"):
        assert any(state in line for line in lines), state
    assert processes_of(folder) == []


def test_demo_of_a_run_survives_the_death_of_a_logger(tmp_path: Path) -> None:
    """The run is GOOD, its files are verified, the last line is its report."""
    folder = tmp_path / "demo"
    done = subprocess.run(
        [str(OBSORB), "demo", "--run", "--folder", str(folder)],
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert any("killed with -9" in line for line in lines)
    assert any(line.startswith("run 1 is GOOD") for line in lines)
    report = Path(lines[-1].removeprefix("report: "))
    assert report.suffix == ".html"
    assert "run 1" in report.read_text(encoding="utf-8").lower()
    assert processes_of(folder) == []


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("name server: ", signal.SIGINT),
        ("started ", signal.SIGTERM),
        ("14 objects ", signal.SIGINT),
        ("verified: ", signal.SIGHUP),
    ],
)
def test_interrupted_demo_leaves_nothing_running(
    tmp_path: Path, moment: str, number: signal.Signals
) -> None:
    """At any moment; the exit code tells the signal (or that it was done by then)."""
    folder = tmp_path / "demo"
    with Program("demo", "--folder", str(folder)) as demo:
        demo.await_line(moment)
        code, _, error = demo.end(number)
    assert code == 128 + number or (moment == "verified: " and code == 0)
    assert "Traceback" not in error
    await_none(folder)


def test_killed_demo_takes_its_installation_with_it(tmp_path: Path) -> None:
    """Even kill -9 leaves nothing running."""
    folder = tmp_path / "demo"
    with Program("demo", "--folder", str(folder)) as demo:
        demo.await_line("started ")
        demo.end(signal.SIGKILL)
    await_none(folder)


def test_demo_that_keeps_running_ends_well_by_ctrl_c(tmp_path: Path) -> None:
    """It prints the address and the product, answers other commands, and exits with 0."""
    folder = tmp_path / "demo"
    with Program("demo", "--keep-running", "--folder", str(folder)) as demo:
        address = demo.await_line("name server: ").removeprefix("name server: ")
        product = Path(demo.await_line("product: ").removeprefix("product: "))
        pinged = subprocess.run(
            [str(OBSORB), "names", "ping", "obs", "--names", address],
            capture_output=True, text=True, timeout=DEADLINE_S, check=False,
        )  # fmt: skip
        code, _, error = demo.end(signal.SIGINT)
    assert pinged.returncode == 0, pinged.stderr
    names = {line.split()[0] for line in pinged.stdout.splitlines()}
    assert {"obs/ocm/daq", "obs/oldb", "obs/ledger", "obs/components/dcs1"} <= names
    assert product.is_file()
    assert (code, error) == (0, "")
    await_none(folder)


@pytest.mark.spec("ESO-164")
@pytest.mark.parametrize("command", [("daq", "--status"), ("--status",)])
def test_status_prints_to_stderr_until_interrupted(
    small: SmallInstallation, command: tuple[str, ...]
) -> None:
    """Without a command; nothing goes to stdout, and Ctrl-C ends it quietly."""
    with Program(*command, names=small.address) as watching:
        until = time.monotonic() + DEADLINE_S
        while not small.channel.get_stats().consumers:
            assert time.monotonic() < until
            time.sleep(0.02)
        small.publish_status(status())
        small.publish("std/status", StdStatus(status="Operational;Active", source="obs/ocm"))
        assert watching.await_line("daq: ", "stderr").endswith("error=false, message=[]")
        assert watching.await_line("status: ", "stderr") == "status: Operational;Active"
        code, out, error = watching.end(signal.SIGINT)
    assert (code, out, error) == (130, "", "")


def test_tail_goes_on_until_interrupted(small: SmallInstallation) -> None:
    """Each record once, as it comes."""
    small.record("before")
    with Program("log", "tail", names=small.address) as tail:
        assert tail.await_line("2026").endswith("before")
        small.record("after")
        assert tail.await_line("2026").endswith("after")
        code, out, error = tail.end(signal.SIGINT)
    assert (code, out, error) == (0, "", "")


def test_closed_pipe_ends_a_command_quietly(small: SmallInstallation) -> None:
    """As in ``obsorb log query | head -1``."""
    small.record(*(f"record {number} " + "x" * 200 for number in range(2000)))
    done = subprocess.run(
        ["bash", "-c", f"{OBSORB} log query --limit 2001 | head -1"],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
        env=os.environ | {"OBSORB_NAMES": small.address},
    )
    assert "record 0" in done.stdout
    assert done.stderr == ""


@contextmanager
def terminal(rows: int, columns: int) -> Iterator[tuple[int, int]]:
    """Yield both ends of a terminal of a size."""
    ours, theirs = pty.openpty()
    try:
        import fcntl
        import struct
        import termios

        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        yield ours, theirs
    finally:
        os.close(ours)
        os.close(theirs)


def _read_until(file: int, pattern: str) -> str:
    """Read from a terminal until a pattern has appeared.

    Raises:
        AssertionError: It did not.
    """
    until = time.monotonic() + DEADLINE_S
    seen = ""
    while not re.search(pattern, seen):
        assert time.monotonic() < until, seen[-2000:]
        ready, _, _ = select.select([file], [], [], 1.0)
        if ready:
            seen += os.read(file, 65536).decode(errors="replace")
    return seen


@pytest.mark.parametrize("way", ["q", "\x03"])
def test_dashboard_on_a_terminal_ends_by_q_or_ctrl_c(small: SmallInstallation, way: str) -> None:
    """It draws, follows the news, and gives the terminal back; exit code 0."""
    with (
        terminal(24, 80) as (ours, theirs),
        Program("top", names=small.address, terminal=theirs) as top,
    ):
        _read_until(ours, "components")
        small.record("the shutter opens")
        _read_until(ours, "the shutter opens")
        if way == "q":
            os.write(ours, b"q")
        else:
            top.process.send_signal(signal.SIGINT)
        _read_until(ours, re.escape("\x1b[?1049l"))
        assert top.process.wait(DEADLINE_S) == 0


def test_demo_on_a_terminal_shows_a_bar(tmp_path: Path) -> None:
    """And still prints the product as a plain last line, not wrapped."""
    folder = tmp_path / ("x" * 60) / "demo"
    with (
        terminal(24, 80) as (ours, theirs),
        Program("demo", "--folder", str(folder), terminal=theirs) as demo,
    ):
        seen = _read_until(ours, r"product: \S+\.fits\r\n")
        assert demo.process.wait(DEADLINE_S) == 0
    assert "━" in seen
    last = seen.rstrip().splitlines()[-1]
    assert Path(last.removeprefix("product: ")).is_file()
    await_none(folder)
