"""What a merge tells of its inputs besides unmerged data; none of it stops the merge."""

from __future__ import annotations

import os

import numpy as np
import pytest
from astropy.io import fits

from idl_like_interfaces.daqif import AlertSeverity
from idl_like_interfaces.merging import MergeContent, MergeExit, MergeMessageType
from tests.support.fits import image, table
from tests.support.merging import Bench, primary_header


def told(bench: Bench) -> MergeContent:
    """Merge, and return the one alert."""
    assert bench.merge() == MergeExit.OK
    (message,) = bench.of(MergeMessageType.ALERT)
    assert message.content.remedy
    return message.content


def test_a_primary_header_that_grows_is_told(bench: Bench) -> None:
    """By the blocks that it had and has: the data behind it lie elsewhere now."""
    bench.aim("t", {"OBJECT": "M31"}, data=np.ones(3))
    bench.give("ocm", **{f"K{number}": number for number in range(40)})
    alert = told(bench)
    assert (alert.id, alert.severity) == ("primary_hdu_resized/t", AlertSeverity.INFO)
    assert "has 1 blocks of 2880 bytes, that of the product 2" in alert.message


def test_a_primary_header_that_has_room_is_not_told(bench: Bench) -> None:
    """Neither is a new primary HDU, which cannot grow."""
    bench.aim("t", {"OBJECT": "M31"})
    bench.give("ocm", **{f"K{number}": number for number in range(10)})
    assert bench.merge() == MergeExit.OK
    assert bench.of(MergeMessageType.ALERT) == []


def test_sloppy_keywords_are_repaired_and_told(bench: Bench) -> None:
    """With their text and what became of it; the product keeps the standard."""
    path = bench.add("s", {"OBSERVER": "Angstroem", "A": 1})
    path.write_bytes(path.read_bytes().replace(b"Angstroem", b"\xc5ngstroem"))
    alert = told(bench)
    assert (alert.id, alert.severity) == ("nonstandard_keywords/s", AlertSeverity.WARNING)
    assert "\xc5ngstroem" in alert.message
    assert "printable ASCII" in alert.message
    assert primary_header(bench.product)["OBSERVER"] == "?ngstroem"


def test_sloppy_keywords_that_are_not_wanted_are_not_told(bench: Bench) -> None:
    """Of a source that contributes none."""
    path = bench.add("s", {"OBSERVER": "Angstroem"}, spec={"keywordRules": []})
    path.write_bytes(path.read_bytes().replace(b"Angstroem", b"\xc5ngstroem"))
    assert bench.merge() == MergeExit.OK
    assert bench.of(MergeMessageType.ALERT) == []


def test_a_short_last_block_is_told(bench: Bench) -> None:
    """It may be the sign of a writer that had not finished."""
    path = bench.add("s", extensions=[image("A")])
    os.truncate(path, path.stat().st_size - 100)
    alert = told(bench)
    assert (alert.id, alert.severity) == ("short_file/s", AlertSeverity.WARNING)
    assert "lacks 100 bytes" in alert.message
    primary_header(bench.product)


@pytest.mark.parametrize("is_link", [False, True], ids=["named twice", "hard link"])
def test_one_file_as_two_sources_is_told(bench: Bench, is_link: bool) -> None:
    """Its extensions are there twice, which is hardly meant."""
    path = bench.add("one", extensions=[image("A")], spec={"keywordRules": []})
    bench.sources.append(bench.source("two"))
    if is_link:
        (bench.folder / "two.fits").hardlink_to(path)
    else:
        bench.sources[1]["location"] = "one.fits"
    assert bench.merge() == MergeExit.OK
    ids = [message.content.id for message in bench.of(MergeMessageType.ALERT)]
    assert ids == ["same_file/two", "ambiguous_extensions"]


def test_extensions_of_the_same_name_are_told_between_files_only(bench: Bench) -> None:
    """Within a file its writer has meant it; the product has all of them."""
    bench.add("one", extensions=[image("SCI"), image("SCI"), image("DQ")])
    bench.add("two", extensions=[image("DQ", EXTVER=2), image("SCI")])
    alert = told(bench)
    assert (alert.id, alert.severity) == ("ambiguous_extensions", AlertSeverity.INFO)
    assert "1 extensions" in alert.message
    assert "SCI of two" in alert.message


def test_a_wrong_datasum_of_an_input_is_told(bench: Bench) -> None:
    """The product gets a right one, so nobody would notice the damage later."""
    path = bench.folder / "s.fits"
    fits.HDUList([fits.PrimaryHDU(), image("A", 7)]).writeto(path, checksum=True)
    bench.sources.append(bench.source("s"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-2880] + b"\0\x08" + whole[-2878:])
    alert = told(bench)
    assert (alert.id, alert.severity) == ("suspicious_checksum/s", AlertSeverity.WARNING)
    assert "extension 1 (A): DATASUM is" in alert.message
    primary_header(bench.product)


def test_a_wrong_checksum_of_a_header_is_told(bench: Bench) -> None:
    """Of a primary header that only gave its keywords, too."""
    path = bench.folder / "s.fits"
    primary = fits.PrimaryHDU(header=fits.Header({"EXPTIME": 25}))
    fits.HDUList([primary, table("A")]).writeto(path, checksum=True)
    bench.sources.append(bench.source("s"))
    path.write_bytes(path.read_bytes().replace(b"  25", b"  99", 1))
    alert = told(bench)
    assert "primary HDU: CHECKSUM does not fit" in alert.message


def test_right_checksums_are_no_matter(bench: Bench) -> None:
    """Of target and source, with data and without."""
    for name in "ts":
        hdus = [fits.PrimaryHDU(np.arange(5.0)), image(name.upper()), table(f"T{name.upper()}")]
        fits.HDUList(hdus).writeto(bench.folder / f"{name}.fits", checksum=True)
    bench.target["source"] = bench.source("t")
    bench.sources.append(bench.source("s") | {"alertUnmergeable": False})
    assert bench.merge() == MergeExit.OK
    assert bench.of(MergeMessageType.ALERT) == []


@pytest.mark.parametrize("value", ["", "0000000000000000"])
def test_checksums_that_say_nothing_are_not_judged(bench: Bench, value: str) -> None:
    """As a writer leaves them who meant to fill them in later."""
    bench.add("s", extensions=[image("A", CHECKSUM=value, DATASUM="")])
    assert bench.merge() == MergeExit.OK
    assert bench.of(MergeMessageType.ALERT) == []
