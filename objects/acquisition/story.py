"""The story of one acquisition, put together from what the coordinator has kept of it."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from idl_like_interfaces.daq_contributions import MOST_TOLD, StoryFile, StorySource
from idl_like_interfaces.daqif import (
    DaqAlert,
    DaqStatus,
    DaqStory,
    ProductStory,
    StoryAlert,
    StoryState,
)
from idl_like_interfaces.documents import FitsFileSource, FitsKeywordsSource, StartSource
from objects.acquisition import alerts as al
from objects.acquisition.context import Context
from objects.acquisition.product import SourceResult, SourceState

_ANSWERS = {
    SourceState.WAITING: "was not started",
    SourceState.ACTIVE: "has started",
    SourceState.DOUBTFUL: "was asked to start, and its answer was lost",
    SourceState.ENDED: "ended well",
    SourceState.FAILED: "ended badly, or does not answer",
    SourceState.ABORTED: "aborted, its data are discarded",
}


def story_of(
    status: DaqStatus, context: Context, making: ProductStory | None, making_note: str
) -> DaqStory:
    """Tell an acquisition.

    Args:
        status: Where it is.
        context: What is known besides.
        making: What the DPM says.
        making_note: Why it says nothing.
    """
    past = context.past_alerts
    active = [StoryAlert(alert=each) for each in status.alerts]
    return DaqStory(
        status=status,
        coordinator=context.process_name,
        created=context.creation_time,
        states=stays(context.entered),
        sources=[_source(each, context, [*past, *active]) for each in context.plan.sources],
        keywords=len(context.keywords),
        alerts=sorted([*past, *active], key=lambda each: each.alert.time),
        making=making,
        making_note=making_note,
    )


def stays(entered: Sequence[DaqStatus]) -> list[StoryState]:
    """Return how long it was in each state; the last one is not over."""
    ends: list[float | None] = [each.timestamp for each in entered[1:]]
    return [
        StoryState(
            state=each.state,
            substate=each.substate,
            entered=datetime.fromtimestamp(each.timestamp, UTC),
            # Other clocks tell of the states in the DPM: none was ever left before it was entered.
            duration_s=None if end is None else max(end - each.timestamp, 0.0),
        )
        for each, end in zip(entered, [*ends, None], strict=False)
    ]


def past_alerts(
    known: Sequence[StoryAlert],
    before: Iterable[DaqAlert],
    now: Sequence[DaqAlert],
    time: datetime,
) -> list[StoryAlert]:
    """Add the alerts that are over, or say something else by now; only the last are kept."""
    over = [StoryAlert(alert=each, cleared=time) for each in before if each not in now]
    return [*known, *over][-MOST_TOLD:]


def _source(source: StartSource, context: Context, alerts: Sequence[StoryAlert]) -> StorySource:
    kind = str(source.__struct_config__.tag)
    match source:
        case FitsFileSource():
            files = [_file(source.location)]
            return StorySource(name=source.source_name, kind=kind, files=files)
        case FitsKeywordsSource():
            count = len(source.keywords)
            return StorySource(name=source.source_name, kind=kind, keywords=count)
        case _:
            result = context.result_of(source.source_name)
            return StorySource(
                name=source.source_name,
                kind=kind,
                reference=source.rr_uri,
                state=result.state,
                answer=_answer(result, alerts),
                files=[_file(each) for each in result.files[:MOST_TOLD]],
                more_files=max(len(result.files) - MOST_TOLD, 0),
                keywords=len(result.keywords) + len(source.initial_keywords),
            )


def _answer(result: SourceResult, alerts: Sequence[StoryAlert]) -> str:
    """Return its own words; the last thing that went wrong, if it went wrong for good."""
    complaints = [
        each.alert.description
        for each in alerts
        if each.alert.id.startswith(al.of_source(result.source_name, ""))
    ]
    is_well = result.state in (SourceState.ACTIVE, SourceState.ENDED)
    if is_well or not complaints:
        return result.answer or _ANSWERS[result.state]
    return complaints[-1]


def _file(location: str) -> StoryFile:
    path = location.removeprefix(f"{socket.gethostname()}:")
    try:
        size = Path(path).stat().st_size if path.startswith("/") else None
    except (OSError, ValueError):
        size = None
    return StoryFile(path=location, size_bytes=size)
