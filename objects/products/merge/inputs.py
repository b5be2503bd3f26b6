"""The files of a specification, opened: their HDUs, and primary headers that keep the standard."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from idl_like_interfaces.documents import DpSpecification, FitsFileSource
from idl_like_interfaces.merging import MergeExit
from idl_like_interfaces.places import split_place
from objects.products.merge.cards import Card, parse_cards
from objects.products.merge.layout import Hdu, read_layout
from objects.products.merge.problems import BadFits, MergeProblem
from objects.products.merge.repair import Repair, repair_cards


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
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

    @property
    def name(self) -> str:
        """Return the name of its source."""
        return self.source.source_name

    @property
    def primary(self) -> Hdu:
        """Return its primary HDU."""
        return self.hdus[0]


def open_inputs(
    specification: DpSpecification, root: Path
) -> tuple[Input | None, dict[int, Input]]:
    """Open the target and, by their place in the list, the other files.

    Args:
        specification: Where they are named.
        root: Where relative locations begin.

    Raises:
        MergeProblem: One is missing, cannot be read, or is no whole FITS file.
    """
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
        for is_remote in [_is_elsewhere(source.location)]
        if is_remote or not os.path.isfile(root / source.location)  # noqa: PTH113 (never raises)
    ]
    if missing:
        raise MergeProblem(
            f"{len(missing)} of {len(sources)} source files are not there: {', '.join(missing)}",
            code=MergeExit.NO_SOURCE,
            cause="a location is wrong, or a file was not collected yet",
            remedy=f"put the files there, or correct the locations; relative ones begin at {root}",
        )


def _is_elsewhere(location: str) -> bool:
    place = split_place(location)
    return place is not None and place[0] != ""


def _open(source: FitsFileSource, root: Path, field: str) -> Input:
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
    return Input(source=source, field=field, hdus=hdus, cards=cards, repairs=repairs)
