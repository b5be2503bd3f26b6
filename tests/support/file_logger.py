"""A second event logger: a real servant with real files, without an event server.

Events are given to it by the test. What it was told is in a file, so that it can be ended as a
crash does and be started again: its runs come back paused, as those of the real one.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec.structs import replace
from typing_extensions import override

from idl_like_interfaces.event_logger import (
    CommandRefused,
    Fenced,
    FileState,
    GapNote,
    LoggerConfiguration,
    LoggerControl,
    LoggerInit,
    LoggerRun,
    LoggerRunStart,
    LoggerState,
    LoggerStatus,
    NoSuchRun,
    RunCertificate,
    RunState,
    VolumeStatus,
    WrittenFile,
)
from objects.logger_stream.certificates import page_of

RECORD = bytes(1000)
_OVER = frozenset({RunState.ENDED, RunState.ABORTED})


class Kept(msgspec.Struct):
    """What it remembers over a crash."""

    init: LoggerInit | None = None
    configuration: LoggerConfiguration | None = None
    fence: int = 0
    runs: dict[int, LoggerRun] = {}
    streams: dict[int, list[str]] = {}
    """Of each run, as they were when it started."""


class FileLogger(LoggerControl):
    """A logger over a folder; any thread may call it.

    Args:
        name: Its component.
        folder: Its files; what was kept there is taken up.

    Attributes:
        calls: The commands, in order.
        faults: By command, what it raises.
        gates: By command, what it waits for before it acts.
        slow_ends: How many times END answers that it has not ended yet.
        level: Of its volume.
        on_command: Called with the name of each command before it is done.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.calls: list[str] = []
        self.faults: dict[str, Exception] = {}
        self.gates: dict[str, threading.Event] = {}
        self.slow_ends = 0
        self.level = "ok"
        self.on_command: Callable[[str], None] = lambda name: None
        self._lock = threading.RLock()
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "kept.json"
        self._kept = Kept()
        if self._file.exists():
            self._kept = msgspec.json.decode(self._file.read_bytes(), type=Kept)
            for number, run in self._kept.runs.items():
                if run.state not in _OVER:
                    self._kept.runs[number] = replace(
                        run, state=RunState.PAUSED, is_restored=True, reason="restored"
                    )

    def feed(self, run: int, events: int) -> bool:
        """Write events of 1000 bytes into the first stream; False: it is paused."""
        with self._lock:
            found = self._kept.runs[run]
            if found.state is not RunState.ACTIVE:
                return False
            if found.recording:
                with self._part(run, self._kept.streams[run][0]).open("ab") as file:
                    file.write(RECORD * events)
            self._change(
                run, events=found.events + events, bytes=found.bytes + events * len(RECORD)
            )
            return True

    def lose(self, run: int, count: int) -> None:
        """Note messages that never came."""
        with self._lock:
            found = self._kept.runs[run]
            gap = GapNote(sender="router", count=count, time=datetime.now(UTC), reason="lost")
            self._change(run, gaps=[*found.gaps, gap], gap_count=found.gap_count + count)

    @property
    def known(self) -> set[int]:
        """The runs that it has seen."""
        return set(self._kept.runs)

    def run(self, number: int) -> LoggerRun:
        """Return a run."""
        return self._known(number)

    @override
    def init(self, arguments: LoggerInit, fence: int = 0) -> LoggerState:
        with self._command("init", fence):
            if self._kept.init not in (None, arguments):
                raise self._refused("init", "initialized with other arguments")
            self._kept.init = arguments
            return self._keep()

    @override
    def configure(self, configuration: LoggerConfiguration, fence: int = 0) -> LoggerState:
        with self._command("configure", fence):
            if self._kept.init is None:
                raise self._refused("configure", "not initialized")
            self._kept.configuration = configuration
            return self._keep()

    @override
    def start_run(self, start: LoggerRunStart, fence: int = 0) -> LoggerRun:
        with self._command("start_run", fence):
            known = self._kept.runs.get(start.run)
            if known is not None:
                if known.state in _OVER:
                    raise self._refused("start_run", f"run {start.run} was used")
                return known
            if self._kept.configuration is None:
                raise self._refused("start_run", "not configured")
            if start.run < max(self._kept.runs, default=0):
                raise self._refused("start_run", f"{start.run} is too small")
            names = [each.name for each in self._kept.configuration.streams]
            self._kept.streams[start.run] = names
            (self.folder / f"{start.run:09d}").mkdir()
            if start.recording:
                for each in names:
                    self._part(start.run, each).touch()
            self._kept.runs[start.run] = run = LoggerRun(
                run=start.run,
                state=RunState.ACTIVE,
                recording=start.recording,
                started=datetime.now(UTC),
            )
            self._keep()
            return run

    @override
    def end_run(self, run: int, fence: int = 0, timeout_s: float = 10.0) -> RunCertificate:
        with self._command("end_run", fence):
            found = self._known(run)
            if found.state is RunState.ABORTED:
                raise self._refused("end_run", "it was aborted")
            if self.slow_ends > 0:
                self.slow_ends -= 1
                self._change(run, state=RunState.ENDING)
                return page_of(self._certificate(run))
            return page_of(self._close(run, RunState.ENDED))

    @override
    def abort_run(
        self, run: int, reason: str, fence: int = 0, timeout_s: float = 10.0
    ) -> RunCertificate:
        with self._command("abort_run", fence):
            if self._known(run).state is RunState.ENDED:
                return page_of(self._certificate(run))
            return page_of(self._close(run, RunState.ABORTED, reason))

    @override
    def pause(self, run: int = 0, reason: str = "", fence: int = 0) -> LoggerState:
        with self._command("pause", fence):
            self._change(self._known(run).run, state=RunState.PAUSED, reason=reason)
            return self._keep()

    @override
    def resume(self, run: int = 0, fence: int = 0) -> LoggerState:
        with self._command("resume", fence):
            self._known(run)
            self._change(run, state=RunState.ACTIVE, reason="", is_restored=False)
            return self._keep()

    @override
    def get_status(self) -> LoggerStatus:
        with self._command("get_status", None):
            configuration = self._kept.configuration
            return LoggerStatus(
                name=self.name,
                state=self._state(),
                time=datetime.now(UTC),
                streams=configuration.streams if configuration else [],
                runs=list(self._kept.runs.values()),
                volumes=[
                    VolumeStatus(
                        path=str(self.folder), free_bytes=1, size_bytes=2, level=self.level
                    )
                ],
            )

    @override
    def get_certificate(self, run: int, first_file: int = 0) -> RunCertificate:
        with self._lock:
            self._known(run)
            return page_of(self._certificate(run), first_file)

    @override
    def reset(self, fence: int = 0) -> LoggerState:
        with self._command("reset", fence):
            self._kept.init = self._kept.configuration = None
            return self._keep()

    @override
    def stop(self, is_forced: bool = False, fence: int = 0) -> None:
        with self._command("stop", fence):
            self._keep()

    def _command(self, name: str, fence: int | None) -> threading.RLock:
        """Note a command; do what the script says; return the lock to act under."""
        if fence is not None:
            self.on_command(name)
        if name in self.gates:
            self.gates[name].wait(30.0)
        with self._lock:
            if fence is not None:
                self.calls.append(name)
                if fence < self._kept.fence:
                    raise Fenced("an older lease", fence=fence, newest=self._kept.fence)
                self._kept.fence = fence
            if name in self.faults:
                raise self.faults[name]
        return self._lock

    def _refused(self, command: str, why: str) -> CommandRefused:
        return CommandRefused(f"{self.name}: {why}", command=command, state=self._state().value)

    def _state(self) -> LoggerState:
        if self._kept.init is None:
            return LoggerState.PRE_INITIALIZED
        if self._kept.configuration is None:
            return LoggerState.INITIALIZED
        active = [each for each in self._kept.runs.values() if each.state not in _OVER]
        return LoggerState.RUNNING if active else LoggerState.CONFIGURED

    def _known(self, run: int) -> LoggerRun:
        if run not in self._kept.runs:
            raise NoSuchRun(f"{self.name} has no run {run}", run=run)
        return self._kept.runs[run]

    def _change(self, run: int, **changes: object) -> None:
        self._kept.runs[run] = replace(self._kept.runs[run], **changes)
        self._keep()

    def _keep(self) -> LoggerState:
        beside = self._file.with_suffix(".part")
        beside.write_bytes(msgspec.json.encode(self._kept))
        beside.replace(self._file)
        return self._state()

    def _part(self, run: int, stream: str) -> Path:
        return self.folder / f"{run:09d}" / f"{stream}_{run:09d}_000.raw.part"

    def _close(self, run: int, state: RunState, reason: str = "") -> RunCertificate:
        for part in sorted((self.folder / f"{run:09d}").glob("*.part")):
            part.rename(part.with_suffix(""))
        self._change(run, state=state, reason=reason, ended=datetime.now(UTC))
        return self._certificate(run)

    def _certificate(self, run: int) -> RunCertificate:
        found = self._known(run)
        files = []
        for path in sorted((self.folder / f"{run:09d}").glob("*.raw")):
            content = path.read_bytes()
            files.append(
                WrittenFile(
                    path=str(path),
                    stream=path.name.split("_")[0],
                    state=FileState.CLOSED,
                    events=len(content) // len(RECORD),
                    size_bytes=len(content),
                    durable_bytes=len(content),
                    digest=f"sha256:{hashlib.sha256(content).hexdigest()}",
                    reason_closed="end of run",
                )
            )
        return RunCertificate(
            run=run,
            state=found.state,
            recording=found.recording,
            events=found.events,
            bytes=found.bytes,
            files=files,
            gap_count=found.gap_count,
            gaps=found.gaps,
        )
