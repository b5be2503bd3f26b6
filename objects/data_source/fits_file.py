"""A multi-extension FITS file that grows frame by frame and is safe at every moment.

The primary header has its final number of cards from the start and is written again in
place at the end. Each frame is complete, with its checksums, once it is appended.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec

from objects.data_source.cards import (
    Cards,
    fitting,
    integer_of,
    name_of,
    replaced,
    text_of,
    trimmed,
    value_cards,
    without,
)
from objects.data_source.checksum import sealed, sealed_parts
from objects.data_source.frame import Frame
from objects.data_source.output import make_final, part_of, set_aside

_STRUCTURE = frozenset(
    {"SIMPLE", "XTENSION", "BITPIX", "NAXIS", "EXTEND", "PCOUNT", "GCOUNT", "GROUPS", "TFIELDS"}
    | {"BLOCKED", "BZERO", "BSCALE", "BLANK", "CHECKSUM", "DATASUM", "DATE", "END"}
)
_DEFAULT_NAME = "FRAME"


class RecordFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the primary header says about a recording.

    Attributes:
        source: Name of the source.
        id: The session.
        info: Its free text.
        period_s: From frame to frame.
        begin: When it began.
        end: When it ended; the same as ``begin`` as long as it goes on.
        frames: How many frames follow.
    """

    source: str
    id: str
    info: str
    period_s: float
    begin: datetime
    end: datetime
    frames: int = 0


class FitsRecording:
    """The file of one session while it grows.

    Args:
        path: Its final name; as long as it grows it has another one.
        primary: Cards of the frame source for the primary header.
        facts: As known at the start.

    Raises:
        OSError: It cannot be made, or there is one of that name.
    """

    def __init__(self, path: Path, primary: Cards, facts: RecordFacts) -> None:
        self.path = path
        self.size = 0
        self.frames = 0
        self._part = part_of(path)
        self._primary = primary
        self._versions: dict[str, set[int]] = {}
        if path.exists():
            raise FileExistsError(f"{path} exists already")
        self._file = self._part.open("xb")
        try:
            self._append(sealed(primary_header(primary, facts), b""))
        except BaseException:
            self.discard()
            raise

    def append(self, frame: Frame) -> int:
        """Write a frame as the next extension; return the bytes that it took.

        Raises:
            OSError: It could not be written; the file is to be given up.
        """
        before = self.size
        self._append(*sealed_parts(self._identified(frame.cards), frame.data))
        self.frames += 1
        return self.size - before

    def finish(self, facts: RecordFacts) -> Path:
        """Complete the file; it is durable, read-only and visible on return.

        Raises:
            OSError: It could not be completed; it is not visible.
        """
        octets = sealed(primary_header(self._primary, facts), b"")
        self._file.seek(0)
        self._file.write(octets)
        make_final(self._file, self._part, self.path)
        self._file.close()
        return self.path

    def discard(self) -> None:
        """Remove what was written."""
        self._close()
        self._part.unlink(missing_ok=True)

    def abandon(self) -> Path | None:
        """Put the incomplete file aside; remove it when it has no frame (``None``)."""
        if not self.frames:
            self.discard()
            return None
        self._close()
        return set_aside(self._part)

    def _close(self) -> None:
        # What could not be written fails again here, and is given up: the descriptor is closed.
        with suppress(OSError):
            self._file.close()

    def _append(self, *parts: bytes) -> None:
        for octets in parts:
            self._file.write(octets)
        self._file.flush()
        self.size += sum(map(len, parts))

    def _identified(self, cards: Cards) -> Cards:
        """Give an extension a name and a version that no other of this file has."""
        cards = trimmed(without(cards, frozenset({"CHECKSUM", "DATASUM"})))
        name = text_of(cards, "EXTNAME")
        new = [] if name else value_cards("EXTNAME", _DEFAULT_NAME, "extension name")
        taken = self._versions.setdefault(name or _DEFAULT_NAME, set())
        version = integer_of(cards, "EXTVER", 0)
        if not version or version in taken:
            version = max(taken, default=0) + 1
            new += value_cards("EXTVER", version, "extension version")
        taken.add(version)
        return replaced(cards, new)


def primary_header(source: Cards, facts: RecordFacts) -> Cards:
    """Return a primary header without data: the source's own cards and the recorder's.

    ``DATE-OBS`` is the begin of the recording unless the source says another.
    """
    kept = trimmed([card for card in source if not _is_structure(name_of(card))])
    own = _recording_cards(facts)
    if not text_of(kept, "DATE-OBS"):
        own = value_cards("DATE-OBS", _iso(facts.begin), "UTC begin of the recording") + own
    if any(name_of(card) == "NEXTEND" for card in kept):
        own = value_cards("NEXTEND", facts.frames, "number of extensions") + own
    own = value_cards("DATE", _iso(facts.end), "UTC when this file was written") + own
    return replaced([*_minimal(), *kept], own)


def _minimal() -> Cards:
    return [
        *value_cards("SIMPLE", value=True, comment="conforms to the FITS standard"),
        *value_cards("BITPIX", 8),
        *value_cards("NAXIS", 0, "no image here"),
        *value_cards("EXTEND", value=True, comment="extensions follow"),
    ]


def _recording_cards(facts: RecordFacts) -> Cards:
    prefix = "HIERARCH ESO DET REC "
    values: list[tuple[str, str | int | float, str]] = [
        ("SOURCE", facts.source, "data source"),
        ("ID", facts.id, "recording session"),
        ("INFO", facts.info, "as given at its start"),
        ("PERIOD", facts.period_s, "[s] from frame to frame"),
        ("NFRAMES", facts.frames, "number of frames"),
        ("BEGIN", _iso(facts.begin), "UTC"),
        ("END", _iso(facts.end), "UTC"),
    ]
    cards: Cards = []
    for name, value, comment in values:
        full = prefix + name
        cards += value_cards(
            full, fitting(full, value) if isinstance(value, str) else value, comment
        )
    return cards


def _is_structure(name: str) -> bool:
    return name in _STRUCTURE or (name.startswith("NAXIS") and name[5:].isdigit())


def _iso(time: datetime) -> str:
    return time.replace(tzinfo=None).isoformat(timespec="milliseconds")
