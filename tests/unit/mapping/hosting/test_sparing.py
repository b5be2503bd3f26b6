"""A flood of warnings is counted, not written."""

from __future__ import annotations

import logging

import pytest

from idl_like_interfaces.bucket import BURST, Bucket
from idl_like_interfaces.mapping.hosting import sparing
from idl_like_interfaces.mapping.hosting.sparing import Sparing


@pytest.fixture
def log() -> logging.Logger:
    """A logger with the filter, that is nobody else's."""
    logger = logging.getLogger("tests.sparing")
    logger.filters = [Sparing()]
    return logger


def test_a_flood_of_one_kind_does_not_hide_another(
    log: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    """Each statement has its own measure; what is no warning is not counted."""
    for number in range(1000):
        log.warning("refused %d", number)
    log.warning("something else")
    told = [each.getMessage() for each in caplog.records]
    assert BURST <= len(told) < BURST + 50
    assert told[-1] == "something else"


def test_the_next_one_says_how_many_were_kept_back(
    log: logging.Logger, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Percent signs of a peer are no placeholders."""
    now = [0.0]
    monkeypatch.setattr(sparing, "Bucket", lambda: Bucket(lambda: now[0]))
    for _ in range(300):
        log.warning("refused %s", "100%s")
    now[0] += 1.0
    log.warning("refused %s", "100%s")
    assert caplog.records[-1].getMessage() == "refused 100%s (and 100 more of this kind)"
