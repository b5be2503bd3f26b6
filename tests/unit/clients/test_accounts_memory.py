"""The memory of the ledger: what is stale, what is kept, what is forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from idl_like_interfaces.accounts import Account, Flow, HopKind
from idl_like_interfaces.clients.accounts_memory import Memory, key_of

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DAY = timedelta(days=1)
ONE = Account(
    hop="obs/ocm",
    kind=HopKind.SUPPLIER,
    flow=Flow.EVENTS,
    source="obs/ocm",
    incarnation="1",
    taken=3,
    passed=3,
    in_flight=0,
)
TAKEN = msgspec.structs.replace(ONE, hop="obs/events", kind=HopKind.CHANNEL)
MORE = msgspec.structs.replace(ONE, taken=4, passed=4)


def test_an_account_that_is_told_no_more_is_stale() -> None:
    """It stays as it was told last, with the time of that."""
    memory = Memory()
    memory.take([ONE, TAKEN], NOW)
    memory.take([TAKEN], NOW + timedelta(seconds=2))

    assert {(each.account.kind, each.is_stale, each.at) for each in memory.all(NOW)} == {
        (HopKind.SUPPLIER, True, NOW),
        (HopKind.CHANNEL, False, NOW + timedelta(seconds=2)),
    }


def test_only_what_has_changed_is_to_be_kept() -> None:
    """A quiet installation writes nothing."""
    memory = Memory()

    assert len(memory.take([ONE, TAKEN], NOW)) == 2
    assert memory.take([ONE, TAKEN], NOW) == []
    assert [each.account for each in memory.take([MORE, TAKEN], NOW)] == [MORE]


def test_an_account_remembers_the_round_before() -> None:
    """What is stale is older than all others; what was told first has no round before."""
    memory = Memory()
    memory.take([ONE], NOW)
    (first,) = memory.all(NOW)
    memory.take([MORE], NOW)
    (second,) = memory.all(NOW)
    memory.take([], NOW)
    (stale,) = memory.all(NOW)

    assert [each.earlier for each in (first, second, stale)] == [None, ONE, MORE]


def test_what_is_stale_for_long_is_forgotten() -> None:
    """The memory is bounded by age."""
    memory = Memory(keep_s=DAY.total_seconds())
    memory.take([ONE], NOW)
    memory.take([], NOW)

    assert memory.forget(NOW + DAY) == []
    assert memory.forget(NOW + DAY + timedelta(seconds=1)) == [key_of(ONE)]
    assert memory.all(NOW) == []


def test_the_longest_stale_go_first_when_there_are_too_many() -> None:
    """The memory is bounded by number; what is told is never forgotten."""
    memory = Memory(most=1)
    memory.take([ONE], NOW)
    memory.take([TAKEN], NOW)

    assert memory.forget(NOW) == [key_of(ONE)]
    assert memory.forget(NOW) == []


def test_sources_that_are_gone_for_long_are_not_shown() -> None:
    """The channel still tells of them; nothing has changed for a day, and nobody supplies."""
    memory = Memory(keep_s=DAY.total_seconds())
    memory.take([TAKEN], NOW)
    later = NOW + DAY + timedelta(seconds=1)
    memory.take([TAKEN], later)

    assert memory.all(later) == []
    memory.take([TAKEN, ONE], later)
    assert len(memory.all(later)) == 2
