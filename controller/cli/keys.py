"""The Enter key of who sits before a command that runs in the foreground."""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress
from threading import Event


class EnterKey:
    """Waits for a line of stdin without a thread; the end of stdin is nobody's Enter."""

    def __init__(self) -> None:
        self._is_over = False
        self._never = Event()

    def await_press(self, timeout_s: float) -> bool:
        """Wait so long at most; tell whether Enter was pressed."""
        if self._is_over or not self._may_read():
            self._never.wait(timeout_s)
            return False
        try:
            ready, _, _ = select.select([sys.stdin], [], [], timeout_s)
        except (OSError, ValueError):  # it was closed, or is nothing to wait for
            self._is_over = True
            return False
        if not ready:
            return False
        read = os.read(sys.stdin.fileno(), 4096)
        self._is_over = not read
        return b"\n" in read

    def _may_read(self) -> bool:
        """A process in the background that reads its terminal is stopped by the kernel."""
        with suppress(OSError, ValueError):
            number = sys.stdin.fileno()
            return not os.isatty(number) or os.tcgetpgrp(number) == os.getpgrp()
        return False
