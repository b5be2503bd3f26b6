"""A product that is not what was wanted never gets its name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from idl_like_interfaces.merging import MergeExit, MergeMessage
from objects.products.merge.layout import read_layout
from objects.products.merge.problems import MergeProblem
from objects.products.merge.product import OutputHdu
from objects.products.merge.review import review
from objects.products.merge.tool import merge
from tests.support.fits import image, write_fits
from tests.support.merging import Bench


def outputs(path: Path) -> list[OutputHdu]:
    """Return what a product of just this file would consist of."""
    return [OutputHdu(images=hdu.images, origin=hdu, source="s") for hdu in read_layout(path)]


def test_what_is_as_it_was_wanted_passes(tmp_path: Path) -> None:
    """Nothing is said."""
    path = write_fits(tmp_path / "a.fits", extensions=[image("A")])
    review(path, outputs(path))


def test_other_sizes_do_not_pass(tmp_path: Path) -> None:
    """An HDU too few, or one that is cut off."""
    path = write_fits(tmp_path / "a.fits", extensions=[image("A"), image("B")])
    wanted = outputs(path)
    with pytest.raises(MergeProblem, match="sizes of its HDUs"):
        review(path, wanted[:-1])
    os.truncate(path, read_layout(path)[2].data_offset)
    with pytest.raises(MergeProblem, match="truncated"):
        review(path, wanted)


def test_a_primary_header_against_the_standard_does_not_pass(tmp_path: Path) -> None:
    """It is the merger's own work; faults of extensions are those of their sources."""
    path = write_fits(tmp_path / "a.fits", {"OBJECT": "x"}, extensions=[image("A", OBJECT="y")])
    whole = path.read_bytes()
    path.write_bytes(b"object".join(whole.rsplit(b"OBJECT", 1)))
    wanted = outputs(path)
    review(path, wanted)
    path.write_bytes(whole.replace(b"OBJECT", b"object", 1))
    with pytest.raises(MergeProblem, match="primary HDU: keyword"):
        review(path, wanted)


def test_a_part_file_that_is_damaged_meanwhile_is_given_up(bench: Bench) -> None:
    """By the merge itself, before the rename; nothing is left."""
    bench.add("s", extensions=[image("A")])
    part = bench.product.with_name(f"{bench.product.name}.part")

    def damage(message: MergeMessage) -> None:
        bench.messages.append(message)
        if message.content.done == 2:
            with part.open("r+b") as file:
                file.seek(160)
                file.write(b"BITPIX  = 3")

    assert merge(bench.specification(), on_message=damage) == MergeExit.INTERNAL
    assert "no sound product" in bench.error()
    assert not bench.product.exists()
    assert not part.exists()
