"""The side-car beside an event file: what it holds, replaced as a whole at each flush."""

from __future__ import annotations

import logging
from collections.abc import Container
from contextlib import suppress
from pathlib import Path

import msgspec

from idl_like_interfaces.event_files import SideCar
from objects.component.atomic import PART_SUFFIX, write_json_atomic
from objects.logger_stream.files.layout import SIDE_CAR_SUFFIX, side_car_path

log = logging.getLogger(__name__)

_READ_ONLY = 0o444


def replace_side_car(path: Path, side_car: SideCar) -> None:
    """Write the side-car of a file that grows.

    It is either the old or the new one for whoever looks, and after a kill of the process. It
    is not synced: that would cost two more turns of the disk at each flush, and a recovery
    makes it anew from the data.

    Raises:
        OSError: It could not be written; the old one is as it was.
    """
    target = side_car_path(path)
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_bytes(_text(side_car))
        part.replace(target)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def finish_side_car(path: Path, side_car: SideCar) -> None:
    """Write the side-car of a file that is closed, or is not going to grow; it survives a crash.

    Raises:
        OSError: It could not be written.
    """
    target = side_car_path(path)
    write_json_atomic(target, side_car)
    target.chmod(_READ_ONLY)


def sweep_side_cars(folder: Path, names: Container[str]) -> None:
    """Remove what kills of the process have left beside side-cars that were being written.

    Args:
        folder: Where the files are.
        names: The closed names of files that nobody else writes.
    """
    for part in folder.glob(f".*{SIDE_CAR_SUFFIX}*{PART_SUFFIX}"):
        name = part.name.removeprefix(".").split(SIDE_CAR_SUFFIX)[0]
        if name in names:
            try:
                part.unlink(missing_ok=True)
            except OSError as error:
                log.warning("%s stays: %s", part, error)


def read_side_car(path: Path) -> SideCar | None:
    """Return the side-car of a file; ``None``: there is none that can be read.

    Raises:
        OSError: It is there and cannot be read.
    """
    try:
        return msgspec.json.decode(side_car_path(path).read_bytes(), type=SideCar)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        log.info("side-car of %s: %s", path, error)
        return None


def _text(side_car: SideCar) -> bytes:
    return msgspec.json.format(msgspec.json.encode(side_car), indent=2) + b"\n"
