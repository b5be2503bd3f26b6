"""One view of all stateful sources: start, stop, abort; failures told alike."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from idl_like_interfaces.checks import check_location
from idl_like_interfaces.errors import BadParam, InterfaceMismatch, RemoteError
from idl_like_interfaces.metadaqif import MetaDaqException
from idl_like_interfaces.naming import NamingError
from idl_like_interfaces.recif import RecExceptionErr
from objects.acquisition.product import SourceResult, SourceState
from objects.acquisition.specification import Stateful
from objects.component.site import Site

T = TypeVar("T")

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


class RemoteSource(SourceLink, Generic[T]):
    """What is the same of all of them: a servant with a name, asked within a deadline.

    Args:
        site: Where it is found.
        source: What it is called there.
        interface: What it offers.
        deadline_s: For each request.
    """

    def __init__(self, site: Site, source: Stateful, interface: type[T], deadline_s: float) -> None:
        self.name = source.source_name
        self._reference = source.rr_uri
        self._site = site
        self._interface = interface
        self._deadline_s = deadline_s

    @property
    def _servant(self) -> T:
        return self._site.narrow(self._reference, self._interface, self._deadline_s)

    def _failure(self, what: str, state: SourceState, error: RemoteError) -> SourceFailure:
        """Make a failure that names the source and what was asked of it."""
        told = RemoteError(
            f"source {self.name} ({self._reference}) {what}: {error.message}",
            cause=error.cause,
            remedy=error.remedy or "see whether the source is running and repair it",
        )
        return SourceFailure(told, state)


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
