"""A frame, and what supplies frames: the part of a detector that an instrument brings.

A recording is composed of small objects: the *frame source* (how frames come into
being), the *session* (when it ends), the *file* (how they are kept). An own detector
is a subclass of ``FrameSource`` with one method.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from idl_like_interfaces.keywords import FitsKeyword
from idl_like_interfaces.recif import RecProperties
from objects.data_source.cards import Cards, cards_of, value_cards

if TYPE_CHECKING:
    import numpy as np

_BITPIX = {"u1": 8, "i2": 16, "i4": 32, "i8": 64, "f4": -32, "f8": -64}
_SHIFTED = {"i1": ("u1", -128), "u2": ("i2", 2**15), "u4": ("i4", 2**31), "u8": ("i8", 2**63)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """One image with its header, as it stands in a FITS file.

    Attributes:
        cards: The complete header of an extension, without END.
        data: The data in FITS byte order, without padding.
    """

    cards: Cards
    data: bytes

    @classmethod
    def from_pixels(
        cls, pixels: np.ndarray[Any, Any], keywords: Sequence[FitsKeyword] = (), name: str = ""
    ) -> Frame:
        """Make a frame of an array; no pixel value changes.

        Args:
            pixels: Any integer type, float32 or float64; unsigned integers become
                shifted ones with BZERO, as FITS has none.
            keywords: For its header.
            name: EXTNAME; empty: the recorder gives one.

        Raises:
            ValueError: FITS has no such pixel type, or no shape.
        """
        cards, data = _encode(pixels)
        if name:
            cards += value_cards("EXTNAME", name, "extension name")
        return cls(cards=cards + [c for keyword in keywords for c in cards_of(keyword)], data=data)


@dataclass(frozen=True, slots=True, kw_only=True)
class FramePlan:
    """What a session of a frame source will be.

    Attributes:
        frames: It ends after so many; 0: only a time limit or a stop ends it.
        period_s: From frame to frame; the first comes after one such period.
        primary: Cards for the primary header of the file.
        frame_bytes: Size of one frame, to estimate; 0: not known.
    """

    frames: int = 0
    period_s: float = 0.0
    primary: Cards = field(default_factory=list)
    frame_bytes: int = 0


class FrameSource(ABC):
    """Where frames come from. All calls come from one thread at a time.

    A session calls ``ensure_ready`` once, ``read_frame`` for each frame, and at its
    end, whatever it was, ``ensure_stopped``. The recorder does the waiting between
    frames, so that a stop or a pause takes effect at once.
    """

    def ensure_ready(self, properties: RecProperties) -> FramePlan:
        """Check that frames can be taken, prepare, and say what will come.

        Raises:
            SourceNotReady: They cannot; nothing is left open.
        """
        return FramePlan(frames=properties.frames)

    @abstractmethod
    def read_frame(self) -> Frame | None:
        """Return the next frame; ``None``: there are no more.

        Raises:
            Exception: Any error ends the session as Failed, with its text as reason.
        """

    def ensure_stopped(self) -> None:  # noqa: B027 (a hook; most need none)
        """Release what ``ensure_ready`` took; called also when it did not succeed."""


def _encode(pixels: np.ndarray[Any, Any]) -> tuple[Cards, bytes]:
    import numpy as np

    array = np.asarray(pixels)
    code = array.dtype.str[1:]
    if array.ndim == 0 or code not in _BITPIX | _SHIFTED:
        raise ValueError(f"FITS has no images of type {array.dtype} and shape {array.shape}")
    stored, zero = _SHIFTED.get(code, (code, 0))
    if zero:  # flipping the highest bit is the subtraction of BZERO, without overflow
        width = array.dtype.itemsize
        unsigned = array.astype(f"=u{width}", casting="unsafe")
        array = (unsigned ^ np.array(1 << (8 * width - 1), f"=u{width}")).view(f"=i{width}")
    data = array.astype(f">{stored}", casting="unsafe").tobytes()
    return _structure(array.shape, _BITPIX[stored], zero), data


def _structure(shape: tuple[int, ...], bitpix: int, zero: int) -> Cards:
    cards = value_cards("XTENSION", "IMAGE", "image extension")
    cards += value_cards("BITPIX", bitpix, "bits per pixel")
    cards += value_cards("NAXIS", len(shape), "number of axes")
    for axis, length in enumerate(reversed(shape), start=1):
        cards += value_cards(f"NAXIS{axis}", length)
    cards += value_cards("PCOUNT", 0) + value_cards("GCOUNT", 1)
    if zero:
        cards += value_cards("BSCALE", 1) + value_cards("BZERO", zero, "unsigned integers")
    return cards
