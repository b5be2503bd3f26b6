"""A coordinator with dictionaries takes their keywords only, all or nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from idl_like_interfaces.daqif import DaqException
from idl_like_interfaces.documents import FitsKeywordsSource
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.keywords import EsoKeyword, LiteralKeyword, ValueKeyword
from objects.acquisition.component import OcmComponent
from objects.acquisition.states import Phase
from tests.support.daq import Bench
from tests.support.dictionaries import CLASSIC


@pytest.fixture
def dictionary(tmp_path: Path) -> Path:
    path = tmp_path / "ESO-VLT-DIC.TEST"
    path.write_text(CLASSIC)
    return path


@pytest.fixture
def strict(tmp_path: Path, dictionary: Path) -> Iterator[Bench]:
    """Yield a coordinator with a dictionary."""
    running = Bench(tmp_path / "data")
    running.settings = replace(running.settings, dictionaries=[str(dictionary)])
    running.restart()
    yield running
    running.close()


def value(name: str, value: Any) -> dict[str, Any]:
    return {"type": "valueKeyword", "name": name, "value": value}


def eso(name: str, value: Any) -> dict[str, Any]:
    return {"type": "esoKeyword", "name": name, "value": value}


def own_cards(bench: Bench, id: str) -> list[str]:
    """Return the client's keywords as they were handed to the DPM."""
    own = bench.queued(id).sources[0]
    assert isinstance(own, FitsKeywordsSource)
    return [each.value for each in own.keywords if isinstance(each, LiteralKeyword)]


@pytest.mark.spec("ESO-167")
def test_an_unknown_keyword_refuses_the_start(strict: Bench) -> None:
    """No acquisition is made and no source asked; the message names path, keyword and likeness."""
    properties = json.dumps({"keywords": [value("EXPTIME", 1.0), value("EXPTIM", 1.0)]})
    with pytest.raises(DaqException) as refused:
        strict.start(id="x", properties=properties)
    assert refused.value.message == (
        "properties.keywords[1] (EXPTIM): no dictionary has this keyword; did you mean EXPTIME?"
    )
    assert refused.value.id == "x"
    assert "ESO-VLT-DIC.TEST" in refused.value.cause
    assert strict.daq.get_active_list() == []
    assert strict.journal == []


@pytest.mark.spec("ESO-167", "ESO-168")
def test_every_bad_keyword_of_a_specification_is_named(strict: Bench) -> None:
    """Those of the sources, too, each by its path; nothing is made."""
    document = {
        "id": "x",
        "sources": [
            {
                "type": "primarySource",
                "sourceName": "a",
                "rrUri": "obs/a",
                "initialKeywords": [eso("INS FILT1 ID", "RED"), eso("INS FILT1 ID", "GREEN")],
            },
            {
                "type": "fitsKeywords",
                "sourceName": "k",
                "keywords": [value("EXPTIME", "long"), value("NOTHERE", 1)],
            },
        ],
    }
    with pytest.raises(DaqException) as refused:
        strict.daq.start_daq_v2(json.dumps(document))
    told = refused.value.message.splitlines()
    assert told[0] == "3 keywords are refused:"
    assert [line.split(":")[0].strip() for line in told[1:]] == [
        "specification.sources[0].initialKeywords[1] (INS FILT1 ID)",
        "specification.sources[1].keywords[0] (EXPTIME)",
        "specification.sources[1].keywords[1] (NOTHERE)",
    ]
    assert strict.daq.get_active_list() == []
    assert strict.journal == []


@pytest.mark.spec("ESO-169", "ESO-172", "ESO-173")
def test_keywords_of_a_start_are_completed(strict: Bench) -> None:
    """Format and comment come from the dictionary; the rest of the specification stays."""
    document = {
        "sources": [
            {
                "type": "metadataSource",
                "sourceName": "m",
                "rrUri": "obs/m",
                "initialKeywords": [eso("INS FILT2 ID", "BLUE")],
            },
            {"type": "fitsKeywords", "sourceName": "k", "keywords": [value("EXPTIME", 12)]},
            {"type": "fitsFile", "sourceName": "f", "location": "/f.fits"},
        ]
    }
    id = strict.daq.start_daq_v2(json.dumps(document)).id
    strict.daq.update_keywords(id, json.dumps([{**value("OBJECT", "M 31"), "comment": "mine"}]))
    strict.daq.stop_daq(id)
    sources = {
        each.source_name: each
        for each in strict.queued(id).sources
        if isinstance(each, FitsKeywordsSource)
    }
    assert sources["m"].keywords == [
        LiteralKeyword(value="HIERARCH ESO INS FILT2 ID = 'BLUE    ' / Filter")
    ]
    assert sources["k"].keywords == [
        LiteralKeyword(value="EXPTIME =               12.000 / [s] Integration time")
    ]
    assert own_cards(strict, id) == ["OBJECT  = 'M 31    '           / mine"]
    assert any(each.source_name == "f" for each in strict.queued(id).sources)


