"""Products that lack their picture because the DPM ended before it was drawn."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from objects.products.job import Job
from objects.products.quicklook.tool import picture_of
from objects.products.workspace import PICTURE_LOG, RESULT_LINK, Workspace, is_id

MOST_ARCHIVED = 64
"""Of the archive the newest ones only: a start shall not draw the pictures of years."""


def missing_pictures(
    workspace: Workspace, in_progress: list[Job], most: int = MOST_ARCHIVED
) -> Iterator[tuple[str, Path]]:
    """Yield id and product of acquisitions without picture, and without a word why.

    Args:
        workspace: Where they are.
        in_progress: Those that have not ended; they come first.
        most: So many of the archive are looked at, the last ones.
    """
    for job in in_progress:
        if job.product is not None and job.has_result and job.announced:
            product = workspace.results / job.product.name
            if not picture_of(product).exists():
                yield job.id, product
    for folder in _newest(workspace.archive, most):
        found = _product_of(folder, workspace.results)
        if found is not None and not picture_of(found).exists():
            yield folder.name, found


def _newest(archive: Path, most: int) -> list[Path]:
    with os.scandir(archive) as entries:
        ended = [
            (entry.stat(follow_symlinks=False).st_mtime, entry.path)
            for entry in entries
            if is_id(entry.name)
        ]
    return [Path(path) for _, path in sorted(ended, reverse=True)[:most]]


def _product_of(folder: Path, results: Path) -> Path | None:
    """Return the product of an acquisition that has ended, if it is there and nothing was noted."""
    try:
        product = results / (folder / RESULT_LINK).readlink().name
    except OSError:
        return None  # it was aborted
    return product if product.is_file() and not (folder / PICTURE_LOG).exists() else None
