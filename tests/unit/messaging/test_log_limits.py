"""What the log service keeps."""

from __future__ import annotations

from objects.messaging.log_limits import FileFacts, LogLimits, is_full, may_go, must_go

MIB = 1024 * 1024
DAY_S = 86_400.0


def facts(
    bytes: int = MIB, records: int = 100, made_s: float = 0.0, closed_s: float = 0.0
) -> FileFacts:
    """Return the facts of a file."""
    return FileFacts(bytes=bytes, records=records, made_s=made_s, closed_s=closed_s)


def test_a_file_is_full_with_its_share() -> None:
    """Of the bytes, records or age that the store has in all."""
    by_bytes = LogLimits(max_bytes=160 * MIB)
    assert not is_full(facts(bytes=10 * MIB - 1), by_bytes, 0.0)
    assert is_full(facts(bytes=10 * MIB), by_bytes, 0.0)
    by_records = LogLimits(max_records=1600)
    assert not is_full(facts(records=99), by_records, 0.0)
    assert is_full(facts(records=100), by_records, 0.0)
    by_age = LogLimits(max_age_s=16 * DAY_S)
    assert not is_full(facts(), by_age, DAY_S - 1)
    assert is_full(facts(), by_age, DAY_S)


def test_a_file_is_neither_tiny_nor_huge() -> None:
    """Whatever the limits are."""
    assert not is_full(facts(bytes=200 * 1024), LogLimits(max_bytes=MIB), 0.0)
    assert is_full(facts(bytes=64 * MIB), LogLimits(max_bytes=1 << 50), 0.0)


def test_an_empty_file_is_never_full() -> None:
    """Time alone makes no row of empty files."""
    assert not is_full(facts(records=0), LogLimits(max_age_s=1.0), 1e9)


def test_the_file_that_is_written_stays() -> None:
    """Even if it alone is too much."""
    limits = LogLimits(max_bytes=1, max_records=1, max_age_s=1.0)
    assert not must_go([facts()], limits, 1e9)
    assert not may_go([facts()], limits, 1e9)


def test_the_oldest_goes_when_all_together_are_too_much() -> None:
    """In bytes, in records, or by when its last record came."""
    files = [facts(closed_s=100.0), facts(closed_s=200.0), facts(closed_s=300.0)]
    assert not must_go(files, LogLimits(max_bytes=3 * MIB), 1e9)
    assert must_go(files, LogLimits(max_bytes=3 * MIB - 1), 1e9)
    assert not must_go(files, LogLimits(max_records=300), 1e9)
    assert must_go(files, LogLimits(max_records=299), 1e9)
    assert not must_go(files, LogLimits(max_age_s=50.0), 150.0)
    assert must_go(files, LogLimits(max_age_s=50.0), 151.0)


def test_without_limits_nothing_goes_for_its_age() -> None:
    """Only the bytes are limited by default."""
    assert not must_go([facts(), facts()], LogLimits(), 1e12)


def test_on_a_full_disk_only_the_old_may_go() -> None:
    """A week is kept whatever happens to the disk."""
    files = [facts(closed_s=0.0), facts(closed_s=DAY_S)]
    assert not may_go(files, LogLimits(), 7 * DAY_S)
    assert may_go(files, LogLimits(), 7 * DAY_S + 1)
