"""What every accountant and every ledger does, whatever carries it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest

from idl_like_interfaces.accounts import Account, Accountant, HopKind, Ledger, Verdict
from idl_like_interfaces.errors import BadParam

ORDER = list(HopKind)


def check(account: Account) -> None:
    """Hold an account to what the declaration promises."""
    dropped = sum(max(0, each.count) for each in account.drops)
    assert account.taken == account.passed + account.in_flight + dropped
    assert min(account.taken, account.passed, account.in_flight) >= 0
    assert 0 <= account.first <= account.last


class AccountantContract:
    """Inherit it and give the fixture ``accountant``."""

    @pytest.fixture
    def accountant(self) -> Iterator[Accountant]:
        """Yield one that has passed something on, and dropped something."""
        raise NotImplementedError

    def test_the_figures_of_each_account_fit(self, accountant: Accountant) -> None:
        """What was taken is passed, in flight, or dropped."""
        accounts = accountant.get_accounts()
        assert accounts
        for each in accounts:
            check(each)

    def test_each_loss_has_a_reason(self, accountant: Accountant) -> None:
        """And, if its numbers are known, a range that holds it."""
        for drop in [drop for each in accountant.get_accounts() for drop in each.drops]:
            assert drop.reason
            assert drop.count <= drop.last - drop.first + 1 or not drop.first


class LedgerContract:
    """Inherit it and give the fixture ``ledger``."""

    @pytest.fixture
    def ledger(self) -> Iterator[Ledger]:
        """Yield one of the sources ``obs/a`` (balanced) and ``obs/b`` (lost two in its spool)."""
        raise NotImplementedError

    def test_it_shows_all_sources_in_order(self, ledger: Ledger) -> None:
        """By source, and in the order in which items pass the hops."""
        lines = ledger.get_balance().lines
        keys = [(each.account.source, ORDER.index(each.account.kind)) for each in lines]
        assert {source for source, _ in keys} == {"obs/a", "obs/b"}
        assert all(one <= other for one, other in pairwise(keys))

    def test_it_names_who_lost(self, ledger: Ledger) -> None:
        """With the reason; who lost nothing has nothing to explain."""
        for each in ledger.get_balance().lines:
            check(each.account)
            is_lost = each.account.source == "obs/b" and each.account.kind is HopKind.SUPPLIER
            assert (each.verdict is Verdict.LOST) == is_lost
            assert ("lost 2 (spool)" in each.text) == is_lost

    def test_it_shows_the_sources_of_a_glob(self, ledger: Ledger) -> None:
        """As a topic filter."""
        lines = ledger.get_balance("*/b").lines
        assert {each.account.source for each in lines} == {"obs/b"}
        assert ledger.get_balance("nobody").lines == []

    def test_a_malformed_glob_is_refused(self, ledger: Ledger) -> None:
        """With what a glob may be."""
        with pytest.raises(BadParam) as refused:
            ledger.get_balance("obs/**b")
        assert refused.value.field == "source"

    def test_what_it_says_is_as_new_as_wanted(self, ledger: Ledger) -> None:
        """Asked for what is new, it asks the hops."""
        first = ledger.get_balance()
        again = ledger.get_balance("**", 3600.0)
        newer = ledger.get_balance()
        assert [each.seen for each in again.lines] == [each.seen for each in first.lines]
        assert all(each.seen >= first.time for each in newer.lines)
