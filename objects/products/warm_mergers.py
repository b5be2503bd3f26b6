"""Merger processes that are started before they are needed, each with one product at a time.

What a start costs (an interpreter, numpy, the declarations) is paid while nobody waits.
A merger that was ended early, has crashed or has made its share of products is replaced
by a new one; nothing that one product did can reach more than that product.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import msgspec
from typing_extensions import override

from idl_like_interfaces.closing import Closing
from idl_like_interfaces.merging import MergeExit
from objects.component import launch
from objects.products.cancel import Cancel
from objects.products.merge.orders import PROGRAM, MergeEnded, MergeJob
from objects.products.merger import (
    LONGEST_LINE,
    Ending,
    Heard,
    MergeRun,
    Minutes,
    signal_group,
    unheard,
)

log = logging.getLogger("daq.dpm.controller")

SHARE = 200
"""Products that one process makes: what it may have leaked stays bounded."""


class WarmMergers(Closing):
    """A few mergers that wait for work.

    Args:
        kept: So many wait, or work; when all work, one more is started, and ended after that.
        grace_s: From SIGTERM to SIGKILL for one whose work is given up.
        share: Products that each makes.
    """

    def __init__(self, kept: int, grace_s: float, share: int = SHARE) -> None:
        self._kept = kept
        self._grace_s = grace_s
        self._share = share
        self._lock = threading.Lock()
        self._idle: list[_Warm] = []
        self._busy = 0
        self._closed = False

    def start(self) -> None:
        """Start those that wait; harmless when repeated."""
        with self._lock:
            self._fill()

    @override
    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for merger in idle:
            merger.dismiss()

    @property
    def pids(self) -> list[int]:
        """Process ids of those that wait."""
        with self._lock:
            return [merger.pid for merger in self._idle]

    def run(self, job: MergeJob, cancel: Cancel, heard: Heard = unheard) -> MergeRun:
        """Let a product be made; like ``run_merger``.

        Raises:
            OSError: A merger could not be started, or the log not written.
        """
        merger = self._taken()
        is_good = False
        try:
            with Path(job.log).open("ab", buffering=0) as journal:
                journal.write(f"merger {merger.pid} makes {job.outfile}\n".encode())
                run = merger.make(job, Minutes(journal, heard), cancel, self._grace_s)
                journal.write(f"ended with {run.code}\n".encode())
            # A bug may have left anything behind in the process.
            is_good = merger.is_alive and run.code != MergeExit.INTERNAL
        finally:
            self._give_back(merger, is_good=is_good)
        return run

    def _taken(self) -> _Warm:
        with self._lock:
            self._busy += 1
            while self._idle:
                merger = self._idle.pop(0)
                if merger.is_alive:
                    return merger
                log.warning("merger %d ended while it had nothing to do", merger.pid)
                merger.dismiss()
            try:
                return _Warm()
            except OSError:
                self._busy -= 1
                raise

    def _give_back(self, merger: _Warm, *, is_good: bool) -> None:
        with self._lock:
            self._busy -= 1
            has_room = len(self._idle) + self._busy < self._kept
            if is_good and has_room and merger.products < self._share and not self._closed:
                self._idle.append(merger)
                return
            self._fill()
        merger.dismiss()

    def _fill(self) -> None:
        while not self._closed and len(self._idle) + self._busy < self._kept:
            try:
                self._idle.append(_Warm())
            except OSError as error:
                # It is tried again when one is needed, and told then.
                log.warning("no merger can be started to wait: %s", error)
                return


class _Warm:
    """One process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", launch.__file__, str(os.getpid())),
                *(sys.executable, "-P", str(PROGRAM)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self.products = 0
        log.info("merger %d started, to wait", self.pid)

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def make(self, job: MergeJob, minutes: Minutes, cancel: Cancel, grace_s: float) -> MergeRun:
        self.products += 1
        with Ending(self.pid, grace_s) as ending, cancel.waking(ending.begin):
            self._tell(job)
            code = self._listen(minutes)
            if code is None:
                # Not reaped yet: until the block is left no signal can meet another process.
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        if code is not None and not ending.has_begun:
            return MergeRun(code=code, messages=minutes.messages)
        self.dismiss()
        ended = self._process.returncode or MergeExit.INTERNAL
        return MergeRun(code=ended, messages=minutes.messages)

    def dismiss(self) -> None:
        """End it, at once: it has nothing to lose."""
        if self._process.returncode is None:  # else the number may be another process's by now
            signal_group(self.pid, signal.SIGKILL)
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()

    def _tell(self, job: MergeJob) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # its end is heard
            self._process.stdin.write(msgspec.json.encode(job) + b"\n")
            self._process.stdin.flush()

    def _listen(self, minutes: Minutes) -> int | None:
        """Return the exit code; ``None`` when it ended before it told one."""
        assert self._process.stdout is not None
        while line := self._process.stdout.readline(LONGEST_LINE):
            with suppress(msgspec.DecodeError):
                return msgspec.json.decode(line, type=MergeEnded).code
            minutes.take(line)
        return None
