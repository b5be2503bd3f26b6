"""One view of all stateful sources: start, stop, abort; failures told alike."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

from idl_like_interfaces.checks import check_location
from idl_like_interfaces.errors import BadParam, InterfaceMismatch, RemoteError
from idl_like_interfaces.metadaqif import MetaDaqException
from idl_like_interfaces.naming import NamingError
from idl_like_interfaces.recif import RecExceptionErr
from objects.acquisition.product import SourceResult, SourceState

log = logging.getLogger("daq.ocm.controller")

WITHOUT_IT = "force_stop_daq goes on without its data, abort_daq discards everything"
"""What can be done about a source that will never give its data."""


class SourceFailure(Exception):
    """A source did not do what it was asked.

    Attributes:
        reason: What it says, or how it was lost, told for an operator.
        state: What the source does now, as far as can be known.
    """

    def __init__(self, reason: RemoteError, state: SourceState) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.state = state


class SourceLink(Protocol):
    """A source of one acquisition; every method may raise ``SourceFailure``.

    None of them waits longer than the source's deadline for each request that it makes.
    """

    name: str

    def start(self, result: SourceResult) -> SourceResult:
        """Start it; return when it has acknowledged."""

    def stop(self, result: SourceResult) -> SourceResult:
        """End it and return what it made; one that has ended already is asked for it."""

    def abort(self, result: SourceResult) -> SourceResult:
        """End it and let it discard its data; one that does nothing is left alone."""


def told(name: str, reference: str, what: str, error: RemoteError) -> RemoteError:
    """Make an error that names the source and what was asked of it."""
    return RemoteError(
        f"source {name} ({reference}) {what}: {error.message}",
        cause=error.cause,
        remedy=error.remedy or "see whether the source is running and repair it",
    )


def of_another(kind: str, told_id: str, own_id: str) -> RemoteError:
    """Say that a source speaks of something else than it was asked about."""
    return RemoteError(
        f"it answers for the {kind} {told_id!r} and not for {own_id!r}",
        cause="it does not keep its interface, or somebody else uses it, too",
        remedy="see what it does, and end that by hand; " + WITHOUT_IT,
    )


def state_after_start(error: RemoteError) -> SourceState:
    """Tell what a source does that did not acknowledge its start.

    One that refuses, has no name or is of another kind has not started. One that cannot be reached may
    have, and must be asked again before anybody says that nothing is running.
    """
    if isinstance(error, RecExceptionErr | MetaDaqException | NamingError | InterfaceMismatch):
        return SourceState.WAITING
    return SourceState.DOUBTFUL


def usable_files(name: str, files: Sequence[str]) -> list[str]:
    """Return the files that a source says it made, each once, in its order.

    Raises:
        RemoteError: One is no absolute path, so nobody could find it.
    """
    for place, file in enumerate(files):
        try:
            check_location(file, f"files[{place}]")
        except BadParam as error:
            raise RemoteError(
                f"it says that it made a file that nobody can find: {error.message}",
                cause="a file is told as /path or host:/path",
                remedy=WITHOUT_IT,
            ) from error
    found = list(dict.fromkeys(files))
    if len(found) < len(files):
        log.warning("source %s names a file twice: it is taken once (%s)", name, ", ".join(files))
    return found
