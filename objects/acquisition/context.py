"""What the coordinator remembers of an acquisition besides its public status."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace

from idl_like_interfaces.daqif import DaqAlert, DaqStatus, DaqSubstate, StoryAlert
from idl_like_interfaces.declare import Document, UtcTime
from idl_like_interfaces.documents import DpSpecification
from idl_like_interfaces.keywords import FitsKeyword
from objects.acquisition.product import SourceResult, specification_of
from objects.acquisition.specification import Plan, Stateful


class Context(Document, frozen=True, kw_only=True, rename="camel"):
    """The inside of an acquisition, as it is kept in the workspace.

    Attributes:
        id: Its id.
        file_id: Its file id.
        process_name: The coordinator that made it.
        creation_time: When that was.
        plan: What was asked for.
        keywords: The client's keywords as they are now.
        results: State of each stateful source, in the order of the plan.
        alerts: The coordinator's own alerts, without those of the DPM.
        past_alerts: Those that are over, of the DPM too; the last ``MOST_TOLD``.
        entered: The status at each entry of a state, oldest first.
        maybe_queued: A request to queue it was sent and its answer lost.
    """

    id: str
    file_id: str
    process_name: str
    creation_time: UtcTime
    plan: Plan
    keywords: list[FitsKeyword] = []
    results: list[SourceResult] = []
    alerts: list[DaqAlert] = []
    past_alerts: list[StoryAlert] = []
    entered: list[DaqStatus] = []
    maybe_queued: bool = False

    def result_of(self, source_name: str) -> SourceResult:
        """Return the state of a source."""
        return next(each for each in self.results if each.source_name == source_name)

    def with_result(self, result: SourceResult) -> list[SourceResult]:
        """Return the states of all sources, that of one replaced."""
        return [result if each.source_name == result.source_name else each for each in self.results]

    def specification(self) -> DpSpecification:
        """Say what the data product consists of."""
        results = {each.source_name: each for each in self.results}
        made = specification_of(self.id, self.file_id, self.plan, self.keywords, results)
        return replace(made, stopped_at=self.stopped_at())

    def stopped_at(self) -> datetime | None:
        """Return when the last source had stopped, None before that."""
        times = [each.timestamp for each in self.entered if each.substate is DaqSubstate.STOPPED]
        return datetime.fromtimestamp(times[-1], UTC) if times else None


def new_context(
    plan: Plan, id: str, file_id: str, process_name: str, creation_time: datetime
) -> Context:
    """Make the context of an acquisition that begins."""
    stateful: list[Stateful] = [*plan.metadata, *plan.primaries]
    return Context(
        id=id,
        file_id=file_id,
        process_name=process_name,
        creation_time=creation_time,
        plan=plan,
        keywords=plan.keywords,
        # The file id, since a client may use its own ids again and sources refuse that.
        results=[
            SourceResult(source_name=source.source_name, session=file_id) for source in stateful
        ],
    )
