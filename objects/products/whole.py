"""Whether a file can be a FITS file at all: seen from its first bytes."""

from __future__ import annotations

from pathlib import Path

from objects.products.merge.foreign import compression_of
from objects.products.transfer import RETRY, TransferFailed

_BEGIN = b"SIMPLE  ="


def require_fits(path: Path) -> None:
    """Tell early what no merger could use; the rest is seen when it is merged.

    Raises:
        TransferFailed: It does not begin as a FITS file does.
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        begin = file.read(len(_BEGIN))
    if begin == _BEGIN:
        return
    raise TransferFailed(
        "it is no FITS file: " + ("it is empty" if not begin else f"it begins with {begin!r}"),
        cause=_cause(begin),
        remedy=f"let the source write a FITS file, or put the right one there, {RETRY}",
    )


def _cause(begin: bytes) -> str:
    if not begin:
        return "the source has not written anything, or its disk is full"
    packed, _ = compression_of(begin)
    return f"it is packed ({packed})" if packed else "the source named another file"
