"""What is in the product: HDUs, data, keywords, checksums, alerts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fitsio
import numpy as np
import pytest
from astropy.io import fits

from idl_like_interfaces.daqif import AlertSeverity
from idl_like_interfaces.merging import MergeExit, MergeMessageType
from tests.support.fits import (
    compressed_image,
    data_bytes,
    header_cards,
    image,
    ragged_table,
    table,
)
from tests.support.merging import FILE_ID, Bench, hdu_names, primary_header


@pytest.mark.spec("ESO-108", "ESO-113", "ESO-136")
def test_without_target_the_product_is_an_empty_primary_and_all_extensions(bench: Bench) -> None:
    """Sources in list order, the order inside a file kept, at the default name."""
    bench.add("b", extensions=[image("B1"), image("B2")])
    bench.add("a", extensions=[image("A1")])
    assert bench.merge() == MergeExit.OK
    assert hdu_names(bench.product) == ["PRIMARY", "B1", "B2", "A1"]
    assert primary_header(bench.product)["NAXIS"] == 0


@pytest.mark.spec("ESO-109", "ESO-113")
def test_the_target_keeps_its_data_and_its_extensions_come_first(bench: Bench) -> None:
    """Scaled primary data read back as they were, bit for bit."""
    data = np.arange(12, dtype=np.uint16).reshape(3, 4)
    target = bench.aim("t", {"OBJECT": "M31"}, data=data, extensions=[image("T1")])
    bench.add("a", extensions=[image("A1")])
    assert bench.merge() == MergeExit.OK
    assert hdu_names(bench.product) == ["PRIMARY", "T1", "A1"]
    assert data_bytes(bench.product, 0) == data_bytes(target, 0)
    with fits.open(bench.product) as hdus:
        assert hdus[0].data.dtype == np.uint16
        np.testing.assert_array_equal(hdus[0].data, data)


@pytest.mark.spec("ESO-114")
@pytest.mark.parametrize(
    "extension",
    [
        image("IMAGE", 40000, dtype="uint16"),
        image("SCALED", BSCALE=0.5, BZERO=7.0),
        table("TABLE"),
        ragged_table("RAGGED"),
        compressed_image("TILES"),
    ],
    ids=lambda hdu: hdu.name,
)
def test_an_extension_is_copied_as_it_is(bench: Bench, extension: Any) -> None:
    """Data to the last byte and all header cards, whatever their encoding is."""
    extension.header["FLUX"] = (1.5, "kept")
    source = bench.add("s", extensions=[extension])
    assert bench.merge() == MergeExit.OK
    assert data_bytes(bench.product, 1) == data_bytes(source, 1)
    cards = header_cards(bench.product, 1)
    assert cards[:-2] == header_cards(source, 1)
    assert [card[:8] for card in cards[-2:]] == ["CHECKSUM", "DATASUM "]
    primary_header(bench.product)


@pytest.mark.spec("ESO-125")
def test_old_checksums_of_an_extension_are_replaced_where_they_stand(bench: Bench) -> None:
    """Also when they are wrong, and when there are two."""
    extension = image("A", CHECKSUM="wrong", DATASUM="1", OTHER=1)
    extension.header.append(("DATASUM", "2"), end=True)
    bench.add("s", extensions=[extension])
    assert bench.merge() == MergeExit.OK
    kept = [card[:8].rstrip() for card in header_cards(bench.product, 1)]
    assert kept[-5:] == ["GCOUNT", "CHECKSUM", "DATASUM", "OTHER", "EXTNAME"]
    primary_header(bench.product)


@pytest.mark.spec("ESO-115", "ESO-121", "ESO-127")
def test_keywords_are_merged_by_priority_and_structure_stays(bench: Bench) -> None:
    """The target wins over the sources, a source in front over the ones behind."""
    bench.aim("t", {"A": "t"})
    bench.add("one", {"A": "1", "B": "1"}, data=np.zeros(5), spec={"alertUnmergeable": False})
    bench.add("two", {"A": "2", "B": "2", "C": "2", "ESO DET X": 4})
    assert bench.merge() == MergeExit.OK
    header = primary_header(bench.product)
    assert [header[name] for name in ("A", "B", "C", "ESO DET X")] == ["t", "1", "2", 4]
    assert header["NAXIS"] == 0
    assert "NAXIS1" not in header


@pytest.mark.spec("ESO-117")
def test_commentary_of_all_files_is_there(bench: Bench) -> None:
    """In priority order."""
    bench.aim("t", ["COMMENT from t", "HISTORY t"])
    bench.add("s", ["COMMENT from s", "HISTORY s"])
    assert bench.merge() == MergeExit.OK
    header = primary_header(bench.product)
    assert [line for line in header["COMMENT"] if line.startswith("from")] == ["from t", "from s"]
    assert list(header["HISTORY"]) == ["t", "s"]


@pytest.mark.spec("ESO-128", "ESO-129", "ESO-130")
def test_the_rules_of_a_source_are_followed(bench: Bench) -> None:
    """Nothing of one source, a renamed choice of the other."""
    rules = [
        {"type": "filter", "selectionPatterns": ["+e INS *", "-e INS SIM *"]},
        {"type": "transform", "selectionPatterns": ["+e *"], "regex": "^INS ", "format": "INS2 "},
    ]
    bench.add("none", {"A": 1, "ESO INS A": 1}, spec={"keywordRules": []})
    bench.add(
        "some",
        {"B": 1, "ESO INS A": 2, "ESO INS SIM": 1, "ESO INS SIM X": 3},
        spec={"keywordRules": rules},
    )
    assert bench.merge() == MergeExit.OK
    header = primary_header(bench.product)
    assert header["ESO INS2 A"] == 2
    assert header["ESO INS2 SIM"] == 1
    assert not {"A", "B", "ESO INS A", "ESO INS2 SIM X"} & set(header)


def test_the_rules_of_the_target_are_followed_too(bench: Bench) -> None:
    """Its structure, scaling and data stay all the same."""
    data = np.arange(4, dtype=np.uint16)
    bench.aim("t", {"A": 1, "B": 2}, data=data, spec={"keywordRules": []})
    assert bench.merge() == MergeExit.OK
    assert not {"A", "B"} & set(primary_header(bench.product))
    with fits.open(bench.product) as hdus:
        np.testing.assert_array_equal(hdus[0].data, data)


@pytest.mark.spec("ESO-122", "ESO-123", "ESO-124")
def test_the_mergers_own_keywords_win_over_every_source(bench: Bench) -> None:
    """ARCFILE has no prefix, ORIGFILE has it, DATE is the time of writing."""
    own = {"ARCFILE": "x", "ORIGFILE": "y", "DATE": "1999-01-01"}
    bench.aim("t", own)
    bench.give("ocm", **own)
    bench.target["filePrefix"] = "night1_"
    assert bench.merge() == MergeExit.OK
    header = primary_header(bench.product)
    assert header["ARCFILE"] == f"{FILE_ID}.fits"
    assert header["ORIGFILE"] == f"night1_{FILE_ID}.fits"
    assert header["DATE"] == bench.clock.utc().strftime("%Y-%m-%dT%H:%M:%S")
    assert [header.count(name) for name in own] == [1, 1, 1]


def test_standard_keywords_of_the_ocm_win_over_the_target(bench: Bench) -> None:
    """A user's keyword of the OCM has the place of the source, below the target."""
    bench.aim("t", {"INSTRUME": "STIS", "OBJECT": "from target"})
    bench.give("ocm", INSTRUME="INSX", OBJECT="from ocm")
    assert bench.merge() == MergeExit.OK
    header = primary_header(bench.product)
    assert (header["INSTRUME"], header["OBJECT"]) == ("INSX", "from target")


