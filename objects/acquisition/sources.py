"""One view of all stateful sources: start, stop, abort, wait; failures told alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Protocol, TypeVar

from msgspec.structs import replace
from typing_extensions import override

from idl_like_interfaces.documents import MetadataSource, PrimarySource
from idl_like_interfaces.errors import InterfaceMismatch, RemoteError
from idl_like_interfaces.metadaqif import MetaDaq, MetaDaqException, MetaDaqState
from idl_like_interfaces.naming import NamingError
from idl_like_interfaces.recif import RecCmds, RecExceptionErr, RecProperties, RecStatus
from objects.acquisition.product import SourceResult, SourceState
from objects.component.site import Site

_MOST_AT_ONCE = 16
_WITHOUT_IT = "force_stop_daq goes on without its data, abort_daq discards everything"
T = TypeVar("T")


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
    """A source of one acquisition; every method may raise ``SourceFailure``."""

    name: str

    def start(self, result: SourceResult) -> SourceResult:
        """Start it; return when it has acknowledged."""

    def stop(self, result: SourceResult) -> SourceResult:
        """End it and return what it made; one that has ended already is asked for it."""

    def abort(self, result: SourceResult) -> SourceResult:
        """End it and let it discard its data; one that does nothing is left alone."""


def _told(name: str, reference: str, what: str, error: RemoteError) -> RemoteError:
    """Make an error that names the source and what was asked of it."""
    return RemoteError(
        f"source {name} ({reference}) {what}: {error.message}",
        cause=error.cause,
        remedy=error.remedy or "see whether the source is running and repair it",
    )


class PrimaryLink(SourceLink):
    """A recif source.

    Its commands act on its current session, whoever began that. So before a stop
    or an abort it is asked what became of the own session.
    """

    def __init__(self, site: Site, source: PrimarySource) -> None:
        self.name = source.source_name
        self._reference = source.rr_uri
        self._site = site

    @property
    def _rec(self) -> RecCmds:
        return self._site.narrow(self._reference, RecCmds)

    def _ask(self, what: str, state: SourceState, call: Callable[[], T]) -> T:
        try:
            return call()
        except RemoteError as error:
            raise SourceFailure(_told(self.name, self._reference, what, error), state) from error

    @override
    def start(self, result: SourceResult) -> SourceResult:
        try:
            status = self._rec.rec_start(RecProperties(id=result.session))
        except RemoteError as error:
            told = _told(self.name, self._reference, "did not start", error)
            raise SourceFailure(told, _after_start(error)) from error
        return replace(result, session=status.id or result.session, state=SourceState.ACTIVE)

    @override
    def stop(self, result: SourceResult) -> SourceResult:
        def stop() -> RecStatus:
            status = self._rec.rec_status(result.session)
            return status if status.status.is_final else self._rec.rec_stop()

        return self.ended(result, self._ask("did not stop", result.state, stop))

    @override
    def abort(self, result: SourceResult) -> SourceResult:
        def abort() -> None:
            if self._is_running(result.session):
                self._rec.rec_abort()

        self._ask("did not abort", result.state, abort)
        return replace(result, state=SourceState.ABORTED)

    def wait(self, result: SourceResult, timeout_s: float) -> SourceResult | None:
        """Wait for the end of the session; ``None`` when it still runs.

        Raises:
            SourceFailure: It cannot be asked, or the session has ended badly.
        """

        def wait() -> RecStatus | None:
            try:
                return self._end_of(result.session, timeout_s)
            except RecExceptionErr as error:
                raise RemoteError(
                    error.message,
                    cause="it has lost its session, probably by a restart",
                    remedy=_WITHOUT_IT,
                ) from error

        status = self._ask("cannot be waited for", result.state, wait)
        return None if status is None else self.ended(result, status)

    def ended(self, result: SourceResult, status: RecStatus) -> SourceResult:
        """Read the final status of the session.

        Raises:
            SourceFailure: The end was not a good one.
        """
        if status.status.is_good:
            return replace(result, state=SourceState.ENDED, files=status.dp_files)
        error = RemoteError(
            f"its recording is {status.status}" + (f" ({status.info})" if status.info else ""),
            remedy=_WITHOUT_IT,
        )
        told = _told(self.name, self._reference, "ended badly", error)
        raise SourceFailure(told, SourceState.FAILED)

    def _end_of(self, session: str, timeout_s: float) -> RecStatus | None:
        reply = self._rec.rec_wait(timeout_s)
        if reply.status.id == session:
            return None if reply.timed_out else reply.status
        status = self._rec.rec_status(session)
        return status if status.status.is_final else None

    def _is_running(self, session: str) -> bool:
        try:
            return not self._rec.rec_status(session).status.is_final
        except RecExceptionErr:
            return False


class MetadataLink(SourceLink):
    """A metadaqif source."""

    def __init__(self, site: Site, source: MetadataSource) -> None:
        self.name = source.source_name
        self._reference = source.rr_uri
        self._site = site

    @property
    def _daq(self) -> MetaDaq:
        return self._site.narrow(self._reference, MetaDaq)

    @override
    def start(self, result: SourceResult) -> SourceResult:
        try:
            reply = self._daq.start_daq(result.session)
        except RemoteError as error:
            told = _told(self.name, self._reference, "did not start", error)
            raise SourceFailure(told, _after_start(error)) from error
        return replace(result, session=reply.id or result.session, state=SourceState.ACTIVE)

    @override
    def stop(self, result: SourceResult) -> SourceResult:
        try:
            reply = self._daq.stop_daq(result.session)
        except MetaDaqException as error:
            return self._stopped_before(result, error)
        except RemoteError as error:
            raise self._failure("did not stop", result.state, error) from error
        return replace(result, state=SourceState.ENDED, files=reply.files, keywords=reply.keywords)

    def _stopped_before(self, result: SourceResult, refused: MetaDaqException) -> SourceResult:
        """Take what an acquisition made whose stop was executed and its answer lost."""
        try:
            status = self._daq.get_daq_status(result.session)
        except RemoteError as error:
            raise self._failure("did not stop", result.state, refused) from error
        if status.state is MetaDaqState.STOPPED:
            return replace(
                result, state=SourceState.ENDED, files=status.files, keywords=status.keywords
            )
        bad = status.state in (MetaDaqState.FAILED, MetaDaqState.ABORTED)
        raise self._failure(
            "did not stop", SourceState.FAILED if bad else result.state, refused
        ) from refused

    @override
    def abort(self, result: SourceResult) -> SourceResult:
        try:
            if self._is_active(result.session):
                self._daq.abort_daq(result.session)
        except RemoteError as error:
            raise self._failure("did not abort", result.state, error) from error
        return replace(result, state=SourceState.ABORTED)

    def _is_active(self, session: str) -> bool:
        try:
            return self._daq.get_daq_status(session).state is MetaDaqState.ACQUIRING
        except MetaDaqException:
            return False

    def _failure(self, what: str, state: SourceState, error: RemoteError) -> SourceFailure:
        return SourceFailure(_told(self.name, self._reference, what, error), state)


def _after_start(error: RemoteError) -> SourceState:
    """Tell what a source does that did not acknowledge its start.

    One that refuses, has no name or is of another kind has not started. One that cannot be reached may
    have, and must be asked again before anybody says that nothing is running.
    """
    if isinstance(error, RecExceptionErr | MetaDaqException | NamingError | InterfaceMismatch):
        return SourceState.WAITING
    return SourceState.DOUBTFUL


def at_once(
    links: Sequence[SourceLink], action: Callable[[SourceLink], SourceResult]
) -> tuple[list[SourceResult], dict[str, SourceFailure]]:
    """Do the same with several sources side by side.

    Returns:
        The results, and by source name the failures.
    """
    if not links:
        return [], {}
    results: list[SourceResult] = []
    failures: dict[str, SourceFailure] = {}
    with ThreadPoolExecutor(min(len(links), _MOST_AT_ONCE), "source") as pool:
        # In a copy of the context each: their log records belong to the acquisition, too.
        pending = [(link, pool.submit(copy_context().run, action, link)) for link in links]
        for link, future in pending:
            try:
                results.append(future.result())
            except SourceFailure as failure:
                failures[link.name] = failure
    return results, failures
