"""What the merger's process says, in the log of the DPM as well as in its own file."""

from __future__ import annotations

import logging

from idl_like_interfaces.merging import MergeMessage, MergeMessageType

log = logging.getLogger("daq.dpm.merger")

_LEVELS = {
    MergeMessageType.ERROR: logging.ERROR,
    MergeMessageType.ALERT: logging.WARNING,
    MergeMessageType.RESULT: logging.INFO,
    MergeMessageType.COLLISION: logging.INFO,
    MergeMessageType.PROGRESS: logging.DEBUG,
}


def note_message(message: MergeMessage) -> None:
    """Log a message of the merger; an error that stops the merge is an error here, too."""
    content = message.content
    of = f" [{content.source}]" if content.source else ""
    log.log(_LEVELS[message.type], "%s:%s %s", message.type, of, content.message)


def note_output(line: bytes) -> None:
    """Log a line that is no message: another merger, or a fault of its start."""
    log.info("%s", line.decode("utf-8", "replace").rstrip())
