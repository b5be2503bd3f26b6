"""HDUs of every kind that occurs pass through a merge byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fitsio
import numpy as np
import pytest
from astropy.io import fits

from idl_like_interfaces.merging import MergeExit, MergeMessageType
from objects.products.merge.layout import read_layout
from objects.products.merge.verify import verify_file
from tests.support.fits import ascii_table, ragged_table, write_fits
from tests.support.merging import Bench, primary_header

EMPTY = (
    "SIMPLE  =                    T",
    "BITPIX  =                    8",
    "NAXIS   =                    0",
)


@pytest.fixture
def bench(quick_path: Path) -> Bench:
    """Return an empty folder with a merger over it."""
    return Bench(quick_path)


def raw_hdu(*images: str, data: bytes = b"", filling: bytes = b"\0") -> bytes:
    """Return an HDU of any cards and data."""
    header = "".join(image.ljust(80) for image in (*images, "END"))
    header = header.ljust(-(-len(header) // 2880) * 2880)
    return header.encode("latin-1") + data + filling * (-len(data) % 2880)


def extension(kind: str, *images: str, naxis: tuple[int, ...] = (), data: bytes = b"") -> bytes:
    """Return an extension of bytes with further cards behind the mandatory ones."""
    axes = [f"NAXIS{n}  = {size:>20}" for n, size in enumerate(naxis, 1)]
    return raw_hdu(
        f"XTENSION= '{kind:8}'",
        "BITPIX  =                    8",
        f"NAXIS   = {len(naxis):>20}",
        *axes,
        "PCOUNT  =                    0",
        "GCOUNT  =                    1",
        *images,
        data=data,
    )


def astropy_hdu(hdu: fits.hdu.base.ExtensionHDU) -> Callable[[Path], bytes]:
    """Return what makes the bytes of an extension that astropy writes."""

    def made(folder: Path) -> bytes:
        path = write_fits(folder / "scratch.fits", extensions=[hdu])
        content = path.read_bytes()[read_layout(path)[1].offset :]
        path.unlink()
        return content

    return made


def column(form: str, *values: Any, **more: Any) -> fits.BinTableHDU:
    """Return a table of one column."""
    return fits.BinTableHDU.from_columns(
        [fits.Column("C", form, array=np.array(values, dtype=more.pop("dtype", None)), **more)]
    )


ASTROPY = {
    **{
        f"image {dtype}": fits.ImageHDU(np.arange(6, dtype=dtype).reshape(2, 3))
        for dtype in ("u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8")
    },
    "image without data": fits.ImageHDU(name="EMPTY"),
    "image of zero width": fits.ImageHDU(np.zeros((3, 0), "i2")),
    "image of five axes": fits.ImageHDU(np.zeros((1, 2, 1, 2, 3), "f4")),
    "image with scaling": fits.ImageHDU(
        np.arange(3, dtype="i2"), fits.Header({"BSCALE": 0.5, "BZERO": 7.0, "BLANK": -1})
    ),
    "table of bits": column("11X", [True, False] * 5 + [True], dtype=bool),
    "table of logicals": column("L", True, False),
    "table of strings": column("7A", "one", "two"),
    "table of complex numbers": column("M", 1 + 2j),
    "table of unsigned numbers": column("J", 1, 2, bzero=2**31, dtype="u4"),
    "table with a heap": ragged_table("RAGGED"),
    "table without rows": fits.BinTableHDU.from_columns([fits.Column("C", "D")]),
    "table of text": ascii_table("TEXT"),
    **{
        f"tiles by {kind}": fits.CompImageHDU(
            np.arange(1024, dtype="i2").reshape(32, 32), compression_type=kind
        )
        for kind in ("RICE_1", "GZIP_1", "GZIP_2", "PLIO_1", "HCOMPRESS_1")
    },
}
RAW = {
    "unknown kind": extension("MYTYPE", naxis=(5,), data=b"abcde"),
    "no axes": extension("IMAGE", "EXTNAME = 'NOTHING '"),
    "groups of parameters": raw_hdu(
        "XTENSION= 'DUMP    '",
        "BITPIX  =                  -32",
        "NAXIS   =                    1",
        "NAXIS1  =                    3",
        "PCOUNT  =                    2",
        "GCOUNT  =                    4",
        data=np.arange(20, dtype=">f4").tobytes(),
    ),
    "odd filling": raw_hdu(
        "XTENSION= 'IMAGE   '",
        "BITPIX  =                    8",
        "NAXIS   =                    1",
        "NAXIS1  =                    3",
        "PCOUNT  =                    0",
        "GCOUNT  =                    1",
        data=b"abc",
        filling=b"x",
    ),
    "header of many blocks": extension(
        "IMAGE", *(f"KEY{n:<5}= {n:>20}" for n in range(400)), *[""] * 50
    ),
    "blanks between cards": extension("IMAGE", "", "A       =                    1", "", ""),
    "long strings": extension("IMAGE", "LONG    = 'one &'", "CONTINUE  'two&'", "CONTINUE  ''"),
    "undefined values": extension("IMAGE", "UNDEF   =", "UNDEF2  = / nothing known"),
    "commentary": extension("IMAGE", "COMMENT a", "HISTORY b", "  a title", "HISTORY b"),
    "other HIERARCH": extension("IMAGE", "HIERARCH LOFAR x y = 'z'", "HIERARCH ESO A B = 1"),
    "small letters": extension("IMAGE", "object  = 'm31'", "Exptime =  1.5e3"),
    "no ASCII": extension("IMAGE", "OBSERVER= '\xc5ngstr\xf6m'", "HISTORY \xe9t\xe9"),
    "illegal values": extension("IMAGE", "DATE-OBS= 2003-01-01", "WHO     = 'unclosed"),
    "inheritance": extension("IMAGE", "INHERIT =                    T"),
    "ESO checksum": extension("IMAGE", "HIERARCH ESO CHECKSUM = 'is another'"),
    "repeated keywords": extension("IMAGE", "A       = 1", "A       = 2"),
    "gap in front of the heap": raw_hdu(
        "XTENSION= 'BINTABLE'",
        "BITPIX  =                    8",
        "NAXIS   =                    2",
        "NAXIS1  =                    8",
        "NAXIS2  =                    1",
        "PCOUNT  =                   40",
        "GCOUNT  =                    1",
        "TFIELDS =                    1",
        "TFORM1  = '1PJ(2)  '",
        "THEAP   =                   40",
        data=np.array([2, 0], ">i4").tobytes() + b"g" * 32 + np.array([7, 8], ">i4").tobytes(),
    ),
}
KINDS: dict[str, Callable[[Path], bytes]] = {
    **{name: astropy_hdu(hdu) for name, hdu in ASTROPY.items()},
    **{name: lambda folder, content=content: content for name, content in RAW.items()},  # type: ignore[misc]
}


@pytest.mark.spec("ESO-114")
@pytest.mark.parametrize("as_target", [True, False], ids=["target", "source"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_extension_of_any_kind_is_the_same_in_the_product(
    bench: Bench, kind: str, as_target: bool
) -> None:
    """Header and data byte for byte but for two cards; what follows it is found again."""
    path = bench.folder / "s.fits"
    content = KINDS[kind](bench.folder)
    path.write_bytes(raw_hdu(*EMPTY) + content + extension("IMAGE", "EXTNAME = 'BEHIND  '"))
    if as_target:
        bench.target["source"] = bench.source("s")
    else:
        bench.sources.append(bench.source("s"))
    assert bench.merge() == MergeExit.OK
    (_, old, _), (_, new, behind) = read_layout(path), read_layout(bench.product)
    assert behind.title == "BEHIND"
    assert new.images[: len(old.images)] == old.images
    assert [image[:8] for image in new.images[len(old.images) :]] == ["CHECKSUM", "DATASUM "]
    whole = bench.product.read_bytes()
    assert whole[new.data_offset : new.data_offset + new.data_size] == content[
        -old.data_size :
    ] * bool(old.data_size)
    assert not [each for each in verify_file(bench.product).findings if "SUM" in each.message]


def groups(folder: Path) -> Path:
    """Write a file of random groups."""
    data = fits.GroupData(
        np.arange(12, dtype="f4").reshape(3, 1, 1, 2, 2), bitpix=-32, parnames=["U", "V"],
        pardata=[np.arange(3.0), np.arange(3.0)],
    )  # fmt: skip
    path = folder / "g.fits"
    fits.HDUList([fits.GroupsHDU(data)]).writeto(path)
    return path


def test_random_groups_as_the_target_stay_what_they_are(bench: Bench) -> None:
    """Their parameters are described in the product as they were."""
    path = groups(bench.folder)
    bench.target["source"] = bench.source("g")
    bench.give("ocm", INSTRUME="INSX")
    assert bench.merge() == MergeExit.OK
    with fits.open(path) as before, fits.open(bench.product, checksum=True) as after:
        after.verify("exception")
        assert after[0].parnames == before[0].parnames
        np.testing.assert_array_equal(after[0].data.data, before[0].data.data)
        np.testing.assert_array_equal(after[0].data.par("V"), before[0].data.par("V"))
    assert verify_file(bench.product).errors == 0


def test_random_groups_as_a_source_give_neither_data_nor_their_description(bench: Bench) -> None:
    """The data are told as not merged; a new primary HDU has no groups."""
    groups(bench.folder)
    bench.sources.append(bench.source("g"))
    assert bench.merge() == MergeExit.OK
    (alert,) = bench.of(MergeMessageType.ALERT)
    assert alert.content.id == "unmerged_data/g"
    names = set(primary_header(bench.product))
    assert not names & {"GROUPS", "PCOUNT", "GCOUNT", "PTYPE1", "PSCAL1", "PZERO1", "PTYPE2"}


@pytest.mark.parametrize(
    "cards",
    [
        ("SIMPLE  = T", "BITPIX  = 16", "NAXIS   = 1", "NAXIS1  = 2"),
        ("SIMPLE  =                    T", "NAXIS   = 1", "NAXIS1  = 2", "BITPIX  = 16"),
        (
            "SIMPLE  = T",
            "BITPIX  = 16",
            "NAXIS   = 1",
            "OBJECT  = 'x'",
            "NAXIS1  = 2",
            "NAXIS2  = 9",
        ),
        ("SIMPLE  = T", "BITPIX  = 16", "EXTEND  = F", "NAXIS   = 1", "NAXIS1  = 2", "PCOUNT  = 0"),
    ],
    ids=["free format", "order", "between", "too many"],
)
def test_a_target_of_a_sloppy_writer_becomes_a_product_of_the_standard(
    bench: Bench, cards: tuple[str, ...]
) -> None:
    """Mandatory keywords get their order and form; the data are where they were said to be."""
    data = np.array([3, 4], ">i2").tobytes()
    (bench.folder / "t.fits").write_bytes(raw_hdu(*cards, data=data))
    bench.target["source"] = bench.source("t")
    assert bench.merge() == MergeExit.OK
    assert verify_file(bench.product).findings == []
    primary_header(bench.product)
    assert fitsio.read(str(bench.product)).tolist() == [3, 4]


def test_the_keywords_of_a_sloppy_source_are_repaired(bench: Bench) -> None:
    """The product's own header keeps the standard whatever comes."""
    cards = (
        *EMPTY, "object  = 'm31'", "FLAG    = t", "OBS.ID  = 5", "NAME    = '\xc5'",
        "CONTINUE  'of nothing'", "HIERARCH ESO det x = 1", "UNDEF   =", "DATE-OBS= 2003-01-01",
    )  # fmt: skip
    (bench.folder / "s.fits").write_bytes(raw_hdu(*cards))
    bench.sources.append(bench.source("s"))
    assert bench.merge() == MergeExit.OK
    header = primary_header(bench.product)
    assert [header[name] for name in ("OBJECT", "FLAG", "ESO DET X")] == ["m31", True, 1]
    assert [line.split("=")[0].strip() for line in header["COMMENT"]] == [
        "OBS.ID",
        "CONTINUE  'of nothing'",
        "DATE-OBS",
    ]
    assert verify_file(bench.product).findings == []


def test_record_valued_keywords_do_not_collide_among_themselves(bench: Bench) -> None:
    """The same name stands there once for each field (FITS WCS paper IV)."""
    cards = ("D2IM1   = 'EXTVER: 1.0'", "D2IM1   = 'NAXES: 2.0'", "D2IM1   = 'AXIS.1: 1.0'")
    (bench.folder / "s.fits").write_bytes(raw_hdu(*EMPTY, *cards))
    bench.sources.append(bench.source("s"))
    bench.give("user", A=1)
    assert bench.merge() == MergeExit.OK
    assert bench.of(MergeMessageType.COLLISION) == []
    images = read_layout(bench.product)[0].images
    assert [image.rstrip() for image in images if image.startswith("D2IM1")] == list(cards)
