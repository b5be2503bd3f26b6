"""The dictionary of the demonstration: it knows what the demonstration writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from astropy.io import fits

from controller.demo.acquire import specification
from controller.demo.keywords import told_card
from controller.demo.scratch import DICTIONARY, prepare
from controller.failure import CommandFailed
from idl_like_interfaces.documents import FitsKeywordsSource
from objects.component.clock import SystemClock
from objects.component.installation import Installation
from objects.data_source.host_telemetry import HostTelemetry
from objects.data_source.statistics import Statistics
from objects.dictionaries.checking import complete_keyword
from objects.dictionaries.lookup import Dictionaries
from objects.dictionaries.reading import read_dictionary


@pytest.fixture
def known(tmp_path: Path) -> Dictionaries:
    """Read the dictionary that the installation of the demonstration names."""
    scratch = prepare(tmp_path / "scratch")
    (path,) = Installation(scratch.installation).settings("ocm").dictionaries
    assert path == str(scratch.folder / "dictionary" / DICTIONARY)
    return Dictionaries([read_dictionary(Path(path))])


def test_keywords_of_the_demonstration_are_known(known: Dictionaries, tmp_path: Path) -> None:
    """Those of its specification; without comments of their own they get some."""
    for source in specification(tmp_path).sources:
        if isinstance(source, FitsKeywordsSource):
            for keyword in source.keywords:
                assert " / " in complete_keyword(keyword, known).value


def test_keywords_of_the_telemetry_are_known(known: Dictionaries, tmp_path: Path) -> None:
    """Of all quantities that a host may have, with values small and large."""
    telemetry = HostTelemetry(tmp_path, SystemClock())
    statistics = []
    for _ in telemetry.columns:
        of_column = Statistics()
        of_column.add(0.0)
        of_column.add(1.0)
        statistics.append(of_column)
    keywords = telemetry.keywords(statistics)
    assert len(keywords) >= 18
    for keyword in keywords:
        complete_keyword(keyword, known)


def test_a_comment_of_somebody_else_is_found(tmp_path: Path) -> None:
    """The product must have that of the dictionary."""
    path = tmp_path / "x.fits"
    hdu = fits.PrimaryHDU()
    hdu.header["OBSERVER"] = ("me", "who")
    hdu.writeto(path)
    assert "OBSERVER= 'me ' / who" in told_card(path, "OBSERVER", "who")
    with pytest.raises(CommandFailed, match="has the comment 'who'"):
        told_card(path, "OBSERVER", "Name of the observer")
