"""Which sessions may start: conditions that can be met, one at a time, each with its own id."""

from __future__ import annotations

from datetime import datetime

from idl_like_interfaces.recif import RecExceptionErr, RecProperties
from objects.data_source.readiness import ID_RULE, is_usable_id
from objects.data_source.session import Session

LATE_START_S = 1.0
"""An absolute time may lie so far in the past when the start arrives."""


def check_properties(properties: RecProperties, now: datetime) -> None:
    """Refuse conditions that cannot be met.

    Raises:
        RecExceptionErr: Says which one.
    """
    id = properties.id
    if id and not is_usable_id(id):
        raise RecExceptionErr(
            f"{id!r} cannot be the id of a session", cause="It names a file.",
            remedy=f"Use {ID_RULE}.", id=id,
        )  # fmt: skip
    if properties.frames < 0:
        raise RecExceptionErr(
            f"{properties.frames} frames were wanted", cause="The number is negative.",
            remedy="Give 0 for the default of the source, or a positive number.", id=id,
        )  # fmt: skip
    late_s = (now - properties.abs_time).total_seconds() if properties.abs_time else 0.0
    if late_s > LATE_START_S:
        raise RecExceptionErr(
            f"The start at {properties.abs_time} is {late_s:.1f} s in the past",
            cause="The command came late, or the clocks of the two hosts differ.",
            remedy="Give a later abs_time; compare the clocks.",
            id=id,
        )


def check_startable(id: str, current: Session | None, *, used: bool) -> None:
    """Refuse a session while another runs, or with an id that was used.

    Raises:
        RecExceptionErr: Says which.
    """
    if current is not None and not current.status.is_final:
        raise RecExceptionErr(
            f"Session {id} was to start, but {current.id} is {current.status}",
            cause="The source records one session at a time.",
            remedy="Wait for its end (rec_wait), or end it with rec_stop or rec_abort.",
            id=id,
        )
    if used:
        raise RecExceptionErr(
            f"The id {id} was used before",
            cause="Each session has an id of its own; it names the file.",
            remedy="Give another id, or none: the source makes one.",
            id=id,
        )
