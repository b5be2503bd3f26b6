"""Synthetic frames: a star field with noise, the same for the same seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from idl_like_interfaces.keywords import EsoKeyword, ValueKeyword
from idl_like_interfaces.recif import RecProperties
from objects.component.clock import Clock
from objects.data_source.frame import Frame, FramePlan, FrameSource

if TYPE_CHECKING:
    import numpy as np

    Image = np.ndarray[Any, Any]

_SKY = 400.0
_BRIGHTEST = 40000.0
_SEEING_PX = 1.6
_READ_NOISE = 5.0


class SyntheticFrames(FrameSource):
    """Makes images of an invented field of stars; frame *n* of a seed is always the same.

    Args:
        clock: For the time of each frame.
        shape: Rows and columns.
        seed: Positions, fluxes and noise follow from it.
        stars: How many.
        period_s: From frame to frame.
        frames: Frames of a session that does not say how many; 0: until stopped.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        shape: tuple[int, int] = (256, 256),
        seed: int = 1,
        stars: int = 40,
        period_s: float = 0.0,
        frames: int = 0,
    ) -> None:
        self._clock = clock
        self._shape = shape
        self._seed = seed
        self._stars = stars
        self._period_s = period_s
        self._frames = frames
        self._field: Image | None = None
        self._number = 0

    @override
    def ensure_ready(self, properties: RecProperties) -> FramePlan:
        self._field = star_field(self._shape, self._seed, self._stars)
        self._number = 0
        return FramePlan(
            frames=properties.frames or self._frames,
            period_s=self._period_s,
            frame_bytes=2 * self._shape[0] * self._shape[1],
        )

    @override
    def read_frame(self) -> Frame | None:
        if self._field is None:
            return None
        self._number += 1
        taken = self._clock.utc().replace(tzinfo=None).isoformat(timespec="milliseconds")
        keywords = (
            ValueKeyword(name="BUNIT", value="adu", comment="unit of the pixels"),
            ValueKeyword(name="DATE-OBS", value=taken, comment="UTC of the frame"),
            ValueKeyword(name="EXPTIME", value=self._period_s, comment="[s] exposure"),
            EsoKeyword(name="DET FRAM NO", value=self._number, comment="number in the session"),
            EsoKeyword(name="DET SIM SEED", value=self._seed, comment="synthetic: the seed"),
        )
        pixels = exposed(self._field, self._seed, self._number)
        return Frame.from_pixels(pixels, keywords)

    @override
    def ensure_stopped(self) -> None:
        self._field = None


def star_field(shape: tuple[int, int], seed: int, stars: int) -> Image:
    """Return the expected counts of a field: float64, (rows, columns)."""
    import numpy as np

    random = np.random.default_rng(seed)
    rows, columns = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
    image = np.full(shape, _SKY)
    for _ in range(stars):
        row, column = random.uniform(0, shape[0]), random.uniform(0, shape[1])
        peak = _BRIGHTEST * random.power(0.3)
        distance = (rows - row) ** 2 + (columns - column) ** 2
        image += peak * np.exp(-distance / (2 * _SEEING_PX**2))
    return image


def exposed(field: Image, seed: int, number: int) -> Image:
    """Return what a detector counts: photon and read noise, uint16, saturated at its end."""
    import numpy as np

    random = np.random.default_rng((seed, number))
    counts = random.poisson(field) + random.normal(0.0, _READ_NOISE, field.shape)
    image: Image = np.clip(np.rint(counts), 0, 2**16 - 1).astype(np.uint16)
    return image