@pytest.mark.spec("ESO-170")
def test_one_bad_keyword_leaves_all_of_an_update_out(strict: Bench) -> None:
    """The good ones beside it, too; those of before stay."""
    properties = json.dumps({"keywords": [value("EXPTIME", 1)]})
    id = strict.start("", "m", properties=properties)
    with pytest.raises(DaqException, match=r"keywords\[1\] \(OBJECT\): it must be a string value"):
        strict.daq.update_keywords(id, json.dumps([value("EXPTIME", 2), value("OBJECT", 3)]))
    strict.daq.stop_daq(id)
    assert own_cards(strict, id) == ["EXPTIME =                1.000 / [s] Integration time"]


def test_an_update_takes_the_place_of_what_was_completed(strict: Bench) -> None:
    """A finished card is known by its text."""
    properties = json.dumps({"keywords": [value("EXPTIME", 1), eso("INS FILT1 ID", "RED")]})
    id = strict.start("", "m", properties=properties)
    strict.daq.update_keywords(id, json.dumps([eso("INS FILT1 ID", "OPEN"), value("EXPTIME", 2)]))
    strict.daq.stop_daq(id)
    assert [card.split("/")[0].strip() for card in own_cards(strict, id)] == [
        "EXPTIME =                2.000",
        "HIERARCH ESO INS FILT1 ID = 'OPEN    '",
    ]


@pytest.mark.spec("ESO-171")
def test_a_bad_keyword_at_a_stop_is_an_error_of_that_source(strict: Bench) -> None:
    """The other source counts; it stays in Stopping with an alert, until it is forced."""
    strict.m.keywords = [
        ValueKeyword(name="EXPTIME", value="long"),
        ValueKeyword(name="X", value=1),
    ]
    strict.n.keywords = [EsoKeyword(name="INS SHUT ST", value=True)]
    id = strict.start("", "mn")
    reply = strict.daq.stop_daq(id)
    assert reply.error
    assert strict.phase(id) is Phase.STOPPING
    (alert,) = strict.daq.get_status(id).alerts
    assert "source m (obs/m)" in alert.description
    assert "keywords[0] (EXPTIME): it must be a double value" in alert.description
    assert "keywords[1] (X): no dictionary has this keyword" in alert.description
    assert "force_stop_daq" in alert.remedy
    assert strict.daq.stop_daq(id).error, "asked again it says the same"
    strict.daq.force_stop_daq(id)
    said = [each for each in strict.queued(id).sources if isinstance(each, FitsKeywordsSource)]
    assert [each.source_name for each in said] == ["ocm", "n"]
    assert said[1].keywords == [LiteralKeyword(value="HIERARCH ESO INS SHUT ST = T / Shutter open")]


@pytest.mark.spec("ESO-171")
def test_a_repaired_dictionary_lets_a_stop_succeed(strict: Bench, dictionary: Path) -> None:
    """After a restart of the coordinator, which finishes it: the source is asked what it made."""
    strict.m.keywords = [EsoKeyword(name="TEL ALT", value=45)]
    id = strict.start("", "m")
    with pytest.raises(DaqException, match="TEL ALT"):
        strict.daq.stop_daq(id)
    dictionary.write_text(f"{CLASSIC}\nParameter Name: TEL ALT\nType: double\nValue Format: %.1f\n")
    strict.restart()
    said = strict.queued(id).sources[1]
    assert isinstance(said, FitsKeywordsSource)
    assert said.keywords == [LiteralKeyword(value="HIERARCH ESO TEL ALT = 45.0")]


@pytest.mark.spec("ESO-174")
@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, r"dictionaries\[0\]: there is no file .*ESO-VLT-DIC.BAD"),
        (CLASSIC.replace("%.3f", "%g"), "ESO-VLT-DIC.BAD:8: Value Format: '%g'"),
        ("nothing", "Dictionary Name: the field is missing"),
    ],
)
def test_a_missing_or_faulty_dictionary_ends_the_start(
    strict: Bench, tmp_path: Path, text: str | None, why: str
) -> None:
    """With the file, and when it is faulty with line and field."""
    bad = tmp_path / "ESO-VLT-DIC.BAD"
    if text is not None:
        bad.write_text(text)
    settings = replace(strict.settings, dictionaries=[str(bad)])
    with pytest.raises(BadParam, match=why):
        OcmComponent(strict.site, settings)


def test_ten_thousand_bad_keywords_are_told_in_a_message_that_can_travel(strict: Bench) -> None:
    """The first 200, and how many more there are."""
    keywords = [value("NOTHERE", number) for number in range(10_000)]
    with pytest.raises(DaqException) as refused:
        strict.start(properties=json.dumps({"keywords": keywords}))
    told = refused.value.message.splitlines()
    assert told[0] == "10000 keywords are refused:"
    assert told[-1].strip() == "and 9800 more"
    assert len(refused.value.message) < 64 * 1024
