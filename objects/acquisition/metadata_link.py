"""A metadata source of one acquisition."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace
from typing_extensions import override

from idl_like_interfaces.checks import check_keywords
from idl_like_interfaces.documents import MetadataSource
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.keywords import FitsKeyword
from idl_like_interfaces.metadaqif import MetaDaq, MetaDaqException, MetaDaqState, MetaDaqStatus
from objects.acquisition.product import SourceResult, SourceState
from objects.acquisition.sources import (
    RemoteSource,
    of_another,
    state_after_start,
    usable_files,
)
from objects.acquisition.vocabulary import ANY, Vocabulary
from objects.component.site import Site


class MetadataLink(RemoteSource[MetaDaq]):
    """A metadaqif source.

    Args:
        site: Where it is found.
        source: What it is called there.
        deadline_s: For each request.
        vocabulary: Which keywords it may give.
    """

    def __init__(
        self, site: Site, source: MetadataSource, deadline_s: float, vocabulary: Vocabulary = ANY
    ) -> None:
        super().__init__(site, source, MetaDaq, deadline_s)
        self._vocabulary = vocabulary

    @override
    def start(self, result: SourceResult) -> SourceResult:
        try:
            _check_own(self._servant.start_daq(result.session).id, result.session)
        except RemoteError as error:
            raise self._failure("did not start", state_after_start(error), error) from error
        return replace(result, state=SourceState.ACTIVE)

    @override
    def stop(self, result: SourceResult) -> SourceResult:
        try:
            reply = self._servant.stop_daq(result.session)
            _check_own(reply.id, result.session)
        except MetaDaqException as error:
            return self._stopped_before(result, error)
        except RemoteError as error:
            raise self._failure("did not stop", result.state, error) from error
        return self._ended(result, reply.files, reply.keywords)

    def _stopped_before(self, result: SourceResult, refused: MetaDaqException) -> SourceResult:
        """Take what an acquisition made whose stop was executed and its answer lost."""
        try:
            status = self._status_of(result.session)
        except RemoteError as error:
            raise self._failure("did not stop", result.state, refused) from error
        if status.state is MetaDaqState.STOPPED:
            return self._ended(result, status.files, status.keywords)
        bad = status.state in (MetaDaqState.FAILED, MetaDaqState.ABORTED)
        raise self._failure(
            "did not stop", SourceState.FAILED if bad else result.state, refused
        ) from refused

    @override
    def abort(self, result: SourceResult) -> SourceResult:
        try:
            self._abort(result.session)
        except RemoteError as error:
            raise self._failure("did not abort", result.state, error) from error
        return replace(result, state=SourceState.ABORTED)

    def _abort(self, session: str) -> None:
        if not self._is_active(session):
            return
        try:
            self._servant.abort_daq(session)
        except MetaDaqException:
            # It may have ended just before.
            if self._is_active(session):
                raise

    def _ended(
        self, result: SourceResult, files: Sequence[str], keywords: list[FitsKeyword]
    ) -> SourceResult:
        try:
            usable = usable_files(self.name, files)
            check_keywords(keywords, "keywords")
            checked = self._vocabulary.of_source(keywords)
        except RemoteError as error:
            raise self._failure("cannot be used", SourceState.FAILED, error) from error
        answer = f"stopped, {len(usable)} file{'' if len(usable) == 1 else 's'}"
        return replace(
            result, state=SourceState.ENDED, files=usable, keywords=checked, answer=answer
        )

    def _status_of(self, session: str) -> MetaDaqStatus:
        status = self._servant.get_daq_status(session)
        _check_own(status.id, session)
        return status

    def _is_active(self, session: str) -> bool:
        try:
            return self._status_of(session).state is MetaDaqState.ACQUIRING
        except MetaDaqException:
            return False


def _check_own(told_id: str, session: str) -> None:
    if told_id not in ("", session):
        raise of_another("acquisition", told_id, session)
