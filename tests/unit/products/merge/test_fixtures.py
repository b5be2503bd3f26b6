"""Every FITS file that astropy and fitsio ship, merged as target and as source."""

from __future__ import annotations

import warnings
from functools import cache
from pathlib import Path
from typing import Any

import fitsio
import numpy as np
import pytest
from astropy.io import fits

from idl_like_interfaces.merging import MergeExit
from objects.products.merge.layout import read_layout
from objects.products.merge.verify import verify_file
from objects.products.merge.writer import header_block
from tests.support.merge_fixtures import (
    Merge,
    fixtures,
    is_of_these_packages,
    merge_file,
    row,
    rows,
)

FIXTURES = fixtures()


Merges = dict[bool, Merge]
"""How the merges of a file went: as the target (True), and as a source (False)."""


@pytest.fixture(params=FIXTURES)
def merges(request: pytest.FixtureRequest, quick_path: Path) -> tuple[str, Merges]:
    """Return the name of a file, and its merges."""
    path = FIXTURES[request.param]
    return request.param, {
        way: merge_file(path, quick_path / str(way), as_target=way) for way in (True, False)
    }


@pytest.mark.spec("ESO-109", "ESO-114", "ESO-125")
def test_a_file_is_merged_as_the_page_says_and_the_product_is_sound(
    merges: tuple[str, Merges],
) -> None:
    """Byte for byte what the file has; our verification, astropy and CFITSIO are the judges.

    Files of other versions of the packages may be new: see the page for what to do.
    """
    name, ways = merges
    if is_of_these_packages():
        line = row(name, FIXTURES[name], list(ways.values()))
        assert line == rows().get(name), "run make fixtures"
    for as_target, merge in ways.items():
        assert merge.product.exists() == (merge.code == MergeExit.OK)
        if merge.code == MergeExit.OK:
            check_bytes(FIXTURES[name], merge.product, as_target=as_target)
            check_verified(FIXTURES[name], merge.product)
            check_strict(FIXTURES[name], merge.product)
            check_data(FIXTURES[name], merge.product, as_target=as_target)
        else:
            assert merge.messages[-1].content.remedy


def check_bytes(path: Path, product: Path, *, as_target: bool) -> None:
    """Compare data, and the cards of extensions but for two."""
    before, after = read_layout(path), read_layout(product)
    assert len(before) == len(after)
    first, second = path.read_bytes(), product.read_bytes()
    for old, new in zip(before, after, strict=True):
        if old.index or as_target:
            data = first[old.data_offset : old.data_offset + old.data_size]
            assert second[new.data_offset : new.data_offset + new.data_size] == data
        if old.index:
            blocks = [header_block(hdu.images, "", 0) for hdu in (old, new)]
            assert blocks[0] == blocks[1]
            assert old.label == new.label


def check_verified(path: Path, product: Path) -> None:
    """Find nothing wrong with the primary header, and nothing else that was not wrong before."""
    before = findings_in(path)
    after = verify_file(product)
    new = [each for each in after.findings if (each.hdu, each.message) not in before]
    assert new == []
    assert [each for each in after.findings if each.hdu == 0 and each.severity == "error"] == []
    assert not [each for each in after.findings if "SUM" in each.message]


@cache
def findings_in(path: Path) -> set[tuple[int, str]]:
    """Return what is wrong with a file that is merged."""
    return {(each.hdu, each.message) for each in verify_file(path).findings}


def check_strict(path: Path, product: Path) -> None:
    """Astropy's strict verification passes, or has passed the input neither."""
    if strictly(product):
        assert strictly(path)


def strictly(path: Path) -> str:
    """Return what astropy says about each HDU, verified strictly; empty when nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with fits.open(path, disable_image_compression=True) as hdus:
            try:
                hdus.verify("exception")
            except fits.VerifyError as error:
                return str(error)
    return ""


def check_data(path: Path, product: Path, *, as_target: bool) -> None:
    """CFITSIO reads the same from both, or fails at both.

    A target that it cannot even open may have become one that it can.
    """
    try:
        before = fitsio.FITS(str(path))
    except OSError:
        before = []
    with fitsio.FITS(str(product)) as after:
        for index in range(len(before)):
            if index or as_target:
                assert is_same(read(before[index]), read(after[index]))


def read(hdu: Any) -> Any:
    """Return the data of an HDU, or why they cannot be read."""
    try:
        return hdu.read()
    except (OSError, ValueError, RuntimeError, TypeError) as error:
        return type(error)


def is_same(one: Any, other: Any) -> bool:
    """Compare arrays, tables and refusals; what is no number is equal to itself."""
    if not isinstance(one, np.ndarray):
        return bool(one == other)
    if one.dtype != other.dtype:
        return False
    if one.dtype.names:
        return all(is_same(one[name], other[name]) for name in one.dtype.names)
    if one.dtype == object:
        return all(is_same(*pair) for pair in zip(one, other, strict=True))
    if one.dtype.kind not in "fc":
        return np.array_equal(one, other)
    return np.array_equal(one, other, equal_nan=True)


def test_the_page_lists_every_file() -> None:
    """And no other."""
    if not is_of_these_packages():
        pytest.skip("the page was made with other versions of astropy and fitsio")
    assert list(rows()) == list(FIXTURES), "run make fixtures"
