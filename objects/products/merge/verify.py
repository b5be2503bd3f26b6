"""Does a file keep the FITS standard? Headers, tables, filling and checksums, HDU by HDU.

It stands on the layout and the cards that the merger reads, and decodes no data but the
descriptors of arrays in a heap. Offered to programs under the entry point ``fits_verify``
of the group ``obsorb.tools``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from idl_like_interfaces.fits_report import (
    FINDINGS_TOLD,
    FitsFinding,
    FitsReport,
    FitsSeverity,
)
from objects.products.merge.layout import BLOCK, Hdu, walk_layout
from objects.products.merge.problems import BadFits
from objects.products.merge.verify_cards import verify_cards
from objects.products.merge.verify_data import verify_data
from objects.products.merge.verify_findings import Found, error, warning
from objects.products.merge.verify_structure import verify_structure
from objects.products.merge.verify_tables import verify_table


def verify_file(path: Path, *, headers_only: bool = False) -> FitsReport:
    """Examine a file; nothing in it raises.

    Args:
        path: The file.
        headers_only: Read no data: fast whatever the size, but without checksums,
            filling and heaps.

    Raises:
        OSError: It cannot be read.
    """
    findings: list[FitsFinding] = []
    hdus = 0
    counts = dict.fromkeys(FitsSeverity, 0)
    for hdu, found in _examine(path, headers_only=headers_only):
        hdus = max(hdus, hdu.index + 1) if hdu else hdus
        counts[found.severity] += 1 if found.message else 0
        if found.message and len(findings) < FINDINGS_TOLD:
            findings.append(_finding(hdu, hdus, found))
    return FitsReport(
        path=str(path),
        hdus=hdus,
        errors=counts[FitsSeverity.ERROR],
        warnings=counts[FitsSeverity.WARNING],
        findings=findings,
        headers_only=headers_only,
    )


def verify_header(hdu: Hdu) -> Iterator[Found]:
    """Yield what is wrong with the header of an HDU, its data not looked at."""
    yield from verify_structure(hdu)
    yield from verify_cards(hdu)
    yield from verify_table(hdu)


def _examine(path: Path, *, headers_only: bool) -> Iterator[tuple[Hdu | None, Found]]:
    """Yield each HDU with each of its findings, with an empty one when it has none."""
    last = None
    try:
        for hdu in walk_layout(path):
            last = hdu
            yield hdu, Found(severity=FitsSeverity.WARNING, message="")
            for found in verify_header(hdu):
                yield hdu, found
            if not headers_only:
                for found in verify_data(hdu):
                    yield hdu, found
    except BadFits as problem:
        message = problem.message.removeprefix(f"{path}: ")
        yield None, error(message, cause=problem.cause, remedy=problem.remedy)
        return
    if last:
        for found in _end(path, last):
            yield last, found


def _end(path: Path, last: Hdu) -> Iterator[Found]:
    if last.fill:
        yield error(
            f"the last block lacks {last.fill} bytes of filling",
            cause="a writer that does not fill it, or has not done so yet",
        )
    size = path.stat().st_size
    if (surplus := size - last.data_offset - last.data_size) > 0:
        yield warning(f"{surplus} bytes of filling behind the last HDU belong to none")
    if size % BLOCK and not last.fill:
        yield error(f"the size of the file, {size} bytes, is no multiple of {BLOCK}")


def _finding(hdu: Hdu | None, hdus: int, found: Found) -> FitsFinding:
    index = hdu.index if hdu else hdus
    return FitsFinding(
        severity=found.severity,
        hdu=index,
        label=hdu.label if hdu else f"HDU {index}",
        message=found.message,
        cause=found.cause,
        remedy=found.remedy,
    )
