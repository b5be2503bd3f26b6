"""Refusals of the acquisition coordinator, from what went wrong below it."""

from __future__ import annotations

from collections.abc import Sequence

from idl_like_interfaces.checks import check_product_name
from idl_like_interfaces.daqif import DaqException
from idl_like_interfaces.errors import BadParam, RemoteError


def refusal(id: str, message: str, *, cause: str = "", remedy: str = "") -> DaqException:
    """Make a ``DaqException`` of an acquisition."""
    return DaqException(message, id=id, cause=cause, remedy=remedy)


def refused_for(id: str, error: RemoteError, message: str = "") -> DaqException:
    """Make a ``DaqException`` that says why another object's refusal matters here.

    Args:
        id: The acquisition.
        error: What was refused or lost.
        message: What it means; empty: the error's own message says it.
    """
    if not message:
        return refusal(id, error.message, cause=error.cause, remedy=error.remedy)
    cause = "; ".join(part for part in (error.message, error.cause) if part)
    return refusal(id, message, cause=cause, remedy=error.remedy)


def unknown(id: str) -> DaqException:
    """Refuse a command for an acquisition that does not exist."""
    return refusal(
        id,
        f"there is no acquisition with the id {id!r}",
        cause="the id is mistyped, or the acquisition belongs to another coordinator",
        remedy="get_active_list names those in progress",
    )


def check_prefix(id: str, prefix: str, file_id: str) -> None:
    """Refuse a prefix with which the name of the product becomes too long.

    Raises:
        DaqException: With what to do instead.
    """
    try:
        check_product_name(prefix, file_id, "file_prefix")
    except BadParam as error:
        raise refused_for(id, error) from error


def unheard_of(id: str, paths: Sequence[str]) -> DaqException:
    """Say that members of a document were passed over."""
    return refusal(
        id,
        f"nobody knows {', '.join(paths)}: passed over",
        cause="the name is mistyped, or meant for another version",
        remedy="correct or leave out the name at the next start",
    )


def damaged(id: str, error: Exception) -> DaqException:
    """Say that an acquisition cannot be read any more."""
    return refusal(
        id,
        f"acquisition {id} has ended, and its record cannot be read: {error}",
        cause="a fault of the disk, or somebody has changed the file",
        remedy="bring the file back from a backup; the product, if there is one, is at the DPM",
    )


def taken(id: str, *, has_ended: bool) -> DaqException:
    """Refuse a start whose id another one has."""
    if has_ended:
        return refusal(
            id,
            f"acquisition {id} has ended and is not in the archive yet",
            cause="the disk is full, read-only or gone",
            remedy="free some space or repair the disk, or choose another id",
        )
    return refusal(
        id,
        f"an acquisition with the id {id} is in progress",
        remedy="choose another id, or leave it to the coordinator",
    )


def not_kept(id: str, error: OSError) -> DaqException:
    """Refuse a start that the disk does not take."""
    return refusal(
        id,
        f"the acquisition was not started: the workspace cannot be written"
        f" ({error.strerror or error})",
        cause="the disk is full, read-only or gone",
        remedy="free some space or repair the disk, then start again",
    )
