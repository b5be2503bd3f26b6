"""Makes the merger's output the finished product: on disk, digested, read-only, in place."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

from idl_like_interfaces.documents import DpSpecification
from objects.component.atomic import PART_SUFFIX, fsync_folder
from objects.products.cancel import Cancel
from objects.products.job import Product
from objects.products.transfer import TransferFailed, sha256
from objects.products.workspace import RESULT_LINK

_READ_ONLY = 0o444

_placing = threading.Lock()  # looking whether a name is free and taking it is one act


def product_name(specification: DpSpecification) -> str:
    """Return the file name of the product below ``result/``."""
    target = specification.target
    return f"{target.file_prefix}{target.file_id}.fits"


def remove_output(folder: Path, name: str) -> None:
    """Remove what an interrupted merger left."""
    for left in (name, f"{name}{PART_SUFFIX}", f".{name}{PART_SUFFIX}"):
        with suppress(FileNotFoundError):
            os.unlink(folder / left)  # noqa: PTH108 (a name, whatever it is)


def finish(output: Path, name: str, cancel: Cancel) -> Product:
    """Bring the merger's output to disk and digest it; it will not change any more."""
    descriptor = os.open(output, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.fchmod(descriptor, _READ_ONLY)
        size = os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)
    return Product(name=name, size_bytes=size, digest=sha256(output, cancel))


def is_placed(product: Product, results: Path, cancel: Cancel) -> bool:
    """Tell whether the result folder has exactly this product."""
    place = results / product.name
    try:
        if place.stat().st_size != product.size_bytes:
            return False
        return sha256(place, cancel) == product.digest
    except FileNotFoundError:
        return False


def put_in_place(output: Path, product: Product, results: Path) -> None:
    """Move a finished product among the results, as a whole.

    Raises:
        TransferFailed: A product of that name exists; it is never replaced.
    """
    place = results / product.name
    with _placing:
        if os.path.lexists(place):
            raise TransferFailed(
                f"{place} exists and is another product",
                cause="another acquisition has the same fileId and prefix",
                remedy="move that product away, then retry the acquisition",
            )
        output.rename(place)
    fsync_folder(results)


def link_result(folder: Path, product: Product) -> None:
    """Let ``result`` in an acquisition's folder point to its product.

    The link is relative, and right from in-progress/ and from archive/.
    """
    part = folder / f".{RESULT_LINK}{PART_SUFFIX}"
    part.unlink(missing_ok=True)
    part.symlink_to(Path("../../result") / product.name)
    part.rename(folder / RESULT_LINK)
    fsync_folder(folder)
