"""What a client asks for, read into one plan: the arguments of V1 and the document of V2."""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

from msgspec import Meta

from idl_like_interfaces.daqif import DaqException
from idl_like_interfaces.declare import Document, Seconds
from idl_like_interfaces.documents import (
    FilePrefix,
    FitsFileSource,
    FitsKeywordsSource,
    MetadataSource,
    PrimarySource,
    Receiver,
    StartDaqV1Properties,
    StartDaqV2Specification,
    StartSource,
)
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.keywords import FitsKeyword
from idl_like_interfaces.mapping.coding import from_plain, parse_json
from idl_like_interfaces.naming import REFERENCE
from objects.acquisition import keywords as kw
from objects.acquisition.refusals import refusal, refused_for

OWN_SOURCE = "ocm"
"""Name under which the coordinator contributes its own keywords."""

Stateful: TypeAlias = PrimarySource | MetadataSource
Id: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:+-]*$", max_length=128)]


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
    """

    id: str = ""
    sources: list[StartSource]
    merge_target: str = ""
    target_is_sole_file: bool = False
    receivers: list[Receiver] = []
    file_prefix: str = ""
    await_interval: Seconds
    keywords: list[FitsKeyword] = []

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
        from_plain(Id, id, "id")
        _check_prefix(file_prefix)
        wanted = _properties(properties)
        primaries = [
            from_plain(PrimarySource, _tagged("primarySource", each), f"prim_sources {each!r}")
            for each in _items(prim_sources, "prim_sources")
        ]
        metadata = [
            from_plain(MetadataSource, _tagged("metadataSource", each), f"meta_sources {each!r}")
            for each in _items(meta_sources, "meta_sources")
        ]
        plan = Plan(
            id=id,
            sources=[*primaries, *metadata],
            target_is_sole_file=True,
            file_prefix=file_prefix,
            await_interval=wanted.await_interval,
            keywords=wanted.keywords,
        )
        _check(plan, "prim_sources and meta_sources")
    except BadParam as error:
        raise refused_for(id, error) from error
    return plan


def plan_v2(specification: str) -> Plan:
    """Read the document of ``start_daq_v2``.

    Raises:
        DaqException: Naming the field that is wrong.
    """
    try:
        asked = parse_json(StartDaqV2Specification, specification, "specification")
    except BadParam as error:
        raise _with_hint(error, specification) from error
    plan = Plan(
        id=asked.id or "",
        sources=asked.sources,
        merge_target=asked.merge_target.source_name if asked.merge_target else "",
        receivers=asked.receivers,
        file_prefix=asked.file_prefix,
        await_interval=asked.await_completion_interval,
    )
    try:
        _check(plan, "specification.sources")
        _check_target(plan)
    except BadParam as error:
        raise refused_for(plan.id, error) from error
    return plan


def keywords_of(id: str, text: str) -> list[FitsKeyword]:
    """Read the argument of ``update_keywords``.

    Raises:
        DaqException: Naming the keyword that is wrong.
    """
    try:
        found = parse_json(list[FitsKeyword], text, "keywords")
        kw.check(found, "keywords")
    except BadParam as error:
        raise refused_for(id, error) from error
    return found


def _check_prefix(file_prefix: str) -> None:
    try:
        from_plain(FilePrefix, file_prefix, "file_prefix")
    except BadParam as error:
        raise BadParam(
            f"file_prefix {file_prefix!r} is not made of the characters [-a-zA-Z0-9_.], at most 64",
            field="file_prefix",
            remedy="use these characters only",
        ) from error


def _properties(text: str) -> StartDaqV1Properties:
    if not text:
        return StartDaqV1Properties()
    return parse_json(StartDaqV1Properties, text, "properties")


_ITEM = re.compile(r"(?P<name>[^@]+)@(?P<reference>.+)")


def _items(text: str, field: str) -> list[re.Match[str]]:
    """Split ``name@rrUri`` items; the reference may hold further ``@``."""
    found = []
    for item in text.split():
        match = _ITEM.fullmatch(item)
        if match is None:
            raise BadParam(
                f"{field}: {item!r} is not of the form name@rrUri",
                field=field,
                remedy="write for example dcs1@obs/sources/dcs1/rec, items separated by blanks",
            )
        found.append(match)
    return found


def _tagged(kind: str, item: re.Match[str]) -> dict[str, str]:
    return {"type": kind, "sourceName": item["name"], "rrUri": item["reference"]}


def _check(plan: Plan, where: str) -> None:
    if not plan.sources:
        raise BadParam(
            f"{where}: no source is given", field=where, remedy="give at least one source"
        )
    _check_names(plan.sources, where)
    kw.check(plan.keywords, "properties.keywords")
    for place, source in enumerate(plan.sources):
        match source:
            case FitsKeywordsSource():
                kw.check(source.keywords, f"{where}[{place}].keywords")
            case PrimarySource() | MetadataSource():
                kw.check(source.initial_keywords, f"{where}[{place}].initialKeywords")
                _check_reference(source.rr_uri, f"{where}[{place}].rrUri")
            case FitsFileSource():
                pass


def _check_reference(reference: str, where: str) -> None:
    """Refuse what begins as a URI and is none; whether a name is bound, its source tells."""
    if reference.startswith("PYRO:") and not REFERENCE.fullmatch(reference):
        raise BadParam(
            f"{where}: {reference!r} is not a URI",
            field=where,
            remedy="write PYRO:OBJECT@HOST:PORT, or better the name, e.g. obs/sources/dcs1/rec",
        )
    if "://" in reference:
        raise BadParam(
            f"{where}: {reference!r} is an endpoint; objects are found by name here",
            field=where,
            cause="it is a URI of another middleware (zpb.rr://HOST:PORT/SERVICE)",
            remedy="write the name, e.g. obs/sources/dcs1/rec; `obsorb names list obs/sources` shows all",
        )


def _check_names(sources: list[StartSource], where: str) -> None:
    seen = {OWN_SOURCE}
    for source in sources:
        name = source.source_name
        if name in seen:
            whose = "the coordinator itself" if name == OWN_SOURCE else "another source"
            raise BadParam(
                f"{where}: the source name {name!r} is that of {whose}",
                field=where,
                remedy="give every source of an acquisition a name of its own",
            )
        seen.add(name)


def _check_target(plan: Plan) -> None:
    able = [s.source_name for s in plan.sources if not isinstance(s, FitsKeywordsSource)]
    if plan.merge_target and plan.merge_target not in able:
        raise BadParam(
            f"specification.mergeTarget.sourceName is {plan.merge_target!r},"
            f" but the sources that make files are: {', '.join(able) or 'none'}",
            field="specification.mergeTarget.sourceName",
            remedy="name one of them, or leave mergeTarget out",
        )


def _with_hint(error: BadParam, text: str) -> DaqException:
    """Refuse a document; who used the older name of a source type is told the newer one."""
    if error.field.endswith(".type") and "primaryDataSource" in text:
        return refusal("", error.message, remedy='write "primarySource" in place of it')
    return refused_for("", error)
