"""Books: figures that always fit each other, ranges that stay bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.accounts import Account, Drop, Flow, HopKind
from idl_like_interfaces.clients.accounts import MOST_RANGES, Book, Books, Hop, Losses, below

HOP = Hop(name="obs/ocm", kind=HopKind.SUPPLIER)


def told(book: Book) -> Account:
    return book.account(HOP, "obs/ocm", "one")


def known(drops: list[Drop]) -> int:
    return sum(drop.count for drop in drops if drop.count > 0)


def test_a_book_says_what_was_done() -> None:
    """Taken, passed, dropped and missing appear in the account with their numbers."""
    book = Book()
    book.take(5, first=1)
    book.drop("spool", 2, first=1, last=2)
    book.pass_on(1)
    book.miss("supplier", 3, first=6)

    account = told(book)

    assert (account.taken, account.passed, account.in_flight) == (5, 1, 2)
    assert (account.first, account.last) == (1, 5)
    assert account.drops == [Drop(reason="spool", count=2, first=1, last=2)]
    assert account.missing == [Drop(reason="supplier", count=3, first=6, last=8)]


def test_adjacent_losses_of_one_reason_become_one_range() -> None:
    """A flood that is lost item by item is one line."""
    losses = Losses()
    for number in range(1, 1001):
        losses.add("spool", 1, first=number)

    assert losses.drops() == [Drop(reason="spool", count=1000, first=1, last=1000)]


def test_unknown_losses_do_not_hide_known_ones() -> None:
    """What nobody can count stands beside what is counted."""
    losses = Losses()
    losses.add("new_epoch", 7, first=1)
    losses.add("new_epoch", -1)
    losses.add("new_epoch", -1)

    assert losses.total == 7
    assert [drop.count for drop in losses.drops()] == [7, -1]


def test_the_nearest_ranges_become_one_when_there_are_too_many() -> None:
    """The count stays exact, and distant ranges stay apart."""
    losses = Losses()
    firsts = [100 * at for at in range(1, MOST_RANGES + 1)]
    for first in [*firsts, firsts[-1] + 2]:
        losses.add("retention", 1, first=first)

    drops = losses.drops()

    assert len(drops) == MOST_RANGES
    assert drops[-1] == Drop(reason="retention", count=2, first=firsts[-1], last=firsts[-1] + 2)
    assert losses.total == len(firsts) + 1


def test_the_incarnations_that_are_silent_longest_are_forgotten() -> None:
    """Books are bounded."""
    books = Books(most=2)
    for source in ("a", "b", "a", "c"):
        books.of(source, "one").take(1)

    assert {each.source: each.taken for each in books.accounts(HOP)} == {"a": 2, "c": 1}


def test_accounts_of_the_log_get_the_names_of_the_installation() -> None:
    """A component's events and log stand below each other."""
    hop = Hop(name="ocm", kind=HopKind.SUPPLIER, flow=Flow.LOG)

    (account,) = below("obs", [Book().account(hop, "ocm", "one")])

    assert (account.hop, account.source) == ("obs/ocm", "obs/ocm")


steps = st.lists(
    st.tuples(
        st.sampled_from(["take", "pass", "spool", "retention"]), st.integers(1, 20), st.booleans()
    ),
    max_size=200,
)


@given(steps)
def test_the_figures_of_a_book_always_fit(steps: list[tuple[str, int, bool]]) -> None:
    """Whatever comes, taken = passed + in flight + drops, and each lost item is in a range."""
    book = Book()
    waiting: list[int] = []
    lost: dict[str, set[int]] = {"spool": set(), "retention": set()}
    for what, count, from_the_front in steps:
        if what == "take":
            first = book.last + 1
            book.take(count, first=first)
            waiting += range(first, first + count)
            continue
        chosen = waiting[:count] if from_the_front or what == "pass" else waiting[-count:]
        waiting = [number for number in waiting if number not in chosen]
        if what == "pass":
            book.pass_on(len(chosen))
        elif chosen:
            for number in chosen:
                book.drop(what, 1, first=number)
            lost[what] |= set(chosen)

    account = told(book)

    assert account.in_flight == len(waiting) >= 0
    assert account.taken == account.passed + account.in_flight + known(account.drops)
    for reason, numbers in lost.items():
        ranges = [drop for drop in account.drops if drop.reason == reason]
        assert known(ranges) == len(numbers)
        assert len(ranges) <= MOST_RANGES
        assert all(any(drop.first <= n <= drop.last for drop in ranges) for n in numbers)


@pytest.mark.parametrize("count", [0])
def test_nothing_leaves_no_trace(count: int) -> None:
    """Booking no item makes neither a range nor numbers."""
    book = Book()
    book.take(count, first=5)
    book.drop("spool", count, first=5)

    account = told(book)

    assert (account.taken, account.first, account.last, account.drops) == (0, 0, 0, [])