def test_values_keep_their_type_and_text(bench: Bench) -> None:
    """A string that looks like a number stays a string; a file's digits stay as written."""
    bench.give("user", TEXT="12", FLAG=True, BIG=2**64 - 1, WHOLE=3.0, TRUTH="T")
    bench.add("s", ["EXPTIME =  1.2500000E+01 / s"])
    assert bench.merge() == MergeExit.OK
    header = primary_header(bench.product)
    assert [header[name] for name in ("TEXT", "FLAG", "BIG", "TRUTH")] == [
        "12",
        True,
        2**64 - 1,
        "T",
    ]
    assert isinstance(header["WHOLE"], float)
    assert "EXPTIME =  1.2500000E+01 / s".ljust(80) in header_cards(bench.product)


def test_a_long_string_of_a_source_survives(bench: Bench) -> None:
    """Its CONTINUE cards follow it through the sorting."""
    bench.add("s", {"LONGTEXT": "x" * 150, "AFTER": 1})
    assert bench.merge() == MergeExit.OK
    assert primary_header(bench.product)["LONGTEXT"] == "x" * 150


def test_long_strings_of_keywords_are_read_by_two_independent_readers(bench: Bench) -> None:
    """On CONTINUE cards, behind a standard name and behind an ESO name."""
    text = "it's a long story & " * 12 + "end"
    keywords = [
        {"type": "valueKeyword", "name": "STORY", "value": text, "comment": "of the night"},
        {"type": "esoKeyword", "name": "OBS STORY", "value": text, "comment": "of the night"},
        {"type": "esoKeyword", "name": "TEL ALT", "value": 62.5},
    ]
    bench.sources.append({"type": "fitsKeywords", "sourceName": "ocm", "keywords": keywords})
    assert bench.merge() == MergeExit.OK
    header = primary_header(bench.product)
    with fitsio.FITS(str(bench.product)) as product:
        other = product[0].read_header()
    for found in (header, other):
        values = [found[name] for name in ("STORY", "ESO OBS STORY", "ESO TEL ALT")]
        assert values == [text, text, 62.5]
    assert header.comments["ESO OBS STORY"] == "of the night"


