"""Bad input at a real installation, over the wire: refused by its place, and everybody goes on."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fitsio
import pytest
from astropy.io import fits

from idl_like_interfaces.daqif import (
    DaqException,
    DaqState,
    DaqStatus,
    DaqSubstate,
    DpmDaqControl,
    OcmDaqControl,
)
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.keywords import EsoKeyword, FitsKeyword, ValueKeyword
from idl_like_interfaces.mapping import ObjectAdapter
from idl_like_interfaces.metadaqif import MetaDaq
from nameserver.client import Names, parse_address
from tests.support import malformed
from tests.support.daq import ScriptedMeta
from tests.support.eventually import eventually
from tests.support.fits import image, write_fits
from tests.support.installation import OBSORB, running_installation
from tests.support.malformed import faults_of
from tests.support.wire import StockClient

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

INSTALLATION = """
[installation]
name = "tested"
data_root = "data"

[name_server]
address = "localhost:0"

[component.events]
kind = "events"

[component.dpm]
kind = "dpm"
limits_daq = 0
look_again_s = 0.5

[component.ocm]
kind = "ocm"
instrument_id = "TEST"
autostart = true
"""

WAIT_S = 60.0
LONG_AGO_S = 1.0e9
EVERY = 1 if os.environ.get("OBSORB_SOAK") == "1" else 17
"""Of the malformed documents every so many-th goes over the wire; all of them did in-process."""


class Site:
    """An installation, and a metadata source of this process whose answers tests choose."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.names = Names(parse_address(address))
        self.ocm = self.names.narrow("obs/ocm/daq", OcmDaqControl, 60.0)
        self.dpm = self.names.narrow("obs/dpm/dpm/daq", DpmDaqControl, 60.0)
        self.adapter = ObjectAdapter()
        self.source = ScriptedMeta("m", [])
        self.source.files = []
        self.uri = self.adapter.activate(self.source, MetaDaq, "m")
        self.adapter.start()

    def close(self) -> None:
        self.adapter.close()
        self.names.close()

    def start(self, **more: Any) -> str:
        """Start an acquisition of the source."""
        sources = [{"type": "metadataSource", "sourceName": "m", "rrUri": self.uri}]
        return str(self.ocm.start_daq_v2(json.dumps({"sources": sources} | more)).id)

    def acquired(self, files: list[str], keywords: list[FitsKeyword] | None = None) -> str:
        """Acquire what the source shall say at its stop."""
        self.source.files, self.source.keywords = files, keywords or []
        id = self.start()
        self.ocm.stop_daq(id)
        return id

    def completed(self, id: str) -> DaqStatus:
        """Wait for the product."""
        reply = self.ocm.await_daq_state(id, DaqState.COMPLETED, DaqSubstate.COMPLETED, WAIT_S)
        assert reply.status.substate is DaqSubstate.COMPLETED, reply.status.message
        return reply.status

    def stuck(self, id: str) -> DaqStatus:
        """Wait until it needs somebody."""
        eventually(lambda: self.ocm.get_status(id).error, f"{id} has an error")
        return self.ocm.get_status(id)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_installation(tmp_path_factory.mktemp("bad"), INSTALLATION) as address:
        yield address


@pytest.fixture
def site(address: str) -> Iterator[Site]:
    """Yield the installation; after the test both servers must answer, and have nothing left."""
    found = Site(address)
    yield found
    for status in found.ocm.get_active_list():
        found.ocm.force_abort_daq(status.id)
    eventually(lambda: found.ocm.get_active_list() == [], "no acquisition is left")
    eventually(lambda: found.dpm.get_active_daqs() == [], "the DPM has nothing left")
    found.close()


@pytest.mark.parametrize("mode", ["stub", "stock"])
def test_malformed_documents_over_the_wire(site: Site, mode: str) -> None:
    """Each is refused by its path, over a typed stub and over a stock proxy."""
    ocm: Any = site.ocm
    dpm: Any = site.dpm
    if mode == "stock":
        ocm = StockClient(site.names.context.resolve("obs/ocm/daq").uri, OcmDaqControl)
        dpm = StockClient(site.names.context.resolve("obs/dpm/dpm/daq").uri, DpmDaqControl)
    for call, faults in (
        (ocm.start_daq_v2, [*faults_of(malformed.V2), *malformed.OF_V2]),
        (dpm.queue_daq, malformed.OF_PRODUCT_AT_DPM + malformed.OF_PRODUCT),
    ):
        for fault in faults[::EVERY]:
            with pytest.raises(DaqException) as refused:
                call(fault.text)
            assert refused.value.message.startswith(f"specification{fault.path}"), fault.what
            assert refused.value.remedy
    assert site.ocm.get_active_list() == []
    assert site.dpm.get_active_daqs() == []


