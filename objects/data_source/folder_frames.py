"""Frames from real FITS files: each image HDU is a frame, in order of file name and HDU."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from typing_extensions import override

from idl_like_interfaces.recif import RecProperties
from objects.data_source.cards import (
    BadHeader,
    Cards,
    data_size,
    name_of,
    padding_of,
    read_header,
    shape_of,
    text_of,
    value_cards,
    without,
)
from objects.data_source.frame import Frame, FramePlan, FrameSource
from objects.data_source.readiness import SourceNotReady

SUFFIXES = frozenset({".fits", ".fit", ".fts"})
_REPAIR = "Replace it by a complete copy, or take it out of the folder."


@dataclass(frozen=True, slots=True, kw_only=True)
class Hdu:
    """Where an HDU stands.

    Attributes:
        path: The file.
        index: Its number in the file, from 0.
        cards: Its header as it stands.
        offset: First byte of its data.
        size: Bytes of its data, without padding.
    """

    path: Path
    index: int
    cards: Cards
    offset: int
    size: int

    @property
    def is_frame(self) -> bool:
        """Tell whether it is an image: an extension, or a primary HDU with pixels.

        An image extension without pixels counts: instruments write constant planes so.
        """
        if self.index == 0:
            return self.size > 0 and shape_of(self.cards)[0] > 0
        kind = text_of(self.cards, "XTENSION")
        return kind == "IMAGE" or any(name_of(card) == "ZIMAGE" for card in self.cards)


class FolderFrames(FrameSource):
    """Replays the frames of a folder of FITS files, or of one file.

    The primary header comes from the first file, when that has no image there.

    Args:
        place: The folder or the file.
        period_s: From frame to frame.
        frames: Frames of a session that does not say how many; 0: each one once, or
            with ``cycle`` until it is stopped.
        cycle: Begin again after the last frame.
    """

    def __init__(
        self, place: Path, *, period_s: float = 0.0, frames: int = 0, cycle: bool = False
    ) -> None:
        self._place = place
        self._period_s = period_s
        self._frames = frames
        self._cycle = cycle
        self._hdus: list[Hdu] = []
        self._next = 0

    @override
    def ensure_ready(self, properties: RecProperties) -> FramePlan:
        found = [hdu for path in fits_files(self._place) for hdu in scan(path)]
        self._hdus = [hdu for hdu in found if hdu.is_frame]
        self._next = 0
        if not self._hdus:
            raise SourceNotReady(
                f"{self._place} has FITS files, but no image in them",
                cause="They hold tables or headers only.",
                remedy="Put a file with images there, or set `frames` to another folder.",
            )
        return FramePlan(
            frames=self._count(properties.frames),
            period_s=self._period_s,
            primary=[] if found[0].is_frame else found[0].cards,
            frame_bytes=max(hdu.size for hdu in self._hdus),
        )

    @override
    def read_frame(self) -> Frame | None:
        if not self._cycle and self._next >= len(self._hdus):
            return None
        hdu = self._hdus[self._next % len(self._hdus)]
        self._next += 1
        with hdu.path.open("rb") as stream:
            stream.seek(hdu.offset)
            data = stream.read(hdu.size)
        if len(data) < hdu.size:
            raise OSError(f"HDU {hdu.index} of {hdu.path} has become shorter since the start")
        return Frame(cards=as_extension(hdu.cards), data=data)

    @override
    def ensure_stopped(self) -> None:
        self._hdus = []

    def _count(self, wanted: int) -> int:
        count = wanted or self._frames
        there = len(self._hdus)
        if not self._cycle and count > there:
            raise SourceNotReady(
                f"{count} frames were wanted, {self._place} has {there}",
                cause="The source does not begin again after the last frame.",
                remedy=f"Ask for at most {there}, or set `cycle = true`.",
            )
        return count if count or self._cycle else there


def fits_files(place: Path) -> list[Path]:
    """Return the FITS files of a folder by name, or the one file that it is.

    Raises:
        SourceNotReady: There is no such place, or no FITS file in it.
    """
    if place.is_file():
        return [place]
    remedy = "Put FITS files there, or set `frames` to another folder."
    try:
        files = sorted(path for path in place.iterdir() if path.suffix.lower() in SUFFIXES)
    except OSError as error:
        message = f"The folder of frames {place} cannot be read"
        raise SourceNotReady(message, cause=str(error), remedy=remedy) from error
    if not files:
        raise SourceNotReady(
            f"{place} has no FITS files",
            cause=f"No name there ends in {', '.join(sorted(SUFFIXES))}.",
            remedy=remedy,
        )
    return files


def scan(path: Path) -> list[Hdu]:
    """Return the HDUs of a file.

    Raises:
        SourceNotReady: It cannot be read, is not FITS, or ends within an HDU.
    """
    try:
        with path.open("rb") as stream:
            hdus = list(_hdus(path, stream))
    except (OSError, BadHeader) as error:
        message = f"{path} is not a readable FITS file"
        raise SourceNotReady(message, cause=str(error), remedy=_REPAIR) from error
    if not hdus:
        raise SourceNotReady(f"{path} is empty", cause="0 bytes", remedy=_REPAIR)
    return hdus


def _hdus(path: Path, stream: BinaryIO) -> Iterator[Hdu]:
    end = path.stat().st_size
    index = 0
    while (cards := read_header(stream)) is not None:
        size, offset = data_size(cards), stream.tell()
        if offset + size > end:
            raise SourceNotReady(
                f"The frame in HDU {index} of {path} is truncated: "
                f"{size} bytes were wanted, {end - offset} are there",
                cause="The file was cut, or is still being copied.",
                remedy=_REPAIR,
            )
        yield Hdu(path=path, index=index, cards=cards, offset=offset, size=size)
        stream.seek(offset + size + padding_of(size))
        index += 1


def as_extension(cards: Cards) -> Cards:
    """Return the header of an image as that of an extension; one that is stays as it is."""
    if name_of(cards[0]) == "XTENSION":
        return cards
    body = without(cards[1:], frozenset({"EXTEND", "BLOCKED", "PCOUNT", "GCOUNT"}))
    axes = 2 + len(shape_of(cards))
    counts = value_cards("PCOUNT", 0) + value_cards("GCOUNT", 1)
    structure = value_cards("XTENSION", "IMAGE", "image extension") + body[:axes]
    return [*structure, *counts, *body[axes:]]
