"""What an installation costs: start-up, demonstration, memory, and processor time at rest."""

from __future__ import annotations

import os
import pty
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

import psutil

from benchmarks.counts import Counts
from benchmarks.figures import Figure, Goal, Measure, figure
from benchmarks.processes import busy, memory
from benchmarks.programs import Child, Program

START_GOAL = Goal(of=Measure.VALUE, at_most=5.0)
DEMO_GOAL = Goal(of=Measure.VALUE, at_most=30.0)
TOP_GOAL = Goal(of=Measure.VALUE, at_most=5.0)

BARE = "bare Pyro5 daemon"

OBSORB = str(Path(sys.executable).with_name("obsorb"))
_FRAMES = "io/fits/tests/data/o4sp040b0_raw.fits"
_STARTED = re.compile(r"started (?P<name>.+) \(pid (?P<pid>\d+)\)")

_EXAMPLE = Path(__file__).parents[1] / "examples" / "installation.toml"


class Installation:
    """An installation that is up.

    Attributes:
        names: Address of its name server.
        started_in_s: From the command to the line that says that it is up.
        pids: Process id of each part, the supervisor among them.
    """

    def __init__(self, program: Program, began: float) -> None:
        self.names = program.await_line("name server: ").removeprefix("name server: ")
        self.pids = {"supervisor": program.pid}
        while " is up" not in (line := program.await_line()):
            if found := _STARTED.match(line):
                self.pids[found["name"]] = int(found["pid"])
        self.started_in_s = time.monotonic() - began
        self._add_name_server()

    def _add_name_server(self) -> None:
        """Find the part that is no component, and so is not told of."""
        known = set(self.pids.values())
        for child in psutil.Process(self.pids["supervisor"]).children():
            if child.pid not in known:
                self.pids["name server"] = child.pid


@contextmanager
def installation() -> Iterator[Installation]:
    """Run the six components of the demonstration, with the name server, in a scratch folder."""
    with tempfile.TemporaryDirectory(prefix="obsorb-bench-") as scratch:
        folder = Path(scratch)
        (folder / "frames").mkdir()
        spec = find_spec("astropy")
        assert spec is not None
        assert spec.origin is not None
        shutil.copy(Path(spec.origin).parent / _FRAMES, folder / "frames")
        file = folder / "installation.toml"
        shutil.copy(_EXAMPLE, file)
        began = time.monotonic()
        with Program([OBSORB, "up", str(file)], cwd=folder) as program:
            yield Installation(program, began)


def measure_start(counts: Counts) -> list[Figure]:
    """Measure how long an installation takes to be up, and the demonstration to be over."""
    starts: list[float] = []
    for _ in range(counts.starts):
        with installation() as running:
            starts.append(running.started_in_s)
    rows = [_cost("start-up, until '... is up'", "s", starts, START_GOAL)]
    demos = [_demonstration() for _ in range(counts.demos)]
    return rows + ([_cost("obsorb demo, whole", "s", demos, DEMO_GOAL)] if demos else [])


def _cost(name: str, unit: str, values: list[float], goal: Goal) -> Figure:
    return figure("installation", name, unit, values, goal=goal)


def _demonstration() -> float:
    with tempfile.TemporaryDirectory(prefix="obsorb-bench-") as scratch:
        began = time.monotonic()
        with Program([OBSORB, "demo", "--folder", f"{scratch}/demo"]) as program:
            code = program.wait()
            took = time.monotonic() - began
            if code != 0:
                raise RuntimeError(f"obsorb demo ended with exit code {code}")
        return took


def measure_rest(counts: Counts) -> list[Figure]:
    """Measure memory and processor time of each part when there is nothing to do."""
    with ExitStack() as stack:
        running = stack.enter_context(installation())
        bare = stack.enter_context(Child("benchmarks.calls_bare:Server"))
        top = stack.enter_context(_dashboard(running.names))
        pids = {**running.pids, BARE: bare.pid, "obsorb top": top}
        worked = busy(pids, counts.rest_s)
        sizes = {name: memory(pid) for name, pid in pids.items()}
    parts = [name for name in pids if name != BARE]
    rows = [_memory_row(name, kind, sizes) for kind in ("RSS", "PSS") for name in parts]
    return rows + [_rest_row(name, worked, counts.rest_s) for name in parts]


def _memory_row(name: str, kind: str, sizes: dict[str, dict[str, float]]) -> Figure:
    return figure(
        f"memory, {kind}",
        name,
        "MiB",
        [sizes[name][kind]],
        peer=BARE,
        theirs=[sizes[BARE][kind]],
    )


def _rest_row(name: str, worked: dict[str, float], rest_s: float) -> Figure:
    return figure(
        f"processor at rest, over {rest_s:g} s",
        name,
        "% of a core",
        [worked[name]],
        goal=TOP_GOAL if name == "obsorb top" else None,
    )


@contextmanager
def _dashboard(names: str) -> Iterator[int]:
    """Run the dashboard on a terminal of 80x24; yield its process id once it has drawn."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(OBSORB_NAMES=names, TERM="xterm-256color", COLUMNS="80", LINES="24")
        os.execv(OBSORB, [OBSORB, "top"])
    shown = _Shown(terminal)
    try:
        shown.await_frames()
        yield pid
    finally:
        os.write(terminal, b"q")
        os.waitpid(pid, 0)
        shown.close()


class _Shown:
    """Reads what a program draws, so that it never waits for its terminal."""

    _FRAMES = 3
    _DEADLINE_S = 30.0

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._is_drawing = threading.Event()
        self._reader = threading.Thread(target=self._read, name="read terminal")
        self._reader.start()

    def await_frames(self) -> None:
        """Wait until the start-up is over.

        Raises:
            TimeoutError: It draws nothing.
        """
        if not self._is_drawing.wait(self._DEADLINE_S):
            raise TimeoutError("obsorb top draws nothing")

    def close(self) -> None:
        """End reading; the program has ended."""
        self._reader.join()
        os.close(self._terminal)

    def _read(self) -> None:
        frames = 0
        # A terminal whose program has ended answers with an error.
        while True:
            try:
                drawn = os.read(self._terminal, 65_536)
            except OSError:
                return
            frames += drawn.count(b"\x1b[H")
            if frames >= self._FRAMES:
                self._is_drawing.set()