def test_texts_that_are_no_json_over_the_wire(site: Site) -> None:
    """Among them one that is longer than a message may be."""
    for name, text in malformed.TEXTS:
        with pytest.raises(RemoteError) as refused:
            site.ocm.start_daq_v2(str(text))
        if "10 MB" in name:
            assert "10000020 bytes" in refused.value.message
        else:
            assert isinstance(refused.value, DaqException), name
        assert refused.value.remedy, refused.value.message
    assert site.ocm.get_active_list() == []


def test_ten_thousand_keywords_everywhere(site: Site) -> None:
    """At the start, in an update and at the stop: all of them stand in the product.

    Ten thousand of each in the full counts, else of the first only.
    """
    less = 10_000 if EVERY == 1 else 1_000
    counts = {"GEN": 10_000, "OBS": less, "TEL": less}

    def many(category: str) -> list[dict[str, Any]]:
        return [
            {"type": "esoKeyword", "name": f"{category} K{place}", "value": place, "comment": "one"}
            for place in range(counts[category])
        ]

    sources = [
        {"type": "metadataSource", "sourceName": "m", "rrUri": site.uri},
        {"type": "fitsKeywords", "sourceName": "k", "keywords": many("GEN")},
    ]
    site.source.files = []
    site.source.keywords = [EsoKeyword(name=f"TEL K{n}", value=n) for n in range(less)]
    id = site.start(sources=sources)
    site.ocm.update_keywords(id, json.dumps(many("OBS")))
    site.ocm.stop_daq(id)
    header = Path(site.completed(id).result).read_bytes()
    for category, count in counts.items():
        assert header.count(f"HIERARCH ESO {category} K".encode()) == count
    last = b"HIERARCH ESO GEN K9999 = 9999 / one"
    assert last in header


def spoil(kind: str, good: Path, bad: Path) -> None:
    """Put something in the place of a file that is none."""
    match kind:
        case "empty":
            bad.touch()
        case "no FITS":
            bad.write_bytes(b"GIF89a" * 1000)
        case "a folder":
            bad.mkdir()
        case "a fifo":
            os.mkfifo(bad)
        case "cut short":
            bad.write_bytes(good.read_bytes()[:-4000])
        case _:
            pass


@pytest.mark.parametrize("kind", ["missing", "empty", "no FITS", "a folder", "a fifo", "cut short"])
def test_files_that_are_none(site: Site, tmp_path: Path, kind: str) -> None:
    """It waits with an alert that names the file, why and what to do; others go on meanwhile."""
    good, bad = write_fits(tmp_path / "good.fits", extensions=[image("A")]), tmp_path / "bad.fits"
    spoil(kind, good, bad)
    id = site.acquired([str(good), str(bad)])
    other = site.acquired([str(good)])
    site.completed(other)
    alert = next(each for each in site.stuck(id).alerts if "bad.fits" in each.description)
    assert alert.cause
    assert alert.remedy
    if kind == "a folder":
        bad.rmdir()
    else:
        bad.unlink(missing_ok=True)
    write_fits(bad, extensions=[image("B")])
    # As if long finished: of a file that was just written it is waited whether it grows.
    os.utime(bad, (LONG_AGO_S, LONG_AGO_S))
    site.ocm.retry_merge_daq(id)
    with fits.open(site.completed(id).result) as hdus:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "A", "B"]


def test_a_file_that_is_named_twice_is_taken_once(site: Site, tmp_path: Path) -> None:
    """By one source or by two; when by two, a warning says so."""
    file = str(write_fits(tmp_path / "x.fits", extensions=[image("A")]))
    with fits.open(site.completed(site.acquired([file, file])).result) as hdus:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "A"]
    site.source.files, site.source.keywords = [file], []
    id = site.start(
        sources=[
            {"type": "metadataSource", "sourceName": "m", "rrUri": site.uri},
            {"type": "fitsFile", "sourceName": "f", "location": file},
        ]
    )
    site.ocm.stop_daq(id)
    status = site.completed(id)
    assert any("twice" in alert.id for alert in status.alerts)
    assert not status.error
    with fits.open(status.result) as hdus:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "A"]


