"""The product in thought: every HDU that it will have, made from specification and inputs.

Reads headers only; nothing is written, and no input is opened for writing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from idl_like_interfaces.documents import DpSpecification, FitsFileSource, FitsKeywordsSource
from idl_like_interfaces.keywords import ValueKeyword
from idl_like_interfaces.merging import MergeContent, MergeExit
from objects.products.merge import findings
from objects.products.merge.cards import Card, parse_cards
from objects.products.merge.collisions import Collision
from objects.products.merge.formatting import format_keyword
from objects.products.merge.layout import Hdu, read_layout
from objects.products.merge.plan import (
    OCM_SOURCE,
    Contribution,
    apply_own_rules,
    default_copy,
    merge_cards,
    overridden,
)
from objects.products.merge.problems import BadFits, MergeProblem, SchemaViolation
from objects.products.merge.repair import Repair, repair_cards
from objects.products.merge.structure import structure_cards

_REMOTE = re.compile(r"[A-Za-z0-9.-]+:/")
_LONGEST_STRING = 68


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputHdu:
    """An HDU of the product.

    Attributes:
        images: Its header records in front of END, checksums not yet right.
        origin: The HDU whose data it has; ``None``: it has none.
        source: Name of the source that it comes from; empty for a new one.
    """

    images: tuple[str, ...]
    origin: Hdu | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What will be written.

    Attributes:
        hdus: In order; the first is the primary HDU.
        alerts: What is to be told of its making.
        collisions: Keywords that sources contradict each other about.
        headers: Primary HDUs without data that only gave their keywords.
    """

    hdus: tuple[OutputHdu, ...]
    alerts: tuple[MergeContent, ...]
    collisions: tuple[Collision, ...]
    headers: tuple[OutputHdu, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Input:
    """A file of the specification.

    Attributes:
        source: What stands there about it.
        field: Its path there.
        hdus: What the file consists of.
        cards: Its primary header.
        repairs: What was done to make those cards keep the standard.
    """

    source: FitsFileSource
    field: str
    hdus: tuple[Hdu, ...]
    cards: Sequence[Card]
    repairs: Sequence[Repair]


def plan_product(specification: DpSpecification, root: Path, written: datetime) -> Product:
    """Read the headers of all inputs and decide what the product consists of.

    Args:
        specification: What is wanted.
        root: Where relative locations begin.
        written: UTC, for ``DATE``.

    Raises:
        MergeProblem: A source is missing, is no whole FITS file, or a keyword or rule
            cannot be followed.
    """
    target, files = _open_inputs(specification, root)
    contributions = [_contribution(target)] if target else []
    for index, source in enumerate(specification.sources):
        if isinstance(source, FitsKeywordsSource):
            contributions.append(_given(source, f"sources[{index}]"))
        else:
            contributions.append(_contribution(files[index]))
    merged = merge_cards(contributions, _special_cards(specification, written))
    cards = [*structure_cards(target.cards if target else None), *merged.cards]
    primary = OutputHdu(
        images=tuple(image for card in cards for image in card.images),
        origin=target.hdus[0] if target else None,
        source=target.source.source_name if target else "",
    )
    inputs = [*([target] if target else []), *files.values()]
    return Product(
        hdus=(primary, *_extensions(inputs)),
        alerts=tuple(_alerts(target, list(files.values()), primary)),
        collisions=tuple(merged.collisions),
        headers=tuple(_headers(files.values())),
    )


def _open_inputs(
    specification: DpSpecification, root: Path
) -> tuple[_Input | None, dict[int, _Input]]:
    """Open the target and, by their place in the list, the other files."""
    files = {
        index: source
        for index, source in enumerate(specification.sources)
        if isinstance(source, FitsFileSource)
    }
    target = specification.target.source
    _check_present([*([target] if target else []), *files.values()], root)
    return (
        _open(target, root, "target.source") if target else None,
        {index: _open(source, root, f"sources[{index}]") for index, source in files.items()},
    )


def _check_present(sources: Sequence[FitsFileSource], root: Path) -> None:
    missing = [
        f"{source.source_name}: {source.location if is_remote else root / source.location}"
        + (" (on another host)" if is_remote else "")
        for source in sources
        for is_remote in [_REMOTE.match(source.location) is not None]
        if is_remote or not (root / source.location).is_file()
    ]
    if missing:
        raise MergeProblem(
            f"{len(missing)} of {len(sources)} source files are not there: {', '.join(missing)}",
            code=MergeExit.NO_SOURCE,
            cause="a location is wrong, or a file was not collected yet",
            remedy=f"put the files there, or correct the locations; relative ones begin at {root}",
        )


def _open(source: FitsFileSource, root: Path, field: str) -> _Input:
    path = root / source.location
    try:
        hdus = read_layout(path)
    except OSError as error:
        raise BadFits(
            path,
            f"source {source.source_name} cannot be read: {error.strerror}",
            remedy="give the merger's user read access",
        ) from error
    cards, repairs = repair_cards(parse_cards(hdus[0].images))
    return _Input(source=source, field=field, hdus=hdus, cards=cards, repairs=repairs)


def _contribution(file: _Input) -> Contribution:
    rules = file.source.keyword_rules
    cards = apply_own_rules(file.cards, rules, f"{file.field}.keywordRules")
    return Contribution(
        source=file.source.source_name,
        cards=tuple(default_copy(cards)),
        overridden=tuple(overridden(cards)),
    )


def _given(source: FitsKeywordsSource, field: str) -> Contribution:
    cards = [
        format_keyword(keyword, f"{field}.keywords[{index}]")
        for index, keyword in enumerate(source.keywords)
    ]
    return Contribution(
        source=source.source_name,
        cards=tuple(default_copy(cards)),
        is_ocm=source.source_name == OCM_SOURCE,
        overridden=tuple(overridden(cards)),
    )


def _special_cards(specification: DpSpecification, written: datetime) -> list[Card]:
    target = specification.target
    archive, original = f"{target.file_id}.fits", f"{target.file_prefix}{target.file_id}.fits"
    if len(original) > _LONGEST_STRING:
        raise SchemaViolation(
            "target.fileId",
            f"the file name {original!r} is longer than a FITS string ({_LONGEST_STRING})",
            remedy="shorten the file id or the prefix",
        )
    date = written.replace(tzinfo=None).isoformat(timespec="seconds")
    keywords = (
        ValueKeyword(name="DATE", value=date, comment="UTC when this file was written"),
        ValueKeyword(name="ORIGFILE", value=original, comment="original file name"),
        ValueKeyword(name="ARCFILE", value=archive, comment="archive file name"),
    )
    return [format_keyword(keyword, keyword.name) for keyword in keywords]


def _extensions(inputs: Sequence[_Input]) -> list[OutputHdu]:
    return [
        OutputHdu(images=hdu.images, origin=hdu, source=file.source.source_name)
        for file in inputs
        for hdu in file.hdus[1:]
    ]


def _headers(files: Collection[_Input]) -> list[OutputHdu]:
    return [
        OutputHdu(images=hdu.images, origin=hdu, source=file.source.source_name)
        for file in files
        for hdu in file.hdus[:1]
        if not hdu.data_size
    ]


def _alerts(
    target: _Input | None, files: Sequence[_Input], primary: OutputHdu
) -> Iterator[MergeContent]:
    if target:
        name = target.source.source_name
        resized = findings.primary_resized(name, target.hdus[0], len(primary.images))
        if resized:
            yield resized
    for file in files:
        if file.source.alert_unmergeable and file.hdus[0].data_size:
            yield findings.unmerged_data(file.source.source_name, file.hdus[0])
    inputs = [*([target] if target else []), *files]
    for file in inputs:
        if file.repairs and file.source.keyword_rules != []:
            yield findings.repaired_keywords(file.source.source_name, file.hdus[0], file.repairs)
        if file.hdus[-1].fill:
            yield findings.filled_block(file.source.source_name, file.hdus[-1])
    yield from _same_files(inputs)
    yield from _ambiguous(inputs)


def _same_files(inputs: Sequence[_Input]) -> Iterator[MergeContent]:
    first: dict[tuple[int, int], str] = {}
    for file in inputs:
        name, found = file.source.source_name, file.hdus[0].path.stat()
        other = first.setdefault((found.st_dev, found.st_ino), name)
        if other != name:
            yield findings.same_file(name, other, file.hdus[0])


def _ambiguous(inputs: Sequence[_Input]) -> Iterator[MergeContent]:
    """Tell of names that are ambiguous between files; within one, its writer wants it so."""
    owner: dict[str, int] = {}
    labels = [
        f"{hdu.title} of {file.source.source_name}"
        for number, file in enumerate(inputs)
        for hdu in file.hdus[1:]
        if hdu.title and owner.setdefault(hdu.title, number) != number
    ]
    if labels:
        yield findings.ambiguous_extensions(labels)
