"""Patterns of strangers are matched where they can do no harm."""

from __future__ import annotations

import threading
import time

import pytest

from idl_like_interfaces.mapping.hosting.patterns import (
    MAX_LENGTH,
    MOST_AT_ONCE,
    PatternRefused,
    select_matching,
)

NAMES = ["obs/ocm/daq", "obs/ocm/std", "Pyro.NameServer", "a" * 64]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("obs", {"obs/ocm/daq", "obs/ocm/std"}),
        (".*std$", {"obs/ocm/std"}),
        ("ocm", set()),
        ("(?i)OBS.*daq", {"obs/ocm/daq"}),
    ],
)
def test_names_are_matched_from_their_beginning(pattern: str, found: set[str]) -> None:
    """As ``re.match`` does, and so the stock name server."""
    assert select_matching(pattern, NAMES) == found


@pytest.mark.parametrize("pattern", ["(a", "*", "a" * (MAX_LENGTH + 1)])
def test_malformed_and_long_patterns_are_refused(pattern: str) -> None:
    """With the reason."""
    with pytest.raises(PatternRefused, match="regex"):
        select_matching(pattern, NAMES)


def test_a_host_that_starts_no_process_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is matched in this process instead."""
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.raises(PatternRefused, match="could not be matched"):
        select_matching("obs", NAMES)


def test_a_pattern_that_never_ends_is_ended() -> None:
    """It would take longer than the universe has existed."""
    begun = time.monotonic()
    with pytest.raises(PatternRefused, match="takes too long"):
        select_matching("(a+)+b", NAMES, limit_s=0.3)
    assert time.monotonic() - begun < 50


def test_a_flood_of_patterns_is_refused_at_once() -> None:
    """Those beyond a few do not even wait for their turn: they would hold threads."""
    refused: list[str] = []

    def match() -> None:
        with pytest.raises(PatternRefused) as caught:
            select_matching("(a+)+b", NAMES, limit_s=0.5)
        refused.append(str(caught.value))

    threads = [threading.Thread(target=match) for _ in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert sum("takes too long" in each for each in refused) <= MOST_AT_ONCE
    assert sum("try again" in each for each in refused) >= 20 - MOST_AT_ONCE
