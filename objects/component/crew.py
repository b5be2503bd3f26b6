"""The processes of an installation: started, listened to, ended."""

from __future__ import annotations

import logging
import queue
import signal
import subprocess
import threading
from collections.abc import Iterable
from dataclasses import dataclass

from idl_like_interfaces.supervision import PartState, PartStatus
from objects.component.clock import Clock
from objects.component.commands import start_process
from objects.component.parts import Part

log = logging.getLogger(__name__)

_LOOK_S = 0.5
STOP_DEADLINE_S = 10.0
"""A process that has not ended so long after it was told to is killed."""


@dataclass(frozen=True, slots=True)
class Said:
    """A part printed a line; None: it has ended."""

    part: Part
    line: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Somebody wants a part to be ended and started again."""

    part: Part


News = Said | Wanted


class Crew:
    """Starts processes and hears what they say.

    One thread starts and stops; any thread may ask for ``status``, ``request_restart`` and
    ``wake``.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._news: queue.SimpleQueue[News | None] = queue.SimpleQueue()
        self._parts: dict[str, Part] = {}

    @property
    def parts(self) -> list[Part]:
        """All parts, in the order in which they were started."""
        return list(self._parts.values())

    def __contains__(self, name: str) -> bool:
        return name in self._parts

    def add(self, name: str, kind: str, command: list[str]) -> Part:
        """Start a new part."""
        part = Part(name, kind, command, self._clock)
        # Replaced, not changed: other threads may be listing it.
        self._parts = {**self._parts, name: part}
        self.spawn(part)
        return part

    def spawn(self, part: Part) -> None:
        """Start the process of a part (again)."""
        part.restart_at = None
        part.process = start_process(part.command)
        part.enter(PartState.STARTING)
        part.reader = threading.Thread(
            target=self._read, args=(part, part.process), name=f"read {part.name}"
        )
        part.reader.start()

    def _read(self, part: Part, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self._news.put(Said(part, line.rstrip("\n")))
        self._news.put(Said(part, None))

    def status(self) -> list[PartStatus]:
        """Return how all parts stand."""
        return [each.status() for each in self.parts]

    def request_restart(self, name: str) -> bool:
        """Make it news that a part shall be started again; tell whether there is such a part."""
        part = self._parts.get(name)
        if part is not None:
            self._news.put(Wanted(part))
        return part is not None

    def wake(self) -> None:
        """Let ``await_news`` return; may be called from a signal handler."""
        self._news.put(None)

    def await_news(self, timeout_s: float | None) -> News | None:
        """Return what happens next; None: nothing until something is due, or in time.

        Args:
            timeout_s: How long to wait at most.
        """
        due = [at for part in self.parts if (at := part.due_at()) is not None]
        if due:
            until_s = max(0.0, min(due) - self._clock.monotonic())
            timeout_s = until_s if timeout_s is None else min(timeout_s, until_s)
        try:
            # The system may give a signal to another thread, and only this one can meet it.
            return self._news.get(timeout=_LOOK_S if timeout_s is None else min(timeout_s, _LOOK_S))
        except queue.Empty:
            return None

    def end(self, part: Part) -> None:
        """Tell a part to end, to be started again when it has."""
        if part.process is not None:
            part.kill_at = self._clock.monotonic() + STOP_DEADLINE_S
            part.process.send_signal(signal.SIGTERM)

    def kill_late(self, part: Part) -> None:
        """Kill a part that was told to end and does not in time."""
        now = self._clock.monotonic()
        if part.kill_at is not None and part.kill_at <= now and part.process is not None:
            log.error("%s did not end in time and is killed", part.name)
            part.process.kill()
            part.kill_at = now + STOP_DEADLINE_S

    def stop(self, parts: Iterable[Part]) -> None:
        """End parts together and for good; wait for all of them."""
        stopped = list(parts)
        running = [p.process for p in stopped if p.process is not None]
        for process in running:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = self._clock.monotonic() + STOP_DEADLINE_S
        for process in running:
            try:
                process.wait(max(0.0, deadline - self._clock.monotonic()))
            except subprocess.TimeoutExpired:
                log.error("process %d did not end in time and is killed", process.pid)
                process.kill()
                process.wait()
        for part in stopped:
            if part.reader is not None:
                part.reader.join()
