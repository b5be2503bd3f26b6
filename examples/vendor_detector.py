#!/usr/bin/env python3
"""A detector around the SDK of a vendor, complete; the SDK here is a pretend one.

The page docs/how-to/attach-a-detector.md goes through it. Record three frames on the bench:

    python examples/vendor_detector.py /tmp/bench
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import pretend_sdk as sdk  # `import vendorcam` or the like, in your case

from idl_like_interfaces.keywords import EsoKeyword, ValueKeyword
from idl_like_interfaces.recif import RecProperties
from objects.data_source import (
    Frame,
    FramePlan,
    FrameSource,
    RecorderComponent,
    SourceNotReady,
    SourceSettings,
    cards_of,
    on_bench,
)

Above0 = Annotated[float, msgspec.Meta(gt=0)]

_MEANINGS = {
    sdk.TIMEOUT: "no frame came in time",
    sdk.NO_CAMERA: "no such camera, or another program has it",
    sdk.BAD_HANDLE: "the camera is not open",
    sdk.BAD_PARAMETER: "there is no such parameter, or not with this value",
    sdk.NOT_RUNNING: "the camera does not expose",
    sdk.DISCONNECTED: "the camera is disconnected: see its cable and power",
}
_BUFFERS = 8
_PATIENCE_S = 2.0


class CameraError(RuntimeError):
    """A call of the SDK failed; says which, the code and what it means."""


def check(code: int, call: str) -> None:
    """Turn a return code into an error."""
    if code != sdk.OK:
        raise CameraError(f"{call} returned {code}: {_MEANINGS.get(code, 'not documented')}")


class DetectorSettings(SourceSettings, frozen=True, kw_only=True):
    """What stands in the installation file, besides ``output``.

    Attributes:
        serial: Serial number of the camera.
        exposure_s: Seconds of each exposure.
        gain: Electrons per count.
        warmest_k: Above this temperature no session is begun.
    """

    serial: str
    exposure_s: Above0 = 0.1
    gain: Above0 = 1.0
    warmest_k: Above0 = 180.0


class VendorCamera(FrameSource):
    """One camera; it is open while a session runs, so that others can have it in between."""

    def __init__(self, settings: DetectorSettings) -> None:
        self._settings = settings
        self._handle = 0
        self._lost = 0
        self._last = 0

    def ensure_ready(self, properties: RecProperties) -> FramePlan:
        """Open, set up, check, start; whatever is wrong refuses the start of the session."""
        try:
            return self._begin(properties)
        except CameraError as error:
            raise SourceNotReady(
                f"camera {self._settings.serial} is not ready",
                cause=str(error),
                remedy="see cable, power and the serial number, then start again",
            ) from error

    def read_frame(self) -> Frame:
        """Fetch the next frame; an error ends the session as Failed, with its text."""
        patience_ms = int(1000 * (self._settings.exposure_s + _PATIENCE_S))
        code, info = sdk.wait_for_frame(self._handle, patience_ms)
        check(code, "wait_for_frame")
        assert info is not None
        # A copy: the driver writes into the buffer again as soon as it has it back.
        pixels = sdk.buffer_of(self._handle, info.buffer).copy()
        check(sdk.release_buffer(self._handle, info.buffer), "release_buffer")
        self._lost += info.count - self._last - 1
        self._last = info.count
        began = datetime.fromtimestamp(info.time_s, UTC).replace(tzinfo=None)
        return Frame.from_pixels(
            pixels,
            [
                ValueKeyword(name="DATE-OBS", value=began.isoformat(timespec="milliseconds")),
                ValueKeyword(name="EXPTIME", value=self._settings.exposure_s, comment="[s]"),
                EsoKeyword(name="DET FRAM NO", value=info.count),
                EsoKeyword(name="DET FRAM LOST", value=self._lost, comment="so far"),
            ],
        )

    def ensure_stopped(self) -> None:
        """Let everything go, however far the start had come; this must not raise."""
        if self._handle:
            sdk.close_camera(self._handle)  # stops it, too
            self._handle = 0

    def _begin(self, properties: RecProperties) -> FramePlan:
        settings = self._settings
        code, self._handle = sdk.open_camera(settings.serial)
        check(code, "open_camera")
        check(sdk.set_parameter(self._handle, "exposure_s", settings.exposure_s), "exposure_s")
        check(sdk.set_parameter(self._handle, "gain", settings.gain), "gain")
        code, temperature_k = sdk.get_parameter(self._handle, "temperature_k")
        check(code, "temperature_k")
        if temperature_k > settings.warmest_k:
            raise SourceNotReady(
                f"camera {settings.serial} is at {temperature_k:g} K",
                cause=f"it may be at {settings.warmest_k:g} K at most",
                remedy="wait until it is cold, or raise the setting warmest_k",
            )
        self._lost = self._last = 0
        check(sdk.start(self._handle, _BUFFERS), "start")
        keywords = [
            ValueKeyword(name="EXPTIME", value=settings.exposure_s, comment="[s]"),
            EsoKeyword(name="DET NAME", value=settings.serial, comment="serial number"),
            EsoKeyword(name="DET TEMP", value=temperature_k, comment="[K] at the start"),
            EsoKeyword(name="DET GAIN", value=settings.gain, comment="[e-/count]"),
        ]
        return FramePlan(
            frames=properties.frames,
            period_s=settings.exposure_s,
            primary=[card for keyword in keywords for card in cards_of(keyword)],
            frame_bytes=2 * sdk.ROWS * sdk.COLUMNS,
        )


class VendorDetectorComponent(RecorderComponent):
    """Lets an installation start the camera (entry point of the group obsorb.components)."""

    kind = "vendor-detector"
    Settings = DetectorSettings

    def make_source(self) -> FrameSource:
        """Return the camera as the settings want it."""
        return VendorCamera(self.settings)


def main(folder: Path) -> None:
    """Record three frames and say where they are."""
    settings = DetectorSettings(serial="PRETEND-1", exposure_s=0.05)
    with on_bench(VendorDetectorComponent, settings, folder, name="camera") as detector:
        detector.recorder.rec_start(RecProperties(frames=3, info="first light"))
        status = detector.recorder.rec_wait(timeout_s=30.0).status
    print(f"{status.status}: {status.frames_processed} frames in {status.dp_files[0]}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()))
