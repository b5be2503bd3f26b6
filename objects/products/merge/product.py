"""The product in thought: every HDU that it will have, made from specification and inputs.

Reads headers only; nothing is written, and no input is opened for writing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from idl_like_interfaces.documents import DpSpecification, FitsKeywordsSource
from idl_like_interfaces.keywords import ValueKeyword
from idl_like_interfaces.merging import MergeContent
from objects.products.merge.cards import Card
from objects.products.merge.collisions import Collision
from objects.products.merge.conditions import conditions
from objects.products.merge.formatting import format_keyword
from objects.products.merge.inputs import Input, open_inputs
from objects.products.merge.layout import Hdu
from objects.products.merge.plan import (
    OCM_SOURCE,
    Contribution,
    apply_own_rules,
    default_copy,
    merge_cards,
    overridden,
)
from objects.products.merge.structure import structure_cards


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
    target, files = open_inputs(specification, root)
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
        source=target.name if target else "",
    )
    inputs = [*([target] if target else []), *files.values()]
    return Product(
        hdus=(primary, *_extensions(inputs)),
        alerts=tuple(conditions(target, list(files.values()), len(primary.images))),
        collisions=tuple(merged.collisions),
        headers=tuple(_headers(files.values())),
    )


def _contribution(file: Input) -> Contribution:
    rules = file.source.keyword_rules
    cards = apply_own_rules(file.cards, rules, f"{file.field}.keywordRules")
    return Contribution(
        source=file.name,
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
    date = written.replace(tzinfo=None).isoformat(timespec="seconds")
    keywords = (
        ValueKeyword(name="DATE", value=date, comment="UTC when this file was written"),
        ValueKeyword(name="ORIGFILE", value=original, comment="original file name"),
        ValueKeyword(name="ARCFILE", value=archive, comment="archive file name"),
    )
    return [format_keyword(keyword, keyword.name) for keyword in keywords]


def _extensions(inputs: Sequence[Input]) -> list[OutputHdu]:
    return [
        OutputHdu(images=hdu.images, origin=hdu, source=file.name)
        for file in inputs
        for hdu in file.hdus[1:]
    ]


def _headers(files: Collection[Input]) -> list[OutputHdu]:
    return [
        OutputHdu(images=hdu.images, origin=hdu, source=file.name)
        for file in files
        for hdu in file.hdus[:1]
        if not hdu.data_size
    ]
