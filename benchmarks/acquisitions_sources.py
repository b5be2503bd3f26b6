"""The process of the benchmark of acquisitions that has many detectors at once."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from msgspec.structs import replace
from typing_extensions import override

from idl_like_interfaces.recif import RecCmds, RecProperties
from nameserver.client import parse_addresses
from objects.component.host import ComponentHost
from objects.component.site import ActiveObject, Component, Site
from objects.data_source.frame import Frame, FramePlan, FrameSource
from objects.data_source.output import OutputFolder
from objects.data_source.recorder import Recorder

_TOGETHER = 50
"""So many share a component: the names of one are bound under one lease, within its term."""


class DetectorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the detectors.

    Attributes:
        count: How many.
        name: Begin of their names; their numbers follow.
        first: The lowest of these.
        side: Rows and columns of a frame, two bytes for each pixel.
        period_s: From frame to frame.
        frames: Of a session; 0: until it is stopped.
        prepare_s: How long the one with the highest number needs to be ready; the others,
            as far as their numbers say, less (of up to 50).
    """

    count: int
    name: str = ""
    first: int = 0
    side: int = 64
    period_s: float = 0.0
    frames: int = 1
    prepare_s: float = 0.0


class Camera(FrameSource):
    """Gives the same frame again and again, as fast as it is wanted."""

    def __init__(self, settings: DetectorSettings, prepare_s: float) -> None:
        import numpy as np

        self._settings = settings
        self._prepare_s = prepare_s
        side = settings.side
        pixels = np.random.default_rng(1).integers(-1000, 30_000, (side, side), np.int16)
        self._frame = Frame.from_pixels(pixels)
        self.gave_at = 0.0

    @override
    def ensure_ready(self, properties: RecProperties) -> FramePlan:
        # What a real one does in this time, cool down or open a shutter, costs no processor.
        threading.Event().wait(self._prepare_s)
        return FramePlan(frames=self._settings.frames, period_s=self._settings.period_s)

    @override
    def read_frame(self) -> Frame:
        self.gave_at = time.time()
        return self._frame


class Detectors(Component):
    """Recorders as an installation has them, but many in one process."""

    kind: ClassVar[str] = "benchmark"
    Settings: ClassVar[type[msgspec.Struct]] = DetectorSettings

    def __init__(self, site: Site, settings: Any) -> None:
        super().__init__(site, settings)
        step_s = settings.prepare_s / (settings.first + settings.count)
        self._names = [
            f"{settings.name}{settings.first + index}" for index in range(settings.count)
        ]
        self.cameras = [
            Camera(settings, step_s * (settings.first + index + 1))
            for index in range(settings.count)
        ]
        self._recorders = [
            Recorder(site, camera, OutputFolder(site.data_root / "sources" / name))
            for name, camera in zip(self._names, self.cameras, strict=True)
        ]

    @override
    def objects(self) -> list[ActiveObject]:
        return [
            ActiveObject(path=f"sources/{name}/rec", interface=RecCmds, servant=recorder)
            for name, recorder in zip(self._names, self._recorders, strict=True)
        ]

    @override
    def stop(self) -> None:
        for recorder in self._recorders:
            recorder.close()


class Sources(ExitStack):
    """Detectors ``NAME0``, ``NAME1`` … of an installation that runs."""

    hello = ""

    def __init__(self, names: str, data_root: str, name: str, settings: str) -> None:
        super().__init__()
        wanted = replace(msgspec.json.decode(settings, type=DetectorSettings), name=name)
        self._parts = [
            self._host(names, Path(data_root), replace(wanted, first=first, count=count))
            for first in range(0, wanted.count, _TOGETHER)
            for count in [min(_TOGETHER, wanted.count - first)]
        ]

    def _host(self, names: str, data_root: Path, settings: DetectorSettings) -> Detectors:
        host = ComponentHost(
            Detectors,
            settings,
            name=f"{settings.name}-{settings.first}",
            names=parse_addresses(names),
            data_root=data_root,
        )
        component = self.enter_context(host).component
        assert isinstance(component, Detectors)
        return component

    def last_frame(self) -> float:
        """Return when the last frame was given, seconds of the system's clock."""
        return max(camera.gave_at for part in self._parts for camera in part.cameras)
