"""A last look at a product before it gets its name: is what lies there what was wanted?

Headers are read again from the file, data are not: it costs the same whatever their size.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from idl_like_interfaces.fits_report import FitsSeverity
from idl_like_interfaces.merging import MergeExit
from objects.products.merge.layout import Hdu, read_layout
from objects.products.merge.problems import BadFits, MergeProblem
from objects.products.merge.product import OutputHdu
from objects.products.merge.verify import verify_header


def review(path: Path, hdus: Sequence[OutputHdu]) -> None:
    """Check sizes of all HDUs, and that the primary header has no fault that is new.

    Extensions are as their sources have them, faults included.

    Raises:
        MergeProblem: The file must not become the product.
    """
    try:
        found = read_layout(path)
    except BadFits as problem:
        raise _unsound(problem.message) from problem
    wanted = [hdu.origin.data_size + hdu.origin.fill if hdu.origin else 0 for hdu in hdus]
    if [hdu.data_size for hdu in found] != wanted:
        raise _unsound(f"{path}: the sizes of its HDUs are not those of the inputs")
    before = _errors(hdus[0].origin) if hdus[0].origin else []
    for message in _errors(found[0]):
        if message not in before:
            raise _unsound(f"{path}: primary HDU: {message}")


def _errors(hdu: Hdu) -> list[str]:
    return [each.message for each in verify_header(hdu) if each.severity is FitsSeverity.ERROR]


def _unsound(message: str) -> MergeProblem:
    return MergeProblem(
        f"what was written is no sound product: {message}",
        code=MergeExit.INTERNAL,
        cause="a fault in the merger, or of the disk",
        remedy="merge again; if it stays, report it with the specification and its files",
    )
