"""Files of orphans that a start of the logger before this one has left open."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from objects.component.atomic import PART_SUFFIX
from objects.component.clock import Clock
from objects.logger_stream.files.layout import final_path, parts_of_name
from objects.logger_stream.files.recovery import recover
from objects.logger_stream.files.sidecar import sweep_side_cars
from objects.logger_stream.files.writer import EventFileWriter

log = logging.getLogger(__name__)

LEFT_OPEN: Final = "the logger was started anew"


def close_left(folder: Path, clock: Clock) -> None:
    """Make files whole that a kill has left open, and close them.

    Args:
        folder: Where the files are; it need not be there.
        clock: The time.
    """
    if not folder.is_dir():
        return
    for path in sorted(folder.glob(f"*{PART_SUFFIX}")):
        if parts_of_name(path) is None:
            continue
        try:
            recovered = recover(path, clock=clock)
            for text in recovered.cut:
                log.warning("%s: %s", path, text)
            EventFileWriter.resume(recovered, clock).close(LEFT_OPEN)
        except OSError as error:
            log.error("%s stays open: %s", path, error)
    closed = {path.name for path in folder.iterdir() if path == final_path(path)}
    sweep_side_cars(folder, closed)
