"""What a client asks for, read into one plan: the arguments of V1 and the document of V2."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias, TypeVar

from idl_like_interfaces.checks import check_no_structure, check_receivers, check_source, shown
from idl_like_interfaces.daqif import DaqException
from idl_like_interfaces.declare import Document, Seconds, UtcTime
from idl_like_interfaces.documents import (
    FilePrefix,
    FitsFileSource,
    FitsKeywordsSource,
    Id,
    MetadataSource,
    PrimarySource,
    Receiver,
    StartDaqV1Properties,
    StartDaqV2Specification,
    StartSource,
)
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.keywords import FitsKeyword
from idl_like_interfaces.mapping.coding import from_plain
from idl_like_interfaces.reading import read_document, read_tolerantly
from objects.acquisition import keywords as kw
from objects.acquisition.refusals import refusal, refused_for

OWN_SOURCE = "ocm"
"""Name under which the coordinator contributes its own keywords."""

Stateful: TypeAlias = PrimarySource | MetadataSource
Source = TypeVar("Source", PrimarySource, MetadataSource)


class Plan(Document, frozen=True, kw_only=True, rename="camel"):
    """What shall be acquired and what becomes of it.

    Attributes:
        id: As the client wants it; empty: one is made.
        sources: In descending merge priority.
        merge_target: Source whose first file the product is built in; empty: none.
        target_is_sole_file: Without a merge target, the only file of the only
            primary source is the target (the rule of V1).
        receivers: Who gets the product.
        file_prefix: Before the name of the result file.
        await_interval: Longest duration of one wait request, seconds.
        keywords: The client's initial keywords.
        start_time: When the primary sources begin to record; None: at once.
        unknown: Paths of members that nobody knows and that were passed over.
    """

    id: str = ""
    sources: list[StartSource]
    merge_target: str = ""
    target_is_sole_file: bool = False
    receivers: list[Receiver] = []
    file_prefix: str = ""
    await_interval: Seconds
    keywords: list[FitsKeyword] = []
    start_time: UtcTime | None = None
    unknown: list[str] = []

    @property
    def primaries(self) -> list[PrimarySource]:
        """The sources that may end by themselves."""
        return [source for source in self.sources if isinstance(source, PrimarySource)]

    @property
    def metadata(self) -> list[MetadataSource]:
        """The sources that accompany them."""
        return [source for source in self.sources if isinstance(source, MetadataSource)]


def plan_v1(
    id: str, file_prefix: str, prim_sources: str, meta_sources: str, properties: str
) -> Plan:
    """Read the arguments of ``start_daq``.

    Raises:
        DaqException: Naming what is wrong in which argument.
    """
    try:
        if id:
            from_plain(Id, id, "id")
        _check_prefix(file_prefix)
        wanted, unknown = _properties(properties)
        primaries = _listed(PrimarySource, prim_sources, "prim_sources")
        metadata = _listed(MetadataSource, meta_sources, "meta_sources")
        plan = Plan(
            id=id,
            sources=[*primaries.values(), *metadata.values()],
            target_is_sole_file=True,
            file_prefix=file_prefix,
            await_interval=wanted.await_interval,
            keywords=wanted.keywords,
            start_time=wanted.start_time,
            unknown=unknown,
        )
        kw.check(plan.keywords, "properties.keywords")
        _check(plan.sources, [*primaries, *metadata], "prim_sources and meta_sources")
    except BadParam as error:
        raise refused_for(id, error) from error
    return plan


def plan_v2(specification: str) -> Plan:
    """Read the document of ``start_daq_v2``.

    Raises:
        DaqException: Naming the field that is wrong.
    """
    try:
        asked = read_document(StartDaqV2Specification, specification, "specification")
    except BadParam as error:
        raise _with_hint(error) from error
    plan = Plan(
        id=asked.id or "",
        sources=asked.sources,
        merge_target=asked.merge_target.source_name if asked.merge_target else "",
        receivers=asked.receivers,
        file_prefix=asked.file_prefix,
        await_interval=asked.await_completion_interval,
        start_time=asked.start_time,
    )
    try:
        paths = [f"specification.sources[{place}]" for place in range(len(plan.sources))]
        _check(plan.sources, paths, "specification.sources")
        _check_target(plan)
        check_receivers(plan.receivers, "specification.receivers")
    except BadParam as error:
        raise refused_for(plan.id, error) from error
    return plan


def keywords_of(id: str, text: str) -> list[FitsKeyword]:
    """Read the argument of ``update_keywords``.

    Raises:
        DaqException: Naming the keyword that is wrong.
    """
    try:
        found = read_document(list[FitsKeyword], text, "keywords")
        kw.check(found, "keywords")
    except BadParam as error:
        raise refused_for(id, error) from error
    return found


def _check_prefix(file_prefix: str) -> None:
    try:
        from_plain(FilePrefix, file_prefix, "file_prefix")
    except BadParam as error:
        raise BadParam(
            f"file_prefix: {shown(file_prefix)} is not made of the characters [-a-zA-Z0-9_.],"
            " at most 64",
            field="file_prefix",
            remedy="use these characters only",
        ) from error


def _properties(text: str) -> tuple[StartDaqV1Properties, list[str]]:
    """Return the properties, and the paths of what nobody knows in them."""
    if not text:
        return StartDaqV1Properties(), []
    return read_tolerantly(StartDaqV1Properties, text, "properties")


_ITEM = re.compile(r"(?P<name>[^@]+)@(?P<reference>.+)")


def _listed(kind: type[Source], text: str, field: str) -> dict[str, Source]:
    """Read ``name@rrUri`` items by their path; the reference may hold further ``@``."""
    found = {}
    for place, item in enumerate(text.split()):
        match, path = _ITEM.fullmatch(item), f"{field}[{place}]"
        if match is None:
            raise BadParam(
                f"{path}: {shown(item)} is not of the form name@rrUri",
                field=path,
                remedy="write for example dcs1@obs/sources/dcs1/rec, items separated by blanks",
            )
        plain = {"type": kind.__struct_config__.tag, "sourceName": match["name"]}
        found[path] = from_plain(kind, plain | {"rrUri": match["reference"]}, path)
    return found


def _check(sources: Sequence[StartSource], paths: Sequence[str], where: str) -> None:
    """Check what the types do not say; ``paths`` are those of the sources."""
    if not sources:
        raise BadParam(
            f"{where}: no source is given", field=where, remedy="give at least one source"
        )
    _check_names(sources, paths)
    for source, path in zip(sources, paths, strict=True):
        check_source(source, path)
        match source:
            case FitsKeywordsSource():
                check_no_structure(source.keywords, f"{path}.keywords")
            case PrimarySource() | MetadataSource():
                check_no_structure(source.initial_keywords, f"{path}.initialKeywords")
            case FitsFileSource():
                pass


def _check_names(sources: Sequence[StartSource], paths: Sequence[str]) -> None:
    seen = {OWN_SOURCE: ""}
    for source, path in zip(sources, paths, strict=True):
        name = source.source_name
        if name in seen:
            whose = seen[name] or "the coordinator itself"
            raise BadParam(
                f"{path}.sourceName: the source name {name!r} is that of {whose}",
                field=f"{path}.sourceName",
                remedy="give every source of an acquisition a name of its own",
            )
        seen[name] = path


def _check_target(plan: Plan) -> None:
    able = [s.source_name for s in plan.sources if not isinstance(s, FitsKeywordsSource)]
    if plan.merge_target and plan.merge_target not in able:
        raise BadParam(
            f"specification.mergeTarget.sourceName is {plan.merge_target!r},"
            f" but the sources that make files are: {', '.join(able) or 'none'}",
            field="specification.mergeTarget.sourceName",
            remedy="name one of them, or leave mergeTarget out",
        )


def _with_hint(error: BadParam) -> DaqException:
    """Refuse a document; who used the older name of a source type is told the newer one."""
    if error.field.endswith(".type") and "'primaryDataSource'" in error.message:
        return refusal("", error.message, remedy='write "primarySource" in place of it')
    return refused_for("", error)
