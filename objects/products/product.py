"""Makes the merger's output the finished product: on disk, digested, read-only, in place."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from objects.component.atomic import PART_SUFFIX, fsync_folder
from objects.products.cancel import Cancel
from objects.products.job import Product
from objects.products.transfer import TransferFailed, sha256
from objects.products.workspace import RESULT_LINK

_READ_ONLY = 0o444

_placing = threading.Lock()  # looking whether a name is free and taking it is one act


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
