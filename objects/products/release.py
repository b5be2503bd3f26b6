"""Delivers a product to its receivers."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from idl_like_interfaces.documents import OlasReceiver
from objects.component.atomic import PART_SUFFIX
from objects.products.cancel import Cancel
from objects.products.locations import place
from objects.products.transfer import (
    TransferFailed,
    Way,
    bring,
    copy,
    hard_link,
    reason,
    sha256,
    symbolic_link,
)

log = logging.getLogger("daq.dpm.transfer")


def deliver(
    product: Path, file_id: str, receiver: OlasReceiver, here: frozenset[str], cancel: Cancel
) -> None:
    """Give the product to a receiver under its archive name ``{file_id}.fits``.

    It is linked where that is possible, so both names share one read-only file. What
    the receiver has already is left as it is.

    Raises:
        TransferFailed: It could not be delivered; the receiver has no part of it.
        Cancelled: Asked to end.
    """
    target = place(receiver.host, receiver.path, here)
    if not target.is_local:
        raise TransferFailed(
            f"it is on host {target.host}",
            cause="this DPM releases to folders of its own host only",
            remedy="mount that folder here and give the local path, without host",
        )
    links = (hard_link, symbolic_link) if receiver.options.allow_symlink else (hard_link,)
    _deliver_local(product, Path(target.path) / f"{file_id}.fits", (*links, copy), cancel)


def _deliver_local(product: Path, delivered: Path, ways: tuple[Way, ...], cancel: Cancel) -> None:
    folder = delivered.parent
    _require_folder(folder)
    try:
        if os.path.lexists(delivered):
            _require_same(product, delivered, cancel)
            return
        delivered.with_name(f".{delivered.name}{PART_SUFFIX}").unlink(missing_ok=True)
        bring(product, delivered, ways, cancel)
    except OSError as error:
        cause, remedy = reason(error)
        raise TransferFailed(f"{folder}: {error.strerror}", cause=cause, remedy=remedy) from error
    log.info("%s released as %s", product, delivered)


def _require_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    found = "is not a folder" if folder.exists() else "does not exist"
    raise TransferFailed(
        f"{folder} {found}",
        cause="the receiver's path is wrong, or its file system is not mounted",
        remedy="make it a folder that the DPM may write, then retry the acquisition",
    )


def _require_same(product: Path, there: Path, cancel: Cancel) -> None:
    same = there.exists() and (
        there.samefile(product)
        or (
            there.stat().st_size == product.stat().st_size
            and sha256(there, cancel) == sha256(product, cancel)
        )
    )
    if not same:
        raise TransferFailed(
            f"{there} exists and is another file",
            cause="another product of the same fileId was delivered, or a link dangles",
            remedy="move that file away, then retry the acquisition",
        )
