"""What a demonstration shows while it runs: plain lines, and on a terminal a bar below them."""

from __future__ import annotations

import sys
import time
from typing import Any

from typing_extensions import override

from idl_like_interfaces.closing import Closing
from idl_like_interfaces.daqif import DaqStatus


class PlainShow(Closing):
    """Prints lines as they are; for files and pipes. A context manager."""

    def __init__(self) -> None:
        self._started = 0.0

    def line(self, text: str) -> None:
        """Show a line."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def begin(self) -> None:
        """Count the time of the acquisition from now on."""
        self._started = time.monotonic()

    def status(self, status: DaqStatus, progress: float) -> None:
        """Show where the acquisition stands; ``progress`` runs from 0 to 1."""
        elapsed_s = time.monotonic() - self._started
        mark = "  ERROR" if status.error else ""
        self.line(f"{elapsed_s:6.2f} s {progress:4.0%}  {status.state}/{status.substate}{mark}")

    @override
    def close(self) -> None:
        """Show only lines from now on; harmless when repeated."""


class TerminalShow(PlainShow):
    """As ``PlainShow``, with a progress bar below the lines."""

    def __init__(self) -> None:
        super().__init__()
        self._progress: Any = None
        self._task: Any = None

    @override
    def line(self, text: str) -> None:
        if self._progress is None:
            super().line(text)
        else:
            self._progress.console.print(text, highlight=False, markup=False, soft_wrap=True)

    @override
    def begin(self) -> None:
        super().begin()
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(),
            TimeElapsedColumn(),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task("starting", total=1.0)
        self._progress.start()

    @override
    def status(self, status: DaqStatus, progress: float) -> None:
        super().status(status, progress)
        if self._progress is not None:
            what = f"{status.state}/{status.substate}"
            self._progress.update(self._task, completed=progress, description=what)

    @override
    def close(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def make_show() -> PlainShow:
    """Return what fits the standard output."""
    return TerminalShow() if sys.stdout.isatty() else PlainShow()
