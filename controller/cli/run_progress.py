"""What the writers do while a command waits for them, line by line on stderr."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from controller.cli.output import print_note
from controller.cli.run_text import writer_line
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.run_control import Run

if TYPE_CHECKING:
    from idl_like_interfaces.run_control import RunControl

LOOK_S = 0.25


class Progress:
    """Prints each change of a writer once."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}
        self._number = 0

    def show(self, run: Run) -> None:
        """Print what has changed."""
        if run.run != self._number:
            print_note(f"run {run.run}")
            self._number, self._said = run.run, {}
        for each in run.writers:
            key = f"{each.phase} {each.problem}"
            if self._said.get(each.name) != key:
                self._said[each.name] = key
                print_note(f"  {writer_line(each)}")


@contextmanager
def shown(service: RunControl, run: int) -> Iterator[Progress]:
    """Show the progress of a run while something waits for it.

    Args:
        service: Run control; asked again and again.
        run: Its number; 0: the newest that begins from now on.
    """
    progress, done = Progress(), threading.Event()
    known = 0 if run else service.get_status().last_run

    def look() -> None:
        while not done.wait(LOOK_S):
            try:
                found = _find(service, run, known)
            except RemoteError:
                continue  # the command itself says what is wrong
            if found is not None:
                progress.show(found)

    thread = threading.Thread(target=look, name="run progress")
    thread.start()
    try:
        yield progress
    finally:
        done.set()
        thread.join()


def _find(service: RunControl, run: int, known: int) -> Run | None:
    if run:
        return service.get_run(run)
    active = [each for each in service.get_status().active if each.run > known]
    return active[-1] if active else None
