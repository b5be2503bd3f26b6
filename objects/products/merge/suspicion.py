"""Checksums that inputs bring: whether they are those of what was found."""

from __future__ import annotations

from objects.products.merge.checksum import add_to_sum
from objects.products.merge.layout import Hdu

_ALL_ONES = 0xFFFFFFFF
_ABSENT = frozenset({"", "0" * 16})


def wrong_checksums(hdu: Hdu, datasum: int) -> str:
    """Say which checksums of an HDU are wrong; empty: none, or it has none.

    Args:
        hdu: As it lies in its file.
        datasum: The sum of its data.
    """
    values = hdu.values
    said = values.get("DATASUM", "").strip("' ")
    if said and not _is_sum(said, datasum):
        return f"{hdu.label}: DATASUM is {said}, its data sum up to {datasum}"
    if values.get("CHECKSUM", "").strip("' ") in _ABSENT:
        return ""
    total = add_to_sum(hdu.header_sum + datasum, b"")
    return "" if total in (0, _ALL_ONES) else f"{hdu.label}: CHECKSUM does not fit"


def _is_sum(text: str, datasum: int) -> bool:
    # Some writers give a real, or a negative number from signed arithmetic.
    try:
        return int(float(text)) % (1 << 32) == datasum
    except (ValueError, OverflowError):
        return False
