"""The product on disk: written beside, checksummed, made durable, renamed.

Data are copied byte for byte; of an extension's header only CHECKSUM and DATASUM
change. An output file is never replaced, an input never opened for writing.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from idl_like_interfaces.cards import CARD_LENGTH, NAME_LENGTH
from idl_like_interfaces.keywords import ValueKeyword
from idl_like_interfaces.merging import MergeExit
from objects.component.atomic import PART_SUFFIX, fsync_folder
from objects.products.merge.checksum import CHECKSUM_ZERO, add_to_sum, encode_checksum
from objects.products.merge.formatting import format_keyword
from objects.products.merge.layout import BLOCK, Hdu
from objects.products.merge.problems import MergeProblem
from objects.products.merge.product import OutputHdu
from objects.products.merge.pump import Pump
from objects.products.merge.review import review

READ_ONLY = 0o444

OnHdu = Callable[[int, int], None]
"""Told the index of each HDU that has been written, and the sum of its data."""


def check_output(path: Path) -> None:
    """Refuse an output file that exists or has no folder.

    Raises:
        MergeProblem: With what to do instead.
    """
    if os.path.lexists(path):
        raise MergeProblem(
            f"the output file {path} exists, and a merge replaces nothing",
            code=MergeExit.INTERNAL,
            remedy="move it away, or choose another name with --outfile",
        )
    if not os.path.isdir(path.parent):  # noqa: PTH112 (never raises)
        raise MergeProblem(
            f"the output folder {path.parent} does not exist or may not be entered",
            code=MergeExit.INTERNAL,
            remedy="make it, or choose another name with --outfile",
        )


def write_product(hdus: Sequence[OutputHdu], path: Path, on_hdu: OnHdu) -> int:
    """Write the product and return its size in bytes; on return it survives a crash.

    Raises:
        MergeProblem: It could not be written, or an input changed; nothing is left.
    """
    with closing(_written(hdus, path)) as written:
        for index, datasum in enumerate(written):
            on_hdu(index, datasum)
    return path.stat().st_size


def _written(hdus: Sequence[OutputHdu], path: Path) -> Generator[int, None, None]:
    """Write the product, and yield the sum of the data of each HDU.

    What is done between two of them is not done here: its errors are none of the disk.
    """
    try:
        with _part_file(path) as (part, file):
            require_room(file.fileno(), hdus)
            pump = Pump()
            for hdu in hdus:
                yield write_hdu(file, hdu, pump)
            file.flush()
            review(part, hdus)
            os.fsync(file.fileno())
            check_output(path)
            part.rename(path)
            os.fchmod(file.fileno(), READ_ONLY)
        fsync_folder(path.parent)
    except OSError as error:
        raise not_written(path, error) from error


def require_room(descriptor: int, hdus: Sequence[OutputHdu]) -> None:
    """Begin nothing that can only fill the disk for everybody else.

    Args:
        descriptor: A file on the disk.
        hdus: What shall be written there.

    Raises:
        OSError: There is less room.
    """
    disk = os.fstatvfs(descriptor)
    size, free = sum(_size_of(hdu) for hdu in hdus), disk.f_frsize * disk.f_bavail
    if size > free and disk.f_blocks:  # some file systems do not tell
        found = f"{os.strerror(errno.ENOSPC)}: {size} bytes are needed, {free} are free"
        raise OSError(errno.ENOSPC, found)


def _size_of(hdu: OutputHdu) -> int:
    data = hdu.origin.data_size + hdu.origin.fill if hdu.origin else 0
    return len(header_block(hdu.images, CHECKSUM_ZERO, 0)) + data


def not_written(path: Path, error: OSError) -> MergeProblem:
    """Say that a product cannot be written."""
    return MergeProblem(
        f"{path} cannot be written: {error.strerror}",
        code=MergeExit.INTERNAL,
        remedy="see to free space and write access in its folder, then merge again",
    )


def header_block(images: Sequence[str], checksum: str, datasum: int, room: int = 0) -> bytes:
    """Make the header of an HDU, filled to whole blocks.

    Old checksum cards are replaced where they stand, new ones appended.

    Args:
        images: Its cards.
        checksum: Of the HDU.
        datasum: Of its data.
        room: Whole blocks that it shall take at least, in bytes; blank cards fill them.
    """
    cards = list(images)
    for name, value, comment in (
        ("CHECKSUM", checksum, "HDU checksum"),
        ("DATASUM", str(datasum), "data unit checksum"),
    ):
        keyword = ValueKeyword(name=name, value=value, comment=comment)
        cards = _with_card(cards, name, format_keyword(keyword, name).images[0])
    # END stands in the last block, or what follows would be taken for data.
    cards += [" " * CARD_LENGTH] * ((room - BLOCK) // CARD_LENGTH - len(cards))
    text = "".join(cards) + "END".ljust(CARD_LENGTH)
    return text.ljust(-(-len(text) // BLOCK) * BLOCK).encode("latin-1")


def _with_card(images: list[str], name: str, image: str) -> list[str]:
    start = name.ljust(NAME_LENGTH)
    found = [index for index, old in enumerate(images) if old.startswith(start)]
    if not found:
        return [*images, image]
    images[found[0]] = image
    return [old for index, old in enumerate(images) if index not in found[1:]]


@contextmanager
def _part_file(path: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Open the file beside the product for one writer only; gone when that one fails."""
    part = path.with_name(path.name + PART_SUFFIX)
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    with os.fdopen(descriptor, "r+b") as file:
        _lock(part, descriptor)
        try:
            file.truncate(0)
            yield part, file
        except BaseException:
            with suppress(FileNotFoundError):
                part.unlink()
            raise


def _lock(part: Path, descriptor: int) -> None:
    """Keep a second merge of the same product away; a crash frees the lock.

    Whoever waited just too long may hold a file that was renamed meanwhile: hence
    the look whether the name still stands for it.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_ours = os.path.samestat(os.fstat(descriptor), part.stat())
    except (BlockingIOError, FileNotFoundError):
        is_ours = False
    if not is_ours:
        raise MergeProblem(
            f"another merge is writing {part}",
            code=MergeExit.INTERNAL,
            remedy="wait for it, or end it first",
        )


def write_hdu(file: BinaryIO, hdu: OutputHdu, pump: Pump) -> int:
    """Write data first, then the header in front of them, which has their checksum.

    Return the sum of the data.
    """
    start = file.tell()
    file.seek(start + len(header_block(hdu.images, CHECKSUM_ZERO, 0)))
    datasum = pump.copy(hdu.origin, file) if hdu.origin else 0
    if hdu.origin and hdu.origin.fill:
        datasum = _fill(file, hdu.origin, datasum)
    end = file.tell()
    total = add_to_sum(datasum, header_block(hdu.images, CHECKSUM_ZERO, datasum))
    file.seek(start)
    file.write(header_block(hdu.images, encode_checksum(total), datasum))
    file.seek(end)
    return datasum


def _fill(file: BinaryIO, origin: Hdu, total: int) -> int:
    """Write what the last block of a file lacks, and add it to the sum of the data."""
    letter = b" " if origin.is_ascii_table else b"\0"
    file.write(letter * origin.fill)
    # A word that the data began is summed with zeros in their place.
    return add_to_sum(total, bytes(origin.data_size % 4) + letter * origin.fill)
