"""What a file is that is not a FITS file, and what to do with it."""

from __future__ import annotations

from pathlib import Path

from objects.products.merge.problems import BadFits

_COMPRESSIONS = {
    b"\x1f\x8b": ("gzip", "gunzip"),
    b"\x1f\x9d": ("compress (LZW)", "uncompress"),
    b"BZh": ("bzip2", "bunzip2"),
    b"\xfd7zXZ\x00": ("xz", "unxz"),
    b"\x28\xb5\x2f\xfd": ("zstd", "unzstd"),
    b"PK\x03\x04": ("zip", "unzip"),
}
_FORMATS = {
    b"\x89HDF": "an HDF5 file",
    b"%PDF": "a PDF file",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"II*\x00": "a TIFF picture",
    b"MM\x00*": "a TIFF picture",
}


def not_fits(path: Path, offset: int, wanted: str, start: bytes) -> BadFits:
    """Make the refusal of what does not begin as an HDU must.

    Args:
        path: The file.
        offset: Where the HDU should begin.
        wanted: The keyword that it must begin with.
        start: The first bytes that are there.
    """
    if offset == 0:
        name, tool = compression_of(start)
        if name:
            return _compressed(path, name, tool)
    what = "a FITS file" if offset == 0 else "an extension"
    return BadFits(
        path,
        f"at byte {offset} {what} must begin with {wanted}, found {_shown(start)}",
        cause=_cause(start) if offset == 0 else "something was written behind the end",
    )


def compression_of(start: bytes) -> tuple[str, str]:
    """Return how a file is compressed and what undoes that; empty: it is not."""
    found = (told for magic, told in _COMPRESSIONS.items() if start.startswith(magic))
    return next(found, ("", ""))


def header_as_text(header: bytes) -> bool:
    """Tell whether a header has a line break behind each card, as only a text file has."""
    return header[80:81] in (b"\n", b"\r") or b"\n" in header[:80]


def _compressed(path: Path, name: str, tool: str) -> BadFits:
    return BadFits(
        path,
        f"the whole file is compressed with {name}, wanted a FITS file as it is",
        cause="HDUs are moved as bytes, which needs files whose HDUs lie open",
        remedy=f"decompress it with `{tool}`, or have the source write tile-compressed images, "
        "which are merged as they are",
    )


def _shown(start: bytes) -> str:
    return repr(start[:8].decode("latin-1"))


def _cause(start: bytes) -> str:
    if not start.strip(b"\0"):
        return "the file has only zeros: it was allocated, and its data never written"
    for magic, name in _FORMATS.items():
        if start.startswith(magic):
            return f"it is {name}"
    return "not a FITS file"
