"""Sources that answer what cannot be: told as their failure, and nothing gets stuck behind."""

from __future__ import annotations

import pytest

from idl_like_interfaces.daqif import DaqException
from idl_like_interfaces.keywords import EsoKeyword, FitsKeyword, LiteralKeyword, ValueKeyword
from idl_like_interfaces.metadaqif import MetaDaqException
from objects.acquisition.states import Phase
from tests.support.daq import Bench
from tests.support.malformed import BAD_LOCATIONS

QUICK = '{"awaitInterval": 0.1}'

BAD: list[FitsKeyword] = [
    ValueKeyword(name="lower", value=1),
    ValueKeyword(name="A\n", value=1),
    ValueKeyword(name="OBJECT", value="Ω Cen"),
    ValueKeyword(name="OBJECT", value="a\0"),
    ValueKeyword(name="N", value=2**64),
    ValueKeyword(name="COMMENT", value="x"),
    EsoKeyword(name="N" * 60, value="x" * 9),
    EsoKeyword(name="DET", value=1, comment="é"),
    LiteralKeyword(value="no card of any kind"),
    LiteralKeyword(value="x" * 90),
]


def stopped(bench: Bench) -> str:
    """Start an acquisition of ``a`` and ``m``, stop it, and return its id; ``m`` has failed."""
    id = bench.start("a", "m", properties=QUICK)
    assert bench.daq.stop_daq(id).error
    assert bench.phase(id) is Phase.STOPPING
    return id


@pytest.mark.spec("ESO-171")
@pytest.mark.parametrize("keyword", BAD)
def test_keywords_that_no_header_can_hold(bench: Bench, keyword: FitsKeyword) -> None:
    """The stop of that source has failed, by the place of the keyword; force goes on without it."""
    bench.m.keywords = [ValueKeyword(name="GOOD", value=1), keyword]
    id = stopped(bench)
    (alert,) = bench.daq.get_status(id).alerts
    assert "source m" in alert.description
    assert "keywords[1]" in alert.description
    assert alert.remedy
    bench.daq.force_stop_daq(id)
    assert {each.source_name for each in bench.queued(id).sources} == {"ocm"}


@pytest.mark.parametrize("location", BAD_LOCATIONS)
def test_files_that_nobody_can_find(bench: Bench, location: str) -> None:
    """Of metadata sources and of primary ones alike."""
    bench.m.files = ["/data/good.fits", location]
    id = stopped(bench)
    (alert,) = bench.daq.get_status(id).alerts
    assert "files[1]" in alert.description
    assert alert.remedy
    bench.a.files = [location]
    bench.daq.force_stop_daq(id)
    bench.queued(id)


def test_structure_and_reserved_keywords_of_a_source_are_carried(bench: Bench) -> None:
    """They come with its frames; the merger leaves out what is its own (ESO-121)."""
    bench.m.keywords = [ValueKeyword(name=name, value=1) for name in ("NAXIS", "DATE", "BITPIX")]
    id = bench.start("", "m")
    assert not bench.daq.stop_daq(id).error
    bench.queued(id)


def test_texts_of_sources_are_carried_as_they_are(bench: Bench) -> None:
    """What a source says of its failure may be in any script."""
    text = "Verschluß klemmt: 快门 卡住了 \N{WARNING SIGN}"
    bench.m.faults["start_daq"] = MetaDaqException(text, id="")
    with pytest.raises(DaqException) as refused:
        bench.start("", "m", id="x")
    assert text in refused.value.message
    assert text in bench.daq.get_status("x").message
    assert text in bench.daq.get_status("x").alerts[0].description
