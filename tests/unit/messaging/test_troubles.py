"""What is wrong is said once, and until it is over."""

from __future__ import annotations

import errno
import logging

import pytest

from objects.messaging.troubles import Troubles

LOG = logging.getLogger("tested")
FULL = OSError(errno.ENOSPC, "No space left on device", "/data/00000007.events")


def test_a_trouble_lasts_until_it_is_ended() -> None:
    """Several are told together; the name of the file is left out, since it changes."""
    troubles = Troubles("the journal", LOG)
    troubles.begin("events", "not written", FULL)
    troubles.begin("cursors", "not kept", ValueError("why"))
    assert troubles.text == "not written: No space left on device; not kept: why"
    assert "events" in troubles
    assert troubles.end("events")
    assert not troubles.end("events")
    assert troubles.text == "not kept: why"


def test_it_is_logged_when_it_begins(caplog: pytest.LogCaptureFixture) -> None:
    """However often it is found; and when it comes back."""
    troubles = Troubles("the journal", LOG)
    for _ in range(3):
        troubles.begin("events", "not written", FULL)
    troubles.end("events")
    troubles.begin("events", "not written", FULL)
    said = "the journal: not written: No space left on device"
    assert [record.getMessage() for record in caplog.records] == [said, said]
