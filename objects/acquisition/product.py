"""What is to be merged: from the results of the sources to a data product specification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from idl_like_interfaces.declare import Document
from idl_like_interfaces.documents import (
    DpSpecification,
    DpTarget,
    FitsFileSource,
    FitsKeywordsSource,
    MergeSource,
    StartSource,
)
from idl_like_interfaces.keywords import FitsKeyword, ValueKeyword
from objects.acquisition.specification import OWN_SOURCE, Plan, Stateful


class SourceState(StrEnum):
    """What a source does for an acquisition, as far as the coordinator knows."""

    WAITING = "waiting"
    """Not asked to start, or it refused to."""
    ACTIVE = "active"
    """It has acknowledged the start."""
    DOUBTFUL = "doubtful"
    """It was asked to start and the answer was lost."""
    ENDED = "ended"
    """It has ended well; files and keywords are what it made."""
    FAILED = "failed"
    """It has ended badly or does not answer; it contributes nothing."""
    ABORTED = "aborted"
    """It has discarded its data."""


class SourceResult(Document, frozen=True, kw_only=True, rename="camel"):
    """State of one source in one acquisition.

    Attributes:
        source_name: Its name.
        session: Id of its recording session or metadata acquisition.
        state: What it does.
        files: What it made, once ended.
        keywords: What it says, once ended.
        answer: What it answered last, for a person; empty: see the state and the alerts.
    """

    source_name: str
    session: str = ""
    state: SourceState = SourceState.WAITING
    files: list[str] = []
    keywords: list[FitsKeyword] = []
    answer: str = ""


def specification_of(
    id: str,
    file_id: str,
    plan: Plan,
    keywords: Sequence[FitsKeyword],
    results: Mapping[str, SourceResult],
) -> DpSpecification:
    """Say what the data product consists of.

    Args:
        id: The acquisition.
        file_id: Of the product; the instrument's name is its first part.
        plan: What was asked for.
        keywords: The client's keywords as they are now.
        results: What each stateful source made, by its name.
    """
    own = FitsKeywordsSource(
        source_name=OWN_SOURCE, keywords=[*standard_keywords(file_id), *keywords]
    )
    parts: list[MergeSource] = [own]
    for source in plan.sources:
        parts.extend(_parts(source, results))
    target = _target(plan, parts)
    return DpSpecification(
        id=id,
        sources=[part for part in parts if part is not target],
        target=DpTarget(file_id=file_id, source=target, file_prefix=plan.file_prefix),
        receivers=plan.receivers,
    )


def standard_keywords(file_id: str) -> list[FitsKeyword]:
    """Return what every product says of its origin."""
    return [
        ValueKeyword(name="INSTRUME", value=instrument_of(file_id), comment="Instrument used"),
        ValueKeyword(name="ARCFILE", value=f"{file_id}.fits", comment="Archive file name"),
    ]


def instrument_of(file_id: str) -> str:
    """Return the instrument id before the time in a file id."""
    return file_id[: -len(".YYYY-MM-DDThh:mm:ss.sss")]


def _parts(source: StartSource, results: Mapping[str, SourceResult]) -> list[MergeSource]:
    """Return what one source adds: its keywords first, then its files."""
    if isinstance(source, FitsFileSource | FitsKeywordsSource):
        return [source]
    return _parts_of_stateful(source, results.get(source.source_name))


def _parts_of_stateful(source: Stateful, result: SourceResult | None) -> list[MergeSource]:
    ended = result is not None and result.state is SourceState.ENDED
    said = result.keywords if result is not None and ended else []
    files = result.files if result is not None and ended else []
    keywords = [*source.initial_keywords, *said]
    parts: list[MergeSource] = []
    if keywords and ended:
        parts.append(FitsKeywordsSource(source_name=source.source_name, keywords=keywords))
    parts.extend(
        FitsFileSource(
            source_name=source.source_name,
            location=location,
            keyword_rules=source.keyword_rules,
            alert_unmergeable=source.alert_unmergeable,
        )
        for location in files
    )
    return parts


def _target(plan: Plan, parts: Sequence[MergeSource]) -> FitsFileSource | None:
    """Choose the file that the product is built in."""
    name = plan.merge_target or _sole_primary(plan)
    files = [p for p in parts if isinstance(p, FitsFileSource) and p.source_name == name]
    if not files or (plan.target_is_sole_file and len(files) > 1):
        return None
    return files[0]


def _sole_primary(plan: Plan) -> str:
    primaries = plan.primaries
    if plan.target_is_sole_file and len(primaries) == 1:
        return primaries[0].source_name
    return ""
