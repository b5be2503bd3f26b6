"""Signals that ask for an end, noticed at points where an end is safe."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Self

from typing_extensions import override

from idl_like_interfaces.closing import Closing

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(Exception):
    """Somebody asked for an end.

    Attributes:
        signal: How.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.signal = number


class Interruption(Closing):
    """Notes SIGINT, SIGTERM and SIGHUP while it is entered; raises nothing by itself.

    An exception out of a signal handler could strike between the start of a process
    and the place that will end it; a note cannot.
    """

    def __init__(self) -> None:
        self._noted = threading.Event()
        self._number = 0
        self._before: dict[int, Any] = {}

    @override
    def __enter__(self) -> Self:
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._note)
        return self

    @override
    def close(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """Raise ``Interrupted`` when an end was asked for."""
        if self._noted.is_set():
            raise Interrupted(self._number)

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than until an end is asked for.

        Raises:
            Interrupted: It was.
        """
        self._noted.wait(seconds)
        self.check()

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._number = self._number or number
        self._noted.set()
