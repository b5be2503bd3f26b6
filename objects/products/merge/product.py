"""The product in thought: every HDU that it will have, made from specification and inputs.

Reads headers only; nothing is written, and no input is opened for writing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from idl_like_interfaces.documents import DpSpecification, FitsFileSource, FitsKeywordsSource
from idl_like_interfaces.keywords import ValueKeyword
from idl_like_interfaces.merging import MergeExit
from objects.products.merge.cards import Card, parse_cards
from objects.products.merge.formatting import format_keyword
from objects.products.merge.layout import Hdu, read_layout
from objects.products.merge.plan import (
    OCM_SOURCE,
    Contribution,
    contribute,
    default_copy,
    merge_cards,
    structure_cards,
)
from objects.products.merge.problems import BadFits, MergeProblem, SchemaViolation

_REMOTE = re.compile(r"[A-Za-z0-9.-]+:/")
_LONGEST_STRING = 68
_ILLEGAL = re.compile(r"[^ -~]")


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
class Unmerged:
    """A source with primary data that the product does not have."""

    source: str
    path: Path
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What will be written.

    Attributes:
        hdus: In order; the first is the primary HDU.
        unmerged: Data that were left out and whose source wants this told.
    """

    hdus: tuple[OutputHdu, ...]
    unmerged: tuple[Unmerged, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Input:
    """A file of the specification; ``field`` is its path there."""

    source: FitsFileSource
    field: str
    hdus: tuple[Hdu, ...]

    @property
    def cards(self) -> list[Card]:
        return parse_cards(self.hdus[0].images)


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
    cards = [
        *structure_cards(target.cards if target else None),
        *merge_cards(contributions, _special_cards(specification, written)),
    ]
    primary = OutputHdu(
        images=tuple(image for card in cards for image in card.images),
        origin=target.hdus[0] if target else None,
        source=target.source.source_name if target else "",
    )
    inputs = [*([target] if target else []), *files.values()]
    return Product(hdus=(primary, *_extensions(inputs)), unmerged=_unmerged(files.values()))


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
        return _Input(source=source, field=field, hdus=read_layout(path))
    except OSError as error:
        raise BadFits(
            path,
            f"source {source.source_name} cannot be read: {error.strerror}",
            remedy="give the merger's user read access",
        ) from error


def _contribution(file: _Input) -> Contribution:
    cards = contribute(file.cards, file.source.keyword_rules, f"{file.field}.keywordRules")
    for card in cards:
        _check_printable(card, file)
    return Contribution(cards=tuple(cards))


def _check_printable(card: Card, file: _Input) -> None:
    odd = _ILLEGAL.search("".join(card.images))
    if odd:
        raise BadFits(
            file.hdus[0].path,
            f"keyword {card.name!r} has the character {odd[0]!r}, which FITS does not allow",
            remedy=f"correct it at the source, or drop it by {file.field}.keywordRules",
        )


def _given(source: FitsKeywordsSource, field: str) -> Contribution:
    cards = [
        format_keyword(keyword, f"{field}.keywords[{index}]")
        for index, keyword in enumerate(source.keywords)
    ]
    return Contribution(cards=tuple(default_copy(cards)), is_ocm=source.source_name == OCM_SOURCE)


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


def _unmerged(files: Collection[_Input]) -> tuple[Unmerged, ...]:
    return tuple(
        Unmerged(
            source=file.source.source_name,
            path=file.hdus[0].path,
            size_bytes=file.hdus[0].data_size,
        )
        for file in files
        if file.source.alert_unmergeable and file.hdus[0].data_size > 0
    )