def test_odd_names_of_files_are_carried(site: Site, tmp_path: Path) -> None:
    """Blanks, quotes, dashes, other scripts, and names as long as a disk allows."""
    names = [
        "a b.fits",
        "-rf.fits",
        "'q\".fits",
        "$(x);&.fits",
        "ä快.fits",
        "x" * 250 + ".fits",
        "~.fits",
        ".h",
    ]
    files = [
        str(write_fits(tmp_path / name, extensions=[image(f"E{place}")]))
        for place, name in enumerate(names)
    ]
    with fits.open(site.completed(site.acquired(files)).result) as hdus:
        assert [hdu.name for hdu in hdus[1:]] == [f"E{place}" for place in range(len(names))]


@pytest.mark.parametrize(
    "reply",
    [
        "text",
        {"id": "", "keywords": "[]"},
        {"id": "", "keywords": {"type": "valueKeyword"}},
        {"id": "", "keywords": [{"type": "number", "name": "A", "value": 1}]},
        {"id": "", "files": "/data/x.fits"},
        {"id": "", "files": [3]},
        None,
    ],
)
def test_stop_replies_of_another_form(site: Site, reply: Any) -> None:
    """The stop of that source has failed; by force it goes on without its data."""
    id = site.start()
    site.source.stop_daq = lambda *_: reply  # type: ignore[method-assign]
    try:
        with pytest.raises(DaqException) as refused:
            site.ocm.stop_daq(id)
    finally:
        del site.source.stop_daq
    assert "source m" in refused.value.message
    assert refused.value.remedy
    site.ocm.force_stop_daq(id)
    site.completed(id)


def test_non_ascii_text_is_refused_or_carried(site: Site) -> None:
    """A keyword is refused by its place; a string in ASCII comes out as it went in."""
    id = site.start(id="carried")
    for text in ("Ω Cen", "naïve", "\u2028", "\U0001f52d"):
        with pytest.raises(DaqException, match=r"keywords\[0\]\.value") as refused:
            site.ocm.update_keywords(
                id, json.dumps([{"type": "valueKeyword", "name": "OBJECT", "value": text}])
            )
        assert "ASCII" in refused.value.message
    odd = "it''s 'quoted' / not a comment & more" + " x" * 60
    keyword = {"type": "valueKeyword", "name": "OBJECT", "value": odd}
    site.source.files, site.source.keywords = [], [ValueKeyword(name="T", value="T")]
    site.ocm.update_keywords(id, json.dumps([keyword]))
    site.ocm.stop_daq(id)
    # By cfitsio: astropy takes a slash behind a doubled quote of a long string for a comment.
    header = fitsio.read_header(site.completed(id).result)
    assert header["OBJECT"] == odd
    assert header["T"] == "T"


def test_the_command_line_says_where_and_what(site: Site, tmp_path: Path) -> None:
    """Typical slips of an operator: each answer has path, cause or remedy, and no traceback."""
    broken = tmp_path / "broken.json"
    broken.write_bytes('{"sources": [ä'.encode("latin-1"))
    for arguments, says in (
        (["startv2", "@nowhere.json"], "nowhere.json"),
        (["startv2", f"@{broken}"], "UTF-8"),
        (["startv2", "{'sources': []}"], "line 1, column 2"),
        (["startv2", '{"sources": [{"type": "primaryDataSource"}]}'], "primarySource"),
        (["start", "dcs1"], "name@rrUri"),
        (["start", "dcs1@obs/nobody"], "obs/nobody"),
        (["start", "dcs1@zpb.rr://h:1/rec"], "endpoint"),
        (["stop", "nobody"], "nobody"),
        (["updatekeywords", "nobody", "[]"], "nobody"),
        (["awaitstate", "nobody", "StateCompleted", "Merging", "1"], "no acquisition is ever in"),
        (["start", "a@obs/a", "--file-prefix", "../x"], "file_prefix"),
    ):
        ran = subprocess.run(
            [str(OBSORB), "daq", "--names", site.address, *arguments],
            capture_output=True, text=True, cwd=tmp_path, check=False,
        )  # fmt: skip
        assert ran.returncode in (1, 2), (arguments, ran)
        assert says in ran.stderr, (arguments, ran.stderr)
        assert "Traceback" not in ran.stderr
        assert "remedy" in ran.stderr or ran.returncode == 2, (arguments, ran.stderr)
