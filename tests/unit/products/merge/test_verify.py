"""The verification finds what is against the standard, and nothing in files that keep it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from idl_like_interfaces.fits_report import FINDINGS_TOLD, FitsReport
from objects.products.merge.layout import read_layout
from objects.products.merge.verify import verify_file
from tests.support.fits import ascii_table, compressed_image, image, ragged_table, table, write_fits

PRIMARY = (
    "SIMPLE  =                    T",
    "BITPIX  =                    8",
    "NAXIS   =                    0",
)


def fixed(name: str, value: object) -> str:
    """Return a card in fixed format."""
    return f"{name:8}= {value:>20}"


def write(path: Path, *headers: tuple[str, ...], data: bytes = b"") -> Path:
    """Write HDUs of any cards; the data are those of the last one."""
    blocks = []
    for images in headers:
        text = "".join(card.ljust(80) for card in (*images, "END"))
        blocks.append(text.ljust(-(-len(text) // 2880) * 2880).encode("latin-1"))
    path.write_bytes(b"".join(blocks) + data + b"\0" * (-len(data) % 2880))
    return path


def bintable(*cards: str, row: int, rows: int = 1, pcount: int = 0) -> tuple[str, ...]:
    """Return the header of a binary table."""
    return (
        "XTENSION= 'BINTABLE'",
        fixed("BITPIX", 8),
        fixed("NAXIS", 2),
        fixed("NAXIS1", row),
        fixed("NAXIS2", rows),
        fixed("PCOUNT", pcount),
        fixed("GCOUNT", 1),
        fixed("TFIELDS", len([card for card in cards if card.startswith("TFORM")])),
        *cards,
    )


def found(report: FitsReport) -> list[str]:
    """Return severity and message of each finding."""
    return [f"{each.severity}: {each.message}" for each in report.findings]


def test_a_good_file_has_no_findings(tmp_path: Path) -> None:
    """Of all kinds of HDUs, with their checksums."""
    path = tmp_path / "good.fits"
    hdus = [image("A"), table("B"), ragged_table("C"), ascii_table("D"), compressed_image("E")]
    fits.HDUList([fits.PrimaryHDU(np.ones(3)), *hdus]).writeto(path, checksum=True)
    report = verify_file(path)
    assert (report.hdus, report.errors, report.warnings, report.findings) == (6, 0, 0, [])


@pytest.mark.parametrize(
    ("cards", "message"),
    [
        (
            (fixed("SIMPLE", "T"), fixed("NAXIS", 0), fixed("BITPIX", 8)),
            "error: BITPIX is not card 2",
        ),
        ((fixed("SIMPLE", "T"), "BITPIX  = 8", fixed("NAXIS", 0)), "error: BITPIX is not in fixed"),
        ((*PRIMARY, fixed("NAXIS3", 5)), "error: NAXIS3 is more than NAXIS = 0 allows"),
        ((*PRIMARY, "lower   = 5"), "error: keyword 4, 'lower   = 5', is against"),
        ((*PRIMARY, "BAD     = 5 6"), "error: keyword 4, 'BAD     = 5 6', is against"),
        ((*PRIMARY, "HISTORY \xe9"), "error: keyword 4, 'HISTORY \xe9', is against"),
        ((*PRIMARY, "CONTINUE  'x'"), "error: keyword 4, \"CONTINUE  'x'\", is against"),
        ((*PRIMARY, "A       = 1", "A       = 2"), "warning: A stands there 2 times"),
        ((*PRIMARY, "OBJECT  = 5"), "warning: OBJECT is 5, wanted a string"),
        ((*PRIMARY, "XTENSION= 'IMAGE   '"), "error: XTENSION does not belong"),
        (
            (fixed("SIMPLE", "T"), fixed("BITPIX", -32), fixed("NAXIS", 0), fixed("BLANK", 1)),
            "error: BLANK belongs to integers only",
        ),
    ],
)
def test_a_fault_of_a_primary_header_is_found(
    tmp_path: Path, cards: tuple[str, ...], message: str
) -> None:
    """Each by itself."""
    findings = found(verify_file(write(tmp_path / "x.fits", cards)))
    assert findings[0].startswith(message)
    assert len(findings) == (2 if "is not card" in message else 1)


@pytest.mark.parametrize(
    ("header", "data", "message"),
    [
        (
            ("XTENSION= 'IMAGE   '", fixed("BITPIX", 8), fixed("NAXIS", 0)),
            b"",
            "error: the mandatory keyword PCOUNT is missing",
        ),
        (
            ("XTENSION= 'ODD     '", fixed("BITPIX", 8), fixed("NAXIS", 0), fixed("PCOUNT", 0), fixed("GCOUNT", 1)),
            b"",
            "warning: XTENSION is 'ODD', which is not registered",
        ),
        (
            ("XTENSION= 'IMAGE   '", fixed("BITPIX", 8), fixed("NAXIS", 1), fixed("NAXIS1", 1), fixed("PCOUNT", 3), fixed("GCOUNT", 1)),
            b"abcd",
            "error: PCOUNT is 3, wanted 0 in IMAGE",
        ),
        (bintable("TFORM1  = '1J      '", row=5), b"abcde", "error: a row has 5 bytes by NAXIS1, its columns have 4"),
        (bintable("TFORM1  = '1Y      '", row=4), b"abcd", "error: TFORM1 is '1Y', no form"),
        (bintable("TFORM1  = '1J      '", "TTYPE1  = 'a       '", "TFORM2  = '1J      '", "TTYPE2  = 'A       '", row=8), b"abcdefgh", "warning: 2 columns are called A"),
        (bintable("TFORM1  = '1PJ     '", fixed("THEAP", 99), row=8, pcount=4), bytes(12), "error: THEAP is 99, wanted 8 to 12"),
        (
            bintable("TFORM1  = '1PJ(9)  '", row=8, pcount=4),
            np.array([9, 0, 1], ">i4").tobytes(),
            "error: column 1: the arrays of 1 rows lie outside the heap of 4 bytes",
        ),
        (
            bintable("TFORM1  = '1QB     '", row=16, pcount=4),
            np.array([-1, 0], ">i8").tobytes() + bytes(4),
            "error: column 1: the arrays of 1 rows lie outside",
        ),
        (
            (
                "XTENSION= 'TABLE   '", fixed("BITPIX", 8), fixed("NAXIS", 2), fixed("NAXIS1", 4), fixed("NAXIS2", 720),
                fixed("PCOUNT", 0), fixed("GCOUNT", 1), fixed("TFIELDS", 1), fixed("TBCOL1", 1), "TFORM1  = 'I5      '",
            ),
            b"1234" * 720,
            "error: column 1 ends in 5, a row has 4 bytes",
        ),
        (
            (
                "XTENSION= 'TABLE   '", fixed("BITPIX", 8), fixed("NAXIS", 2), fixed("NAXIS1", 4), fixed("NAXIS2", 720),
                fixed("PCOUNT", 0), fixed("GCOUNT", 1), fixed("TFIELDS", 1), fixed("TBCOL1", 1), "TFORM1  = 'A4      '",
            ),
            b"12\xe94" * 720,
            "error: an ASCII table has bytes that are no printable ASCII",
        ),
    ],
)  # fmt: skip
def test_a_fault_of_an_extension_is_found(
    tmp_path: Path, header: tuple[str, ...], data: bytes, message: str
) -> None:
    """Each with what was wanted."""
    findings = found(verify_file(write(tmp_path / "x.fits", PRIMARY, header, data=data)))
    assert [each for each in findings if each.startswith(message)], findings


def test_wrong_filling_is_a_warning(tmp_path: Path) -> None:
    """Readers pass it over."""
    path = write_fits(tmp_path / "x.fits", extensions=[image("A")])
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert found(verify_file(path)) == [
        "warning: the last block of the data is not filled with zeros"
    ]


def test_a_short_last_block_and_blocks_behind_the_end_are_told(tmp_path: Path) -> None:
    """The one is against the standard, the others belong to nothing."""
    path = write_fits(tmp_path / "x.fits", extensions=[image("A")])
    size = path.stat().st_size
    os.truncate(path, size + 2880)
    assert found(verify_file(path)) == [
        "warning: 2880 bytes of filling behind the last HDU belong to none"
    ]
    os.truncate(path, size - 10)
    assert found(verify_file(path)) == ["error: the last block lacks 10 bytes of filling"]


def test_wrong_checksums_are_errors_unless_only_headers_are_read(tmp_path: Path) -> None:
    """They need the data."""
    path = tmp_path / "x.fits"
    fits.HDUList([fits.PrimaryHDU(np.arange(5.0))]).writeto(path, checksum=True)
    whole = path.read_bytes()
    path.write_bytes(whole[:2881] + b"\x01" + whole[2882:])
    assert "DATASUM is" in found(verify_file(path))[0]
    report = verify_file(path, headers_only=True)
    assert (report.errors, report.headers_only) == (0, True)


def test_a_header_that_is_not_filled_with_blanks_is_found(tmp_path: Path) -> None:
    """Behind END."""
    path = write(tmp_path / "x.fits", PRIMARY)
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    assert found(verify_file(path)) == ["error: the header is not filled with blanks behind END"]


def test_hdus_in_front_of_a_fault_are_examined(tmp_path: Path) -> None:
    """The fault ends the examination, and is told with cause and remedy."""
    path = write_fits(tmp_path / "x.fits", {"A": 1}, extensions=[image("A")])
    with path.open("ab") as file:
        file.write(b"rubbish".ljust(2880))
    report = verify_file(path)
    assert (report.hdus, report.errors) == (2, 1)
    assert report.findings[0].hdu == 2
    assert report.findings[0].cause
    assert report.findings[0].remedy


def test_a_flood_of_findings_is_bounded(tmp_path: Path) -> None:
    """All are counted."""
    path = write(tmp_path / "x.fits", (*PRIMARY, *(f"k{n:<7}= 1" for n in range(300))))
    report = verify_file(path)
    assert (report.errors, len(report.findings)) == (300, FINDINGS_TOLD)


def test_every_byte_of_a_header_may_be_wrong_without_a_crash(tmp_path: Path) -> None:
    """Whatever a disk makes of it, there is a report."""
    path = write_fits(tmp_path / "x.fits", extensions=[ragged_table("A"), image("B")])
    whole = path.read_bytes()
    starts = [hdu.offset for hdu in read_layout(path)]
    for offset in range(starts[1], starts[1] + 1600, 7):
        path.write_bytes(whole[:offset] + b"\xff9" + whole[offset + 2 :])
        assert verify_file(path).hdus >= 1
