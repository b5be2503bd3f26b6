"""Who lives, who has fallen silent, and whose start is over."""

from __future__ import annotations

from objects.oldb.sources import MOST_STARTS, SILENT_AFTER_S, Life, Sources


def beating(now: float = 0.0) -> Sources:
    """A source ``a`` that lives in its start ``i1``."""
    sources = Sources()
    sources.hear("a", "i1", now, is_beat=True)
    return sources


def test_a_source_without_heartbeats_is_never_judged() -> None:
    """Nobody knows when it ought to be heard."""
    sources = Sources()
    assert not sources.hear("a", "i1", 0.0)
    assert sources.fallen_silent(1000.0) == []
    assert not sources.beats("a")


def test_silence_is_told_once() -> None:
    """After three seconds without a sign of life, and not before."""
    sources = beating()
    assert sources.fallen_silent(SILENT_AFTER_S - 0.01) == []
    assert sources.fallen_silent(SILENT_AFTER_S) == ["a"]
    assert sources.fallen_silent(SILENT_AFTER_S + 1) == []
    assert sources.living("a") is None


def test_a_write_is_a_sign_of_life() -> None:
    """It keeps a source from being silent, and ends its silence."""
    sources = beating()
    sources.hear("a", "i1", 2.0)
    assert sources.fallen_silent(4.0) == []
    assert sources.fallen_silent(5.0) == ["a"]
    assert sources.hear("a", "i1", 6.0)
    assert sources.living("a") == "i1"


def test_who_says_that_it_stops_has_stopped() -> None:
    """No late sign of the same start revives it; a new start does."""
    sources = beating()
    assert sources.hear("a", "i1", 1.0, is_beat=True, is_last=True)
    assert not sources.hear("a", "i1", 2.0)
    assert sources.living("a") is None
    assert not sources.is_trusted("a", "i1")
    assert sources.hear("a", "i2", 3.0)
    assert sources.living("a") == "i2"
    assert sources.is_trusted("a", "i2")


def test_a_start_that_was_followed_is_past() -> None:
    """Its late signs are passed over."""
    sources = beating()
    sources.hear("a", "i2", 1.0, is_beat=True)
    assert sources.is_past("a", "i1")
    assert not sources.is_past("a", "i2")
    assert not sources.hear("a", "i1", 1.5, is_beat=True)
    assert sources.living("a") == "i2"


def test_what_was_known_before_is_recalled() -> None:
    """After a restart a source has its time to be heard, then it is silent."""
    sources = Sources()
    sources.recall([("a", "i1"), ("a", "i2")], 100.0)
    assert sources.is_past("a", "i1")
    assert sources.living("a") == "i2"
    assert sources.hear("a", "i2", 101.0)  # its values may have been suspect
    sources.recall([("b", "i1")], 100.0)
    assert sources.fallen_silent(103.5) == ["b"]


def test_nobody_is_silent_while_nobody_can_be_heard() -> None:
    """Each has its whole time again."""
    sources = beating()
    sources.wait_anew(100.0)
    assert sources.fallen_silent(102.0) == []
    assert sources.fallen_silent(103.0) == ["a"]


def test_starts_are_bounded() -> None:
    """The newest are remembered."""
    sources = Sources()
    for at in range(100):
        sources.hear("a", f"i{at}", 0.0)
    assert len(sources.starts("a")) == MOST_STARTS
    assert sources.starts("a")[-1] == "i99"


def test_a_start_that_is_not_told_is_passed_over() -> None:
    """A source without incarnations is neither past nor stopped."""
    sources = Sources()
    assert not sources.hear("a", "", 0.0, is_beat=True)
    assert not sources.is_past("a", "")
    assert sources.is_trusted("a", "")
    assert list(Life) == ["unknown", "living", "silent", "stopped"]
