"""A target that becomes the product: what comes is written behind it, its data stay where they are.

Only for a target that is nobody else's, as the private copy of a DPM, and whose headers
have room for the keywords that they get: blank cards, and what is left of their last
block. Any other target is copied as the sources are.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from idl_like_interfaces.merging import MergeExit
from objects.component.atomic import fsync_folder
from objects.products.merge.checksum import CHECKSUM_ZERO, add_to_sum, encode_checksum
from objects.products.merge.layout import Hdu
from objects.products.merge.problems import MergeProblem
from objects.products.merge.product import OutputHdu
from objects.products.merge.pump import Pump
from objects.products.merge.review import review
from objects.products.merge.undo import is_private, put_back, remember
from objects.products.merge.writer import (
    READ_ONLY,
    OnHdu,
    check_output,
    header_block,
    not_written,
    require_room,
    write_hdu,
)


def can_become(target: Path, hdus: Sequence[OutputHdu]) -> bool:
    """Tell whether a target can become a product without its data being moved."""
    own = _own(target, hdus)
    if not own or not is_private(target):
        return False
    last = own[-1]
    is_whole = last.data_offset + last.data_size == target.stat().st_size and not last.fill
    is_first = [hdu.origin for hdu in hdus[: len(own)]] == own
    return is_whole and is_first and all(_has_room(hdu) for hdu in hdus[: len(own)])


def write_in_place(target: Path, hdus: Sequence[OutputHdu], path: Path, on_hdu: OnHdu) -> int:
    """Make the product of the target and return its size; on return it survives a crash.

    The record that would bring the target back stays, see ``undo``.

    Raises:
        MergeProblem: It could not be written, or an input changed; the target is as it was.
    """
    with closing(_made(target, hdus, path)) as made:
        for index, datasum in enumerate(made):
            on_hdu(index, datasum)
    return path.stat().st_size


def _made(target: Path, hdus: Sequence[OutputHdu], path: Path) -> Generator[int, None, None]:
    """Make the product, and yield the sum of the data of each HDU, as in a new file."""
    try:
        yield from _made_or_put_back(target, hdus, path)
    except OSError as error:
        raise not_written(path, error) from error


def _made_or_put_back(
    target: Path, hdus: Sequence[OutputHdu], path: Path
) -> Generator[int, None, None]:
    is_remembered = False
    try:
        with target.open("r+b") as file:
            _lock(target, file)  # before there is a record: another merge may need its own
            own = _own(target, hdus)
            require_room(file.fileno(), hdus[len(own) :])
            remember(target, own)
            is_remembered = True
            yield from _change(file, target, hdus, path)
    except BaseException:
        if is_remembered:  # the lock is gone by now, which whoever puts back takes
            put_back(target, path)
        raise


def _change(
    file: BinaryIO, target: Path, hdus: Sequence[OutputHdu], path: Path
) -> Generator[int, None, None]:
    pump = Pump()
    for hdu in hdus:
        if hdu.origin is not None and hdu.origin.path == target:
            yield _renew_header(file, hdu.images, hdu.origin, pump)
        else:
            file.seek(0, os.SEEK_END)
            yield write_hdu(file, hdu, pump)
    file.flush()
    review(target, hdus)
    os.fsync(file.fileno())
    check_output(path)
    target.rename(path)
    os.fchmod(file.fileno(), READ_ONLY)
    fsync_folder(path.parent)
    fsync_folder(target.parent)


def _renew_header(file: BinaryIO, images: Sequence[str], origin: Hdu, pump: Pump) -> int:
    room = origin.data_offset - origin.offset
    datasum = pump.sum(origin)
    total = add_to_sum(datasum, header_block(images, CHECKSUM_ZERO, datasum, room))
    file.seek(origin.offset)
    file.write(header_block(images, encode_checksum(total), datasum, room))
    return datasum


def _own(target: Path, hdus: Sequence[OutputHdu]) -> list[Hdu]:
    return [hdu.origin for hdu in hdus if hdu.origin is not None and hdu.origin.path == target]


def _has_room(hdu: OutputHdu) -> bool:
    assert hdu.origin is not None
    wanted = len(header_block(hdu.images, CHECKSUM_ZERO, 0))
    return wanted <= hdu.origin.data_offset - hdu.origin.offset


def _lock(target: Path, file: BinaryIO) -> None:
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise MergeProblem(
            f"another merge is writing {target}",
            code=MergeExit.INTERNAL,
            remedy="wait for it, or end it first",
        ) from error
