"""The coordinator's event log: every command and every published status as NAME=VALUE items.

Made to be searched by programs: one record for each, always with the same items in the same
order. What people read is logged elsewhere.
"""

from __future__ import annotations

import logging

from idl_like_interfaces.daqif import DaqStatus
from objects.component.loggers import ACTION, EVENT

log = logging.getLogger("daq.ocm.eventlog")


def note_command(operation: str, id: str) -> None:
    """Log that somebody has given a command; whether it is accepted is not known yet."""
    # It is as the client gave it: a line feed in it must not make a second record.
    shown = (id if id.isprintable() else repr(id)) or "-"
    log.log(ACTION, "command=%s id=%s", operation, shown, extra={"owner": id})


def note_status(status: DaqStatus) -> None:
    """Log a status as it is published."""
    log.log(
        EVENT,
        "id=%s file_id=%s state=%s substate=%s error=%s alerts=%d result=%s",
        status.id,
        status.file_id,
        status.state,
        status.substate,
        str(status.error).lower(),
        len(status.alerts),
        status.result or "-",
        extra={"owner": status.id},
    )