@pytest.mark.spec("ESO-132")
def test_unmerged_primary_data_raise_an_alert(bench: Bench) -> None:
    """The product is made, without those data."""
    bench.add("s", data=np.ones(10), extensions=[image("A")])
    assert bench.merge() == MergeExit.OK
    (alert,) = bench.of(MergeMessageType.ALERT)
    assert (alert.content.id, alert.content.source) == ("unmerged_data/s", "s")
    assert alert.content.severity is AlertSeverity.WARNING
    assert "s.fits" in alert.content.message
    assert hdu_names(bench.product) == ["PRIMARY", "A"]


@pytest.mark.spec("ESO-133")
def test_no_alert_when_the_source_wants_none(bench: Bench) -> None:
    """The product is the same."""
    bench.add("s", data=np.ones(10), spec={"alertUnmergeable": False})
    assert bench.merge() == MergeExit.OK
    assert bench.of(MergeMessageType.ALERT) == []
    assert hdu_names(bench.product) == ["PRIMARY"]


def test_the_product_is_a_pure_function_of_specification_and_time(bench: Bench) -> None:
    """Twice the same at the same time: the same bytes."""
    bench.aim("t", {"A": 1}, extensions=[table("T")])
    bench.give("ocm", INSTRUME="INSX")
    assert bench.merge(outfile=Path("1.fits")) == MergeExit.OK
    assert bench.merge(outfile=Path("2.fits")) == MergeExit.OK
    assert (bench.folder / "1.fits").read_bytes() == (bench.folder / "2.fits").read_bytes()


def test_no_input_is_changed_and_nothing_else_left(bench: Bench) -> None:
    """The in-place target is a basis, not the file that is written to."""
    inputs = [bench.aim("t", {"A": 1}, data=np.ones(3)), bench.add("s", {"B": 1})]
    before = [(path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) for path in inputs]
    assert bench.merge() == MergeExit.OK
    assert [
        (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) for path in inputs
    ] == before
    left = {path.name for path in bench.folder.iterdir()}
    assert left == {"t.fits", "s.fits", "specification.json", bench.product.name}
    assert bench.product.stat().st_mode & 0o777 == 0o444
