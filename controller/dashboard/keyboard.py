"""Single keys from the terminal."""

from __future__ import annotations

import os
import select
import sys
import termios
import threading
import tty
from typing import Any, Self

from typing_extensions import override

from idl_like_interfaces.closing import Closing


class Keyboard(Closing):
    """Reads keys as they are pressed; a context manager that restores the terminal.

    Ctrl-C stays a signal. Without a terminal no key ever comes.
    """

    def __init__(self) -> None:
        self._file = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else -1
        self._before: list[Any] = []

    @override
    def __enter__(self) -> Self:
        if self._file >= 0:
            self._before = termios.tcgetattr(self._file)
            tty.setcbreak(self._file)
        return self

    @override
    def close(self) -> None:
        if self._file >= 0:
            termios.tcsetattr(self._file, termios.TCSADRAIN, self._before)

    def wait(self, timeout_s: float) -> str:
        """Return the next key, or nothing after the timeout."""
        if self._file < 0:
            threading.Event().wait(timeout_s)
            return ""
        ready, _, _ = select.select([self._file], [], [], timeout_s)
        if not ready:
            return ""
        read = os.read(self._file, 64)
        # An end of file means that the terminal is gone.
        return read[:1].decode(errors="replace") if read else "q"
