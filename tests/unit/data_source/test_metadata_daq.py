"""A metadata source accompanies acquisitions: what it samples, leaves and refuses."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import fitsio
import numpy as np
import pytest
from astropy.io import fits
from typing_extensions import override

from idl_like_interfaces.announcements import FileFinished
from idl_like_interfaces.keywords import EsoKeyword, FitsKeyword
from idl_like_interfaces.metadaqif import MetaDaqException, MetaDaqState
from objects.data_source import metadata_daq
from objects.data_source.metadata import Column, MetadataSource
from objects.data_source.metadata_daq import MetadataDaq
from objects.data_source.output import OutputFolder
from objects.data_source.readiness import SourceNotReady
from objects.data_source.statistics import Statistics
from tests.support.site import FakeSite

Make = Callable[[MetadataSource], MetadataDaq]


class Ramp(MetadataSource):
    """Its first column counts; the second cannot be read at first."""

    extension = "RAMP"
    columns: Sequence[Column] = (
        Column(name="COUNT", unit="K", comment="a ramp", keyword="INS RAMP"),
        Column(name="LATE"),
    )

    def __init__(self) -> None:
        self.count = 0
        self.failure: Exception | None = None
        self.stopped: list[str] = []

    @override
    def sample(self) -> Sequence[float]:
        if self.failure is not None:
            raise self.failure
        self.count += 1
        return [self.count, math.nan if self.count == 1 else 1.0]

    @override
    def ensure_stopped(self, id: str) -> None:
        self.stopped.append(id)


@pytest.fixture
def site(tmp_path: Path) -> FakeSite:
    return FakeSite(tmp_path, name="tel")


@pytest.fixture
def make(site: FakeSite) -> Iterator[Make]:
    made: list[MetadataDaq] = []

    def factory(source: MetadataSource) -> MetadataDaq:
        made.append(MetadataDaq(site, source, OutputFolder(site.data_root / "out")))
        return made[-1]

    yield factory
    for daq in made:
        daq.close()


def _names(site: FakeSite) -> set[str]:
    return {path.name for path in (site.data_root / "out").iterdir()} - {".lock"}


def _sampled(daq: MetadataDaq, site: FakeSite, id: str, ticks: int) -> None:
    daq.start_daq(id)
    for _ in range(ticks):
        site.clock.advance(1.0)
        site.tick()


@pytest.mark.spec("ESO-179")
def test_the_table_holds_all_samples_with_their_times(make: Make, site: FakeSite) -> None:
    """At the begin, periodically, and at the end; two independent readers agree."""
    daq = make(Ramp())
    _sampled(daq, site, "a1", ticks=3)
    site.clock.advance(0.5)
    (file,) = daq.stop_daq("a1").files
    with fits.open(file, checksum=True) as hdus:
        hdus.verify("exception")
        table = hdus["RAMP"]
        assert list(table.data["COUNT"]) == [1, 2, 3, 4, 5]
        assert table.columns["COUNT"].unit == "K"
        assert table.data["TIME"][0] == "2026-01-02T03:04:05.000"
        assert table.header["DATE-END"] == "2026-01-02T03:04:08.500"
        assert np.allclose(np.diff(table.data["MJD"]) * 86400, [1, 1, 1, 0.5], atol=1e-4)
        assert table.header["HIERARCH ESO INS RAMP MAX"] == 5
        assert table.header.comments["TTYPE3"] == "a ramp"
    with fitsio.FITS(file) as other:
        assert math.isnan(other["RAMP"]["LATE"].read()[0])


def test_the_keywords_are_the_statistics_of_the_columns(make: Make, site: FakeSite) -> None:
    """Only of the columns that name a keyword; the status repeats them."""
    daq = make(Ramp())
    _sampled(daq, site, "a1", ticks=2)
    reply = daq.stop_daq("a1")
    keywords = [each for each in reply.keywords if isinstance(each, EsoKeyword)]
    assert {each.name: each.value for each in keywords} == {
        "INS RAMP MIN": 1.0,
        "INS RAMP MAX": 4.0,
        "INS RAMP MEAN": 2.5,
    }
    assert keywords[0].comment == "[K] min of a ramp"
    status = daq.get_daq_status("a1")
    assert (status.keywords, status.files) == (reply.keywords, reply.files)


def test_the_finished_file_is_announced(make: Make, site: FakeSite) -> None:
    """Once, for its acquisition; it is read-only."""
    daq = make(Ramp())
    daq.start_daq("a1")
    (file,) = daq.stop_daq("a1").files
    ((_, body),) = site.events
    assert isinstance(body, FileFinished)
    assert (body.path, body.owner) == (file, "a1")
    assert Path(file).stat().st_mode & 0o777 == 0o444


def test_acquisitions_at_the_same_time_are_independent(make: Make, site: FakeSite) -> None:
    """Each has its own samples, from its own begin to its own end."""
    source = Ramp()
    daq = make(source)
    daq.start_daq("a1")
    _sampled(daq, site, "a2", ticks=1)
    daq.abort_daq("a1")
    site.tick()
    (file,) = daq.stop_daq("a2").files
    assert len(fits.getdata(file, 1)) == 4
    assert _names(site) == {"a2.fits"}
    assert source.stopped == ["a1", "a2"]


def test_an_abort_leaves_nothing(make: Make, site: FakeSite) -> None:
    """Neither file nor keywords nor further samples."""
    source = Ramp()
    daq = make(source)
    _sampled(daq, site, "a1", ticks=1)
    daq.abort_daq("a1")
    site.tick()
    status = daq.get_daq_status("a1")
    assert (status.state, status.files, status.keywords) == (MetaDaqState.ABORTED, [], [])
    assert _names(site) == set()
    assert source.count == 2


def test_a_failing_source_fails_the_acquisition(make: Make, site: FakeSite) -> None:
    """Its status has the reason; a stop is refused with it; nothing is visible."""
    source = Ramp()
    daq = make(source)
    daq.start_daq("a1")
    source.failure = OSError("sensor lost")
    site.tick()
    status = daq.get_daq_status("a1")
    assert (status.state, status.message) == (MetaDaqState.FAILED, "sensor lost")
    with pytest.raises(MetaDaqException, match="a1 is Failed") as refused:
        daq.stop_daq("a1")
    assert refused.value.cause == "sensor lost"
    assert _names(site) == set()


def test_a_failure_of_the_last_sample_fails_the_stop(make: Make) -> None:
    """The data would not reach to the end."""
    source = Ramp()
    daq = make(source)
    daq.start_daq("a1")
    source.failure = OSError("sensor lost")
    with pytest.raises(MetaDaqException, match="a1 is Failed"):
        daq.stop_daq("a1")


def test_a_source_without_samples_refuses_the_start(make: Make, site: FakeSite) -> None:
    """The first sample is taken at once; the id stays free."""
    source = Ramp()
    source.failure = OSError("no power")
    daq = make(source)
    with pytest.raises(MetaDaqException, match="tel gives no samples") as refused:
        daq.start_daq("a1")
    assert (refused.value.cause, refused.value.id) == ("no power", "a1")
    assert _names(site) == set()
    source.failure = None
    daq.start_daq("a1")


def test_a_refusal_of_the_source_reaches_the_client(make: Make) -> None:
    """With its own cause and remedy."""
    source = Ramp()
    source.failure = SourceNotReady("too warm", cause="no coolant", remedy="refill")
    with pytest.raises(MetaDaqException, match="too warm") as refused:
        make(source).start_daq()
    assert (refused.value.cause, refused.value.remedy) == ("no coolant", "refill")


def test_an_unwritable_data_root_refuses_the_start(site: FakeSite) -> None:
    """The refusal names the folder, the cause and what to do."""
    (site.data_root / "file").touch()
    daq = MetadataDaq(site, Ramp(), OutputFolder(site.data_root / "file" / "out"))
    with pytest.raises(MetaDaqException, match="cannot be written into") as refused:
        daq.start_daq("a1")
    assert refused.value.cause
    assert refused.value.remedy
    daq.close()


def test_data_that_cannot_be_finished_fail_the_acquisition(make: Make, site: FakeSite) -> None:
    """The place of the file is taken meanwhile by a folder."""
    daq = make(Ramp())
    daq.start_daq("a1")
    (site.data_root / "out" / "a1.fits").mkdir()
    with pytest.raises(MetaDaqException, match="could not be finished") as refused:
        daq.stop_daq("a1")
    assert refused.value.cause
    assert daq.get_daq_status("a1").state is MetaDaqState.FAILED


class _KeywordsOnly(Ramp):
    columns = ()

    @override
    def sample(self) -> Sequence[float]:
        return []

    @override
    def keywords(self, statistics: Sequence[Statistics]) -> list[FitsKeyword]:
        return [EsoKeyword(name="INS FILT1 NAME", value="B")]


def test_a_source_without_columns_makes_no_file(make: Make, site: FakeSite) -> None:
    """It gives keywords only."""
    daq = make(_KeywordsOnly())
    daq.start_daq("a1")
    reply = daq.stop_daq("a1")
    assert (reply.files, len(reply.keywords)) == ([], 1)
    assert site.events == []


def test_an_id_is_used_once_even_after_a_restart(make: Make) -> None:
    """The file of the earlier one is still there."""
    first = make(Ramp())
    first.start_daq("a1")
    first.stop_daq("a1")
    first.close()
    with pytest.raises(MetaDaqException, match="a1 was used before"):
        make(Ramp()).start_daq("a1")


def test_forgotten_acquisitions_are_bounded(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal says how many there are and what to do."""
    monkeypatch.setattr(metadata_daq, "MOST_ACTIVE", 2)
    daq = make(Ramp())
    daq.start_daq()
    daq.start_daq()
    with pytest.raises(MetaDaqException, match="but 2 are active") as refused:
        daq.start_daq()
    assert "Stop or abort" in refused.value.remedy


