"""A primary source of one acquisition: its recording session."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from msgspec.structs import replace
from typing_extensions import override

from idl_like_interfaces.documents import PrimarySource
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.recif import RecCmds, RecExceptionErr, RecProperties, RecStatus
from objects.acquisition.product import SourceResult, SourceState
from objects.acquisition.sources import (
    WITHOUT_IT,
    RemoteSource,
    SourceFailure,
    of_another,
    state_after_start,
    usable_files,
)
from objects.component.site import Site

T = TypeVar("T")


class PrimaryLink(RemoteSource[RecCmds]):
    """A recif source.

    Its commands act on its current session, whoever began that. So before a stop
    or an abort it is asked what became of the own session. What it answers is believed only
    as far as it is about that session; the first final state counts.

    Args:
        site: Where it is found.
        source: What it is called there.
        deadline_s: For each request; that of a wait is so much longer than the wait.
        begin_at: When it shall begin to record; None: at once.
    """

    def __init__(
        self, site: Site, source: PrimarySource, deadline_s: float, begin_at: datetime | None = None
    ) -> None:
        super().__init__(site, source, RecCmds, deadline_s)
        self._begin_at = begin_at

    def _ask(self, what: str, state: SourceState, call: Callable[[], T]) -> T:
        try:
            return call()
        except RemoteError as error:
            raise self._failure(what, state, error) from error

    @override
    def start(self, result: SourceResult) -> SourceResult:
        asked = RecProperties(id=result.session, abs_time=self._begin_at)
        try:
            status = self._servant.rec_start(asked)
            self._check_own(status, result.session)
        except RemoteError as error:
            raise self._failure("did not start", state_after_start(error), error) from error
        if status.status.is_final and not status.status.is_good:
            raise self._ended_badly(status)
        return replace(result, state=SourceState.ACTIVE)

    @override
    def stop(self, result: SourceResult) -> SourceResult:
        def stop() -> RecStatus:
            status = self._status_of(result.session)
            if status.status.is_final:
                return status
            try:
                status = self._servant.rec_stop()
            except RecExceptionErr:
                # It may have ended just before: by itself, or by an earlier stop that was slow.
                status = self._status_of(result.session)
                if not status.status.is_final:
                    raise
            self._check_own(status, result.session)
            return status

        return self._ended(result, self._ask("did not stop", result.state, stop))

    @override
    def abort(self, result: SourceResult) -> SourceResult:
        def abort() -> None:
            if not self._is_running(result.session):
                return
            try:
                self._servant.rec_abort()
            except RecExceptionErr:
                if self._is_running(result.session):
                    raise

        self._ask("did not abort", result.state, abort)
        return replace(result, state=SourceState.ABORTED)

    def wait(self, result: SourceResult, timeout_s: float) -> SourceResult | None:
        """Wait for the end of the session; ``None`` when it still runs.

        Raises:
            SourceFailure: It cannot be asked, or the session has ended badly.
        """

        def wait() -> RecStatus:
            try:
                status = self._servant.rec_wait(timeout_s).status
                return status if status.id == result.session else self._status_of(result.session)
            except RecExceptionErr as error:
                raise RemoteError(
                    error.message,
                    cause="it has lost its session, probably by a restart",
                    remedy=WITHOUT_IT,
                ) from error

        status = self._ask("cannot be waited for", result.state, wait)
        # Its word on whether the time is over is not needed: only an end is one.
        return self._ended(result, status) if status.status.is_final else None

    def _ended(self, result: SourceResult, status: RecStatus) -> SourceResult:
        """Read the final status of the session.

        Raises:
            SourceFailure: It is none, its end was not a good one, or what it made cannot be.
        """
        if not status.status.is_final:
            error = RemoteError(
                f"its recording is {status.status} still",
                cause="it takes longer to end, or does not keep its interface",
                remedy=f"give the command again; {WITHOUT_IT}",
            )
            raise self._failure("did not stop", SourceState.ACTIVE, error)
        if not status.status.is_good:
            raise self._ended_badly(status)
        try:
            files = usable_files(self.name, status.dp_files)
        except RemoteError as error:
            raise self._failure("cannot be used", SourceState.FAILED, error) from error
        answer = f"{status.status}, {status.frames_processed} frames in {status.time_elapsed:.1f} s"
        return replace(result, state=SourceState.ENDED, files=files, answer=answer)

    def _ended_badly(self, status: RecStatus) -> SourceFailure:
        error = RemoteError(
            f"its recording is {status.status}" + (f" ({status.info})" if status.info else ""),
            remedy=WITHOUT_IT,
        )
        return self._failure("ended badly", SourceState.FAILED, error)

    def _status_of(self, session: str) -> RecStatus:
        status = self._servant.rec_status(session)
        self._check_own(status, session)
        return status

    @staticmethod
    def _check_own(status: RecStatus, session: str) -> None:
        if status.id not in ("", session):
            raise of_another("session", status.id, session)

    def _is_running(self, session: str) -> bool:
        try:
            return not self._status_of(session).status.is_final
        except RecExceptionErr:
            return False
