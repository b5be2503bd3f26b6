"""Frames and sources that the tests of this package use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import astropy.io.fits.tests
import numpy as np
from typing_extensions import override

from idl_like_interfaces.recif import RecProperties
from objects.data_source.frame import Frame, FramePlan, FrameSource

HUBBLE = Path(astropy.io.fits.tests.__file__).parent / "data" / "o4sp040b0_raw.fits"
"""Real raw frames of the STIS spectrograph: three extensions of each of two exposures."""

PIXELS = np.arange(12, dtype=np.uint16).reshape(3, 4)


class NumberedFrames(FrameSource):
    """Gives frames whose pixels are their number; what happens before each can be set.

    Args:
        frames: A session has so many; 0: no limit.
        before: Called with the number of each frame before it is given.
        last: There are no more after so many.
    """

    def __init__(
        self,
        frames: int = 0,
        before: Callable[[int], None] = lambda _: None,
        last: int = 10**9,
        period_s: float = 0.0,
    ) -> None:
        self.stopped = 0
        self._frames = frames
        self._before = before
        self._last = last
        self._period_s = period_s
        self._number = 0

    @override
    def ensure_ready(self, properties: RecProperties) -> FramePlan:
        self._number = 0
        return FramePlan(frames=properties.frames or self._frames, period_s=self._period_s)

    @override
    def read_frame(self) -> Frame | None:
        if self._number >= self._last:
            return None
        self._number += 1
        self._before(self._number)
        return Frame.from_pixels(PIXELS + self._number)

    @override
    def ensure_stopped(self) -> None:
        self.stopped += 1


class Gate:
    """Lets the frames up to a number pass; the next one waits until it is opened."""

    def __init__(self, free: int) -> None:
        self._free = free
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __call__(self, number: int) -> None:
        if number > self._free:
            self.reached.set()
            assert self.opened.wait(30)
