"""Runs a program and follows what it says; it can be ended at any time."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from objects.component import launch
from objects.products.cancel import Cancel
from objects.products.merger import Ending, signal_group

OnLine = Callable[[str], None]

_ERRORS_KEPT = 16 << 10
_LINE_ENDS = re.compile(rb"[\r\n]+")
_LONGEST_LINE = 64 << 10
_FOREIGN = ("RSYNC_", "SSH_ASKPASS", "DISPLAY")
"""Variables that would change what is done, or let somebody be asked for a password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """End of a program.

    Attributes:
        code: Exit code; negative: the signal that ended it.
        errors: The end of what it wrote to stderr.
    """

    code: int
    errors: str


def follow(command: list[str], on_line: OnLine, cancel: Cancel, grace_s: float) -> Ended:
    """Run a program to its end; it dies with this process.

    Args:
        command: Absolute path of the program, and its arguments.
        on_line: Told each line of its output; what it raises ends the program.
        cancel: Ends it: SIGTERM, after ``grace_s`` SIGKILL, for its process group.
        grace_s: Time to clean up after SIGTERM.

    Raises:
        OSError: It could not be started.
    """
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", launch.__file__, str(os.getpid()), *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(),
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        with (
            process.stdout,
            process.stderr,
            Ending(process.pid, grace_s) as ending,
            cancel.waking(ending.begin),
        ):
            errors = _read(process.stdout, process.stderr, on_line)
            # Not reaped yet: until the block is left no signal can meet another process.
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    finally:
        signal_group(process.pid, signal.SIGKILL)  # what it may have left running
        process.wait()
    return Ended(code=process.returncode, errors=errors.decode(errors="replace").strip())


def _environment() -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith(_FOREIGN)}
    # What is said is read, by patterns in English.
    return kept | {"LC_ALL": "C"}


def _read(output: IO[bytes], errors: IO[bytes], on_line: OnLine) -> bytes:
    said = complained = b""
    with selectors.DefaultSelector() as selector:
        for stream in (output, errors):
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            for key, _events in selector.select():
                chunk = os.read(key.fd, 1 << 16)
                if not chunk:
                    selector.unregister(key.fileobj)
                elif key.fileobj is errors:
                    complained = (complained + chunk)[-_ERRORS_KEPT:]
                else:
                    said = _tell((said + chunk)[-_LONGEST_LINE:], on_line)
    _tell(said + b"\n", on_line)
    return complained


def _tell(said: bytes, on_line: OnLine) -> bytes:
    """Tell the whole lines, and return the begin of the next one."""
    *lines, rest = _LINE_ENDS.split(said)
    for line in lines:
        if line:
            on_line(line.decode(errors="replace"))
    return rest