@pytest.mark.spec("ESO-180")
def test_at_least_a_hundred_past_acquisitions_are_remembered(make: Make) -> None:
    """The first of them can still be asked for."""
    daq = make(Ramp())
    ids = [daq.start_daq().id for _ in range(1)]
    daq.abort_daq(ids[0])
    for _ in range(100):
        ids.append(daq.start_daq().id)
        daq.abort_daq(ids[-1])
    assert len(set(ids)) == 101
    assert daq.get_daq_status(ids[0]).state is MetaDaqState.ABORTED


def test_the_memory_of_past_acquisitions_is_bounded(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest ended one is forgotten, an active one never."""
    monkeypatch.setattr(metadata_daq, "HISTORY", 3)
    daq = make(Ramp())
    daq.start_daq("active")
    for number in range(4):
        daq.abort_daq(daq.start_daq(f"a{number}").id)
    with pytest.raises(MetaDaqException, match="no acquisition 'a0'"):
        daq.get_daq_status("a0")
    assert daq.get_daq_status("active").state is MetaDaqState.ACQUIRING


def test_going_down_keeps_the_data(make: Make, site: FakeSite) -> None:
    """An orderly end of the process is a stop."""
    daq = make(Ramp())
    daq.start_daq("a1")
    assert daq.detail() == "1 active"
    daq.close()
    assert daq.detail() == "idle"
    assert _names(site) == {"a1.fits"}
