"""Which files a product needs, and what they are called in the workspace."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import field
from msgspec.structs import replace

from idl_like_interfaces.declare import Value
from idl_like_interfaces.documents import DpSpecification, FitsFileSource
from objects.products.locations import Location, parse_location

FOLDER = "sources"

_LONGEST_NAME = 255 - len(".part") - 1


class SourceFile(Value, frozen=True, kw_only=True):
    """An entry of ``sources.json``.

    Attributes:
        source_name: The data source.
        origin: Where the file comes from.
        path: Its copy, relative to the folder of the acquisition.
        is_target: The product is built in it: the merger changes the copy.
        named_by: Sources that named it again, and get it once.
    """

    source_name: str = field(name="sourceName")
    origin: str
    path: str
    is_target: bool = field(name="isTarget", default=False)
    named_by: tuple[str, ...] = field(name="namedBy", default=())


def localize(
    specification: DpSpecification, here: frozenset[str]
) -> tuple[DpSpecification, list[SourceFile]]:
    """Give each file its local name; the target has index 0, the others follow in order.

    A file that is named again, with the same rules, is left out: the target, else the
    first of them in priority, counts.

    Returns:
        The specification with local paths, and the files.

    Raises:
        ValueError: A location is relative or names no file.
    """
    specification, again = _without_repetitions(specification, here)
    files = [
        _local_file(
            index,
            source,
            here,
            is_target=specification.target.source is source,
            named_by=tuple(again[_what(source, here)]),
        )
        for index, source in enumerate(_files_of(specification))
    ]
    left = iter(files)
    target = specification.target
    if target.source is not None:
        target = replace(target, source=_moved(target.source, next(left)))
    sources = [
        _moved(source, next(left)) if isinstance(source, FitsFileSource) else source
        for source in specification.sources
    ]
    return replace(specification, target=target, sources=sources), files


def canonical(specification: DpSpecification) -> bytes:
    """Return octets that are equal for equal specifications."""
    return msgspec.json.encode(specification)


def _files_of(specification: DpSpecification) -> Iterator[FitsFileSource]:
    if specification.target.source is not None:
        yield specification.target.source
    for source in specification.sources:
        if isinstance(source, FitsFileSource):
            yield source


_What = tuple[Location, bytes]
"""A file, and what is to be merged of it."""


def _without_repetitions(
    specification: DpSpecification, here: frozenset[str]
) -> tuple[DpSpecification, dict[_What, list[str]]]:
    """Leave out what is named again; also return who named each file again."""
    again: dict[_What, list[str]] = {}
    if specification.target.source is not None:
        again[_what(specification.target.source, here)] = []
    sources = []
    for source in specification.sources:
        if isinstance(source, FitsFileSource):
            what = _what(source, here)
            if what in again:
                again[what].append(source.source_name)
                continue
            again[what] = []
        sources.append(source)
    return replace(specification, sources=sources), again


def _what(source: FitsFileSource, here: frozenset[str]) -> _What:
    return parse_location(source.location, here), msgspec.json.encode(source.keyword_rules)


def _local_file(
    index: int,
    source: FitsFileSource,
    here: frozenset[str],
    *,
    is_target: bool,
    named_by: tuple[str, ...],
) -> SourceFile:
    origin = parse_location(source.location, here).path.name
    if origin in ("", "..") or "\0" in source.location:
        raise ValueError(f"location {source.location!r} names no file")
    return SourceFile(
        source_name=source.source_name,
        origin=source.location,
        path=f"{FOLDER}/{_local_name(f'{index}_{source.source_name}_', origin)}",
        is_target=is_target,
        named_by=named_by,
    )


def _local_name(prefix: str, origin: str) -> str:
    """Join both; of an origin that is too long for a file system the end is kept."""
    room = _LONGEST_NAME - len(prefix)
    end = origin.encode(errors="surrogateescape")[-room:]
    return prefix + end.decode(errors="ignore")


def _moved(source: FitsFileSource, file: SourceFile) -> FitsFileSource:
    return replace(source, location=file.path)
