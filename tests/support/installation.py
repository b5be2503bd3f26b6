"""A whole installation, run for a test as an operator would run it."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

OBSORB = Path(sys.executable).with_name("obsorb")

START_DEADLINE_S = 60.0
STOP_DEADLINE_S = 30.0

FRAMES = Path("astropy/io/fits/tests/data/o4sp040b0_raw.fits")

EXAMPLE = Path(__file__).parents[2] / "examples" / "installation.toml"

TEMPLATE = EXAMPLE.read_text().replace('name = "example"', 'name = "tested"')


@dataclass
class Running:
    """A program of ours that runs, and what it printed so far."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    _news: queue.SimpleQueue[str | None] = field(default_factory=queue.SimpleQueue)
    _reader: threading.Thread | None = None

    def __post_init__(self) -> None:
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stdout:
            for line in stdout:
                self._news.put(line.rstrip("\n"))
        self._news.put(None)

    def await_line(self, start: str, deadline_s: float = START_DEADLINE_S) -> str:
        """Return the rest of the next line that begins so.

        Raises:
            AssertionError: The program ended without it.
            queue.Empty: It did not come in time.
        """
        while (line := self._news.get(timeout=deadline_s)) is not None:
            self.lines.append(line)
            if line.startswith(start):
                return line.removeprefix(start)
        message = f"it ended without a line {start!r}; it printed {self.lines}"
        raise AssertionError(message)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, wait for the end and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            assert self._reader is not None
            self._reader.join(STOP_DEADLINE_S)
            while not self._news.empty() and (line := self._news.get()) is not None:
                self.lines.append(line)


def start(*command: str, cwd: Path, environment: dict[str, str] | None = None) -> Running:
    """Start a program; its stderr goes to a file ``stderr.log`` beside."""
    with (cwd / "stderr.log").open("a") as stderr:
        process = subprocess.Popen(
            command, cwd=cwd, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment
        )
    return Running(process)


def write_installation(folder: Path, text: str = TEMPLATE) -> Path:
    """Write an installation file and its folder of real frames."""
    import shutil
    from importlib.resources import as_file, files

    frames = folder / "frames"
    frames.mkdir(exist_ok=True)
    with as_file(files("astropy") / str(FRAMES.relative_to("astropy"))) as source:
        shutil.copy(source, frames)
    file = folder / "installation.toml"
    file.write_text(text)
    return file


@contextmanager
def running_installation(folder: Path, text: str = TEMPLATE) -> Iterator[str]:
    """Run an installation; yield the address of its name server."""
    file = write_installation(folder, text)
    running = start(str(OBSORB), "up", str(file), cwd=folder)
    try:
        address = running.await_line("name server: ")
        running.await_line("tested is up")
        yield address
    finally:
        code = running.end()
    assert code == 0, f"it ended with {code}: {(folder / 'stderr.log').read_text()[-2000:]}"
