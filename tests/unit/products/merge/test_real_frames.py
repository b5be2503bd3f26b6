"""Real Hubble/STIS frames as the target, read again by two independent readers."""

from __future__ import annotations

from pathlib import Path

import fitsio
import msgspec
import numpy as np
import pytest
from astropy.io import fits

from idl_like_interfaces.cards import CardKind
from idl_like_interfaces.merging import MergeExit
from objects.products.merge.cards import parse_cards
from objects.products.merge.plan import may_travel
from objects.products.merge.tool import merge
from tests.support.fits import data_bytes, header_cards, hubble_frames, table, write_fits


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """Merge the frames with telemetry and the OCM's keywords."""
    frames = str(hubble_frames())
    write_fits(
        tmp_path / "telemetry.fits", {"ESO INS TEMP": 281.5}, extensions=[table("TELEMETRY")]
    )
    keyword = {"type": "valueKeyword", "name": "INSTRUME", "value": "INSX"}
    document = {
        "id": "daq-1",
        "sources": [
            {"type": "fitsKeywords", "sourceName": "ocm", "keywords": [keyword]},
            {"type": "fitsFile", "sourceName": "host", "location": "telemetry.fits"},
        ],
        "target": {
            "fileId": "INSX.real",
            "source": {"type": "fitsFile", "sourceName": "stis", "location": frames},
        },
    }
    specification = tmp_path / "specification.json"
    specification.write_bytes(msgspec.json.encode(document))
    assert merge(str(specification), on_message=lambda message: None) == MergeExit.OK
    return tmp_path / "INSX.real.fits"


@pytest.mark.spec("ESO-109", "ESO-125")
def test_astropy_reads_the_product_and_finds_its_checksums_right(product: Path) -> None:
    """A wrong checksum or a card against the standard would be a warning, so an error."""
    with fits.open(product, checksum=True) as hdus, fits.open(hubble_frames()) as frames:
        hdus.verify("exception")
        assert [hdu.name for hdu in hdus][1:] == [*(hdu.name for hdu in frames[1:]), "TELEMETRY"]
        assert all("CHECKSUM" in hdu.header and "DATASUM" in hdu.header for hdu in hdus)
        assert hdus[0].header["INSTRUME"] == "INSX"
        assert hdus[0].header["ESO INS TEMP"] == 281.5
        np.testing.assert_array_equal(hdus["SCI", 2].data, frames["SCI", 2].data)


@pytest.mark.spec("ESO-125")
def test_cfitsio_reads_the_product_and_finds_its_checksums_right(product: Path) -> None:
    """The library that most of astronomy reads with."""
    with fitsio.FITS(str(product)) as other, fits.open(hubble_frames()) as frames:
        assert len(other) == 8
        for hdu in other:
            assert hdu.verify_checksum() is None
        np.testing.assert_array_equal(other["SCI"].read(), frames["SCI"].data)
        assert other["TELEMETRY"].read()["VALUE"].tolist() == [1.0]


@pytest.mark.spec("ESO-114")
def test_every_extension_is_byte_for_byte_that_of_the_frames(product: Path) -> None:
    """NPIX1, PIXVALUE, scaling and comments included; two checksum cards are new."""
    for index in range(1, 7):
        assert data_bytes(product, index) == data_bytes(hubble_frames(), index)
        assert header_cards(product, index)[:-2] == header_cards(hubble_frames(), index)


@pytest.mark.spec("ESO-118")
def test_every_keyword_of_the_frames_is_in_the_product_as_it_was_written(product: Path) -> None:
    """In its order; only INSTRUME has another value, and what the merger writes itself."""
    cards = [card for card in parse_cards(header_cards(hubble_frames())) if may_travel(card)]
    wanted = [card.images[0] for card in cards if card.kind is CardKind.VALUE]
    merged = header_cards(product)
    found = [image for image in merged if image in wanted]
    assert found == [image for image in wanted if not image.startswith("INSTRUME")]
    comments = [card.images[0] for card in cards if card.kind is CardKind.COMMENTARY]
    assert [image for image in merged if image in comments] == comments
