"""Runs the stand-alone merger as a supervised process."""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

import msgspec

from idl_like_interfaces.merging import MergeMessage
from objects.component import launch
from objects.products.cancel import Cancel
from objects.products.merger_log import note_message, note_output

log = logging.getLogger("daq.dpm.controller")

LONGEST_LINE = 1 << 20
"""Bytes of what a merger says on one line; a longer one is cut."""

Heard = Callable[[str], None]
"""Told each line of a merger in words, progress included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRun:
    """What a run of the merger told.

    Attributes:
        code: Exit code; negative: the signal that ended it.
        messages: Its messages, progress left out.
    """

    code: int
    messages: list[MergeMessage] = field(default_factory=list)


def merge_command(bin_merge: str) -> list[str]:
    """Return the command of the merger; empty: the one installed beside this Python."""
    return shlex.split(bin_merge) or [str(Path(sys.executable).with_name("obsorb")), "merge"]


def find_program(name: str) -> str | None:
    """Return the absolute path of a program, ``None`` when there is none."""
    found = shutil.which(name)
    return os.path.abspath(found) if found else None  # noqa: PTH100 (links are kept: venvs)


class Minutes:
    """Takes down what a merger says: in its log file, in the log of the DPM, and in memory.

    Args:
        journal: The log file.
        heard: Told each line.

    Attributes:
        messages: What it told, progress left out.
    """

    def __init__(self, journal: IO[bytes], heard: Heard) -> None:
        self.messages: list[MergeMessage] = []
        self._journal = journal
        self._heard = heard

    def take(self, line: bytes) -> None:
        """Take a line, which is a message or anything else."""
        try:
            message = msgspec.json.decode(line, type=MergeMessage)
        except msgspec.DecodeError:
            self._journal.write(line)
            note_output(line)
            self._heard(line.decode("utf-8", "replace").strip())
            return
        self._journal.write(f"{message.type.value}: {message.content.message}\n".encode())
        note_message(message)
        self._heard(message.content.message)
        if message.type != "progress":
            self.messages.append(message)


def unheard(_words: str) -> None:
    """Listen to nothing."""


def run_merger(
    command: list[str],
    folder: Path,
    log_path: Path,
    cancel: Cancel,
    grace_s: float,
    heard: Heard = unheard,
) -> MergeRun:
    """Run a merger to its end.

    Args:
        command: Program and arguments.
        folder: Its current directory.
        log_path: Gets what it says, at the end of what is there.
        cancel: Ends it: SIGTERM, after ``grace_s`` SIGKILL, for its process group.
        grace_s: Time to clean up after SIGTERM.
        heard: Told each line, from this thread.

    Raises:
        OSError: It could not be started, or the log not written.
    """
    with log_path.open("ab", buffering=0) as journal:
        journal.write(f"$ {shlex.join(command)}\n".encode())
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", launch.__file__, str(os.getpid()), *command],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=journal,
            start_new_session=True,
        )
        log.info("merger %d started in %s", process.pid, folder)
        run = _supervise(process, Minutes(journal, heard), cancel, grace_s)
        journal.write(f"ended with {run.code}\n".encode())
    log.info("merger %d ended with %d", process.pid, run.code)
    return run


def _supervise(
    process: subprocess.Popen[bytes], minutes: Minutes, cancel: Cancel, grace_s: float
) -> MergeRun:
    assert process.stdout is not None
    try:
        with process.stdout, Ending(process.pid, grace_s) as ending, cancel.waking(ending.begin):
            while line := process.stdout.readline(LONGEST_LINE):
                minutes.take(line)
            # Not reaped yet: until the block is left no signal can meet another process.
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    finally:
        signal_group(process.pid, signal.SIGKILL)  # what it may have left running
        process.wait()
    return MergeRun(code=process.returncode, messages=minutes.messages)


class Ending:
    """SIGTERM now, SIGKILL later, both for the process group.

    Attributes:
        has_begun: SIGTERM was sent.
    """

    def __init__(self, group: int, grace_s: float) -> None:
        self._group = group
        self._timer = threading.Timer(grace_s, signal_group, (group, signal.SIGKILL))
        self._timer.name = f"merger-{group}-grace"
        self.has_begun = False

    def begin(self) -> None:
        """Send SIGTERM."""
        self.has_begun = True
        signal_group(self._group, signal.SIGTERM)
        self._timer.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_unused: object) -> None:
        if self.has_begun:
            self._timer.cancel()
            self._timer.join()


def signal_group(group: int, number: int) -> None:
    """Send a signal to a process group, if it is there."""
    with suppress(ProcessLookupError):
        os.killpg(group, number)
