"""Files that are merged: of noise or of holes, and with very long headers."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from objects.data_source.cards import header_octets, value_cards

_MIB = 1 << 20
_BLOCK = 2880
_ROW = 4096


def write_fits(path: Path, mib: Sequence[int], *, room: int = 0, is_sparse: bool = False) -> Path:
    """Write a file with an image for each size.

    Args:
        path: The file.
        mib: Sizes of the images in MiB.
        room: Blank cards in the primary header.
        is_sparse: The images are holes; else noise, which no disk makes smaller.
    """
    with path.open("xb") as file:
        file.write(header_octets([*_primary(), *[" " * 80] * room]))
        for size in mib:
            rows = size * _MIB // _ROW // 2
            cards = value_cards("XTENSION", "IMAGE") + value_cards("BITPIX", 16)
            for name, value in (("NAXIS", 2), ("NAXIS1", _ROW), ("NAXIS2", rows)):
                cards += value_cards(name, value)
            cards += value_cards("PCOUNT", 0) + value_cards("GCOUNT", 1)
            file.write(header_octets(cards))
            if is_sparse:
                file.seek(size * _MIB, os.SEEK_CUR)
            else:
                for _ in range(size):
                    file.write(os.urandom(_MIB))
            file.seek(-(size * _MIB) % _BLOCK, os.SEEK_CUR)
            file.truncate()
        file.flush()
        os.fsync(file.fileno())
    return path


def write_header(path: Path, cards: int) -> Path:
    """Write a file without data, with so many different keywords."""
    more = (card for number in range(cards) for card in value_cards(f"K{number}", number))
    path.write_bytes(header_octets([*_primary(), *more]))
    return path


def _primary() -> list[str]:
    cards = value_cards("SIMPLE", value=True), value_cards("BITPIX", 8), value_cards("NAXIS", 0)
    return [card for each in cards for card in each]


def specify(path: Path, sources: Sequence[Path], target: Path | None = None) -> Path:
    """Write a specification of files, and perhaps of a target."""
    files = [
        {"type": "fitsFile", "sourceName": file.stem, "location": str(file)} for file in sources
    ]
    own = {"type": "fitsFile", "sourceName": "target", "location": str(target)}
    document = {
        "id": "bench",
        "sources": files,
        "target": {"fileId": "bench", **({"source": own} if target else {})},
    }
    path.write_text(json.dumps(document), encoding="utf-8")
    return path
