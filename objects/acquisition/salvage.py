"""Reading what a workspace holds of an acquisition, as far as it is whole.

The context has all that matters, the status among it as it was at the last entry of a
state. So a damaged status is made again; without its context an acquisition cannot go on.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TypeVar

import msgspec

from idl_like_interfaces.daqif import DaqStatus
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.mapping.coding import parse_json
from idl_like_interfaces.reading import read_own
from objects.acquisition.context import Context
from objects.acquisition.specification import Stateful
from objects.acquisition.states import phase_of

log = logging.getLogger("daq.ocm.manager")

REMEDY = (
    "see what the sources of a lost acquisition do and stop them by hand; its files are in"
    " the archive of the workspace"
)
"""What to do about an acquisition that could not be taken up."""

Struct = TypeVar("Struct", bound=msgspec.Struct)
Kept = tuple[DaqStatus, Context]


class DamagedError(Exception):
    """A file is not what it was when it was written; says which, and what was found."""


class UnreadableError(DamagedError, OSError):
    """The disk does not give a file; that may pass."""


def read_kept(status_file: Path, context_file: Path, id: str) -> Kept:
    """Read an acquisition; a status that is missing or damaged is made from the context.

    Raises:
        FileNotFoundError: There is no context.
        DamagedError: The context cannot be used.
    """
    context = _read(Context, context_file)
    _check_context(context, id, context_file)
    try:
        status = _read(DaqStatus, status_file)
        _check_status(status, id, status_file)
    except (DamagedError, FileNotFoundError) as error:
        if not context.entered:
            raise DamagedError(f"{context_file.name} tells of no state, and {error}") from error
        status = context.entered[-1]
        log.warning(
            "acquisition %s: %s; it goes on from %s", id, error, context.entered[-1].substate
        )
    return status, context


def read_list(file: Path) -> list[str]:
    """Read the ids in progress.

    Raises:
        DamagedError: The file is no list of texts.
    """
    try:
        return parse_json(list[str], file.read_bytes(), file.name)
    except (BadParam, OSError) as error:
        raise DamagedError(f"{file.name} is damaged: {error}") from error


def _read(type_: type[Struct], file: Path) -> Struct:
    try:
        read, unknown = read_own(type_, file.read_bytes(), file.name)
    except FileNotFoundError:
        raise
    except BadParam as error:
        raise DamagedError(f"{file.name} is damaged: {error}") from error
    except OSError as error:
        raise UnreadableError(f"{file.name} is damaged: {error}") from error
    if unknown:
        # A coordinator of a later version wrote it: what that knew besides is lost here.
        log.warning("members that nobody knows here were passed over: %s", ", ".join(unknown))
    return read


def _check_context(context: Context, id: str, file: Path) -> None:
    stateful: list[Stateful] = [*context.plan.metadata, *context.plan.primaries]
    wanted = {each.source_name for each in stateful}
    found = {each.source_name for each in context.results}
    fault = ""
    if context.id != id:
        fault = f"it is of acquisition {context.id!r}"
    elif wanted != found:
        fault = f"its results are of {sorted(found)}, its sources {sorted(wanted)}"
    elif not all(phase_of(each.state, each.substate) for each in context.entered):
        fault = "it tells of states that there are not"
    if fault:
        raise DamagedError(f"{file.name} is damaged: {fault}")


def _check_status(status: DaqStatus, id: str, file: Path) -> None:
    if status.id != id or phase_of(status.state, status.substate) is None:
        found = f"{status.id!r} in {status.state}/{status.substate}"
        raise DamagedError(f"{file.name} is damaged: it is of {found}")
