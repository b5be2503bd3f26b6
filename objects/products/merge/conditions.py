"""What is to be told of the inputs of a product before it is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from idl_like_interfaces.merging import MergeContent
from objects.products.merge import findings
from objects.products.merge.inputs import Input


def conditions(target: Input | None, files: Sequence[Input], cards: int) -> Iterator[MergeContent]:
    """Yield the alerts.

    Args:
        target: The target.
        files: The other files.
        cards: How many records the primary header of the product has.
    """
    if target:
        resized = findings.primary_resized(target.name, target.primary, cards)
        if resized:
            yield resized
    for file in files:
        if file.source.alert_unmergeable and file.primary.data_size:
            yield findings.unmerged_data(file.name, file.primary)
    inputs = [*([target] if target else []), *files]
    for file in inputs:
        if file.repairs and file.source.keyword_rules != []:
            yield findings.repaired_keywords(file.name, file.primary, file.repairs)
        if file.hdus[-1].fill:
            yield findings.filled_block(file.name, file.hdus[-1])
    yield from _same_files(inputs)
    yield from _ambiguous(inputs)


def _same_files(inputs: Sequence[Input]) -> Iterator[MergeContent]:
    first: dict[tuple[int, int], str] = {}
    for file in inputs:
        name, found = file.name, file.primary.path.stat()
        other = first.setdefault((found.st_dev, found.st_ino), name)
        if other != name:
            yield findings.same_file(name, other, file.primary)


def _ambiguous(inputs: Sequence[Input]) -> Iterator[MergeContent]:
    """Tell of names that are ambiguous between files; within one, its writer wants it so."""
    owner: dict[str, int] = {}
    labels = [
        f"{hdu.title} of {file.name}"
        for number, file in enumerate(inputs)
        for hdu in file.hdus[1:]
        if hdu.title and owner.setdefault(hdu.title, number) != number
    ]
    if labels:
        yield findings.ambiguous_extensions(labels)
