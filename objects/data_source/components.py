"""The components of this package, and the bases of own ones.

An own detector is a ``RecorderComponent`` whose ``make_source`` returns its frame source,
an own telemetry a ``MetadataComponent``; both get their settings from the installation
file and are found by an entry point of the group ``obsorb.components``.
"""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec
from typing_extensions import override

from idl_like_interfaces.declare import Seconds
from idl_like_interfaces.metadaqif import MetaDaq
from idl_like_interfaces.recif import RecCmds
from objects.component.site import ActiveObject, Component, Site
from objects.data_source.folder_frames import FolderFrames
from objects.data_source.frame import FrameSource
from objects.data_source.host_telemetry import HostTelemetry
from objects.data_source.metadata import MetadataSource
from objects.data_source.metadata_daq import MetadataDaq
from objects.data_source.output import OutputFolder
from objects.data_source.recorder import Recorder
from objects.data_source.synthetic_frames import SyntheticFrames

Count = Annotated[int, msgspec.Meta(ge=0)]
Length = Annotated[int, msgspec.Meta(ge=1, le=32768)]

WARM_UP_AFTER_S = 3.0
"""When astropy is loaded: not while the whole installation starts and wants the processor."""


class SourceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings that every source has; an own one adds its own.

    Attributes:
        output: Folder of the files, absolute or below the data root; empty:
            ``sources/<name>``.
    """

    output: str = ""


class SourceComponent(Component):
    """What both kinds of sources have in common: a folder of their own."""

    Settings: ClassVar[type[msgspec.Struct]] = SourceSettings

    def __init__(self, site: Site, settings: Any) -> None:
        super().__init__(site, settings)
        self.folder = OutputFolder(self.place(settings.output or f"sources/{site.name}"))

    @override
    def recover(self) -> None:
        self.folder.recover()

    @override
    def start(self) -> None:
        self._end_warming = self.site.every(WARM_UP_AFTER_S, self._warm_up)

    def _warm_up(self) -> None:
        import astropy.io.fits  # noqa: F401 (now, not within the first command)

        self._end_warming()

    def place(self, text: str) -> Path:
        """Return a path of the settings: absolute, or below the data root."""
        return self.site.data_root / Path(text).expanduser()


class RecorderComponent(SourceComponent):
    """A primary source: offers ``sources/<name>/rec``."""

    def __init__(self, site: Site, settings: Any) -> None:
        super().__init__(site, settings)
        self.recorder = Recorder(site, self.make_source(), self.folder)

    @abstractmethod
    def make_source(self) -> FrameSource:
        """Return what gives the frames, made from ``self.settings``."""

    @override
    def objects(self) -> list[ActiveObject]:
        path = f"sources/{self.site.name}/rec"
        return [ActiveObject(path=path, interface=RecCmds, servant=self.recorder)]

    @override
    def stop(self) -> None:
        self.recorder.close()

    @override
    def detail(self) -> str:
        return self.recorder.detail()


class MetadataComponent(SourceComponent):
    """A metadata source: offers ``sources/<name>/daq``."""

    def __init__(self, site: Site, settings: Any) -> None:
        super().__init__(site, settings)
        self.daq = MetadataDaq(site, self.make_source(), self.folder)

    @abstractmethod
    def make_source(self) -> MetadataSource:
        """Return what is sampled, made from ``self.settings``."""

    @override
    def objects(self) -> list[ActiveObject]:
        path = f"sources/{self.site.name}/daq"
        return [ActiveObject(path=path, interface=MetaDaq, servant=self.daq)]

    @override
    def stop(self) -> None:
        self.daq.close()

    @override
    def detail(self) -> str:
        return self.daq.detail()


class DetectorSettings(SourceSettings, frozen=True, kw_only=True):
    """Settings of a detector.

    Attributes:
        frames: A folder of FITS files or one such file; None: synthetic frames.
        frame_count: Frames of a session that does not say how many; 0: each frame of
            the folder once; synthetic, or with ``cycle``: until stopped.
        exposure_s: Seconds from frame to frame.
        cycle: Begin again after the last frame of the folder.
        shape: Synthetic: rows and columns.
        seed: Synthetic: stars and noise follow from it.
        stars: Synthetic: how many.
    """

    frames: Path | None = None
    frame_count: Count = 0
    exposure_s: Seconds = 0.2
    cycle: bool = False
    shape: tuple[Length, Length] = (256, 256)
    seed: Count = 1
    stars: Count = 40


class DetectorComponent(RecorderComponent):
    """A detector that replays real frames or makes synthetic ones."""

    kind = "detector"
    Settings: ClassVar[type[msgspec.Struct]] = DetectorSettings

    @override
    def make_source(self) -> FrameSource:
        settings: DetectorSettings = self.settings
        if settings.frames is None:
            return SyntheticFrames(
                self.site.clock,
                shape=settings.shape,
                seed=settings.seed,
                stars=settings.stars,
                period_s=settings.exposure_s,
                frames=settings.frame_count,
            )
        return FolderFrames(
            settings.frames,
            period_s=settings.exposure_s,
            frames=settings.frame_count,
            cycle=settings.cycle,
        )


class TelemetrySettings(SourceSettings, frozen=True, kw_only=True):
    """Settings of the host's telemetry.

    Attributes:
        period_s: Seconds between samples.
    """

    period_s: Annotated[float, msgspec.Meta(ge=0.01, le=86400)] = 0.5


class TelemetryComponent(MetadataComponent):
    """Telemetry of the host."""

    kind = "telemetry"
    Settings: ClassVar[type[msgspec.Struct]] = TelemetrySettings

    @override
    def make_source(self) -> MetadataSource:
        settings: TelemetrySettings = self.settings
        return HostTelemetry(self.site.data_root, self.site.clock, settings.period_s)
