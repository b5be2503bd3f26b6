#!/usr/bin/env python3
"""An own detector: what an instrument must bring, tried on the bench.

The camera takes a picture of how busy the processor cores are. Run it with a folder:

    python examples/own_source.py /tmp/bench
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import psutil

from idl_like_interfaces.keywords import EsoKeyword
from idl_like_interfaces.recif import RecProperties
from objects.data_source import (
    Frame,
    FramePlan,
    FrameSource,
    RecorderComponent,
    SourceNotReady,
    SourceSettings,
    on_bench,
)


class CoreCamera(FrameSource):
    """Each frame has one row for each time (user, system, idle) and one column for each core."""

    def __init__(self, period_s: float) -> None:
        self.period_s = period_s

    def ensure_ready(self, properties: RecProperties) -> FramePlan:
        """Refuse the start when there is nothing to see, else say what will come."""
        if not psutil.cpu_times(percpu=True):
            raise SourceNotReady("no processor core can be seen", remedy="mount /proc")
        return FramePlan(frames=properties.frames, period_s=self.period_s)

    def read_frame(self) -> Frame:
        """Take a picture."""
        times = psutil.cpu_times(percpu=True)
        pixels = np.array([[core.user, core.system, core.idle] for core in times], np.float32).T
        return Frame.from_pixels(pixels, [EsoKeyword(name="DET CHIP NX", value=len(times))])


class CoreCameraSettings(SourceSettings, frozen=True, kw_only=True):
    """Settings: besides ``output`` the seconds between frames."""

    period_s: float = 0.05


class CoreCameraComponent(RecorderComponent):
    """Lets an installation start the camera (entry point of the group obsorb.components)."""

    kind = "core-camera"
    Settings = CoreCameraSettings

    def make_source(self) -> FrameSource:
        """Return the camera as the settings want it."""
        return CoreCamera(self.settings.period_s)


def main(folder: Path) -> None:
    """Record three frames and say where they are."""
    with on_bench(CoreCameraComponent, CoreCameraSettings(), folder, name="cores") as camera:
        camera.recorder.rec_start(RecProperties(frames=3, info="first light"))
        status = camera.recorder.rec_wait(timeout_s=30.0).status
    print(f"{status.status}: {status.frames_processed} frames in {status.dp_files[0]}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()))
