"""Accountants and the ledger, each way to call them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typing_extensions import override

from idl_like_interfaces.accounts import Account, Accountant, HopKind, Ledger
from idl_like_interfaces.clients.accounts import Book, Hop
from idl_like_interfaces.clients.accounts_survey import AccountSurvey
from idl_like_interfaces.declare import interface_of
from idl_like_interfaces.naming import Binding
from objects.component.clock import SystemClock
from objects.ledger.servant import LedgerServant
from objects.ledger.store import LedgerStore
from tests.contract.accounts import AccountantContract, LedgerContract
from tests.support.wire import MODES, wired


class Sources(Accountant):
    """Two suppliers and the channel; the second supplier has lost two events."""

    @override
    def get_accounts(self) -> list[Account]:
        return [*_source("obs/a", lost=0), *_source("obs/b", lost=2)]


def _source(source: str, lost: int) -> list[Account]:
    sent, taken = Book(), Book()
    sent.take(10, first=1)
    sent.drop("spool", lost, first=1)
    sent.pass_on(10 - lost)
    taken.take(10 - lost, first=lost + 1)
    taken.pass_on(10 - lost)
    taken.miss("supplier", lost, first=1)
    supplier = Hop(name=source, kind=HopKind.SUPPLIER, incarnation="1")
    channel = Hop(name="obs/events", kind=HopKind.CHANNEL, incarnation="A")
    return [sent.account(supplier, source, "1"), taken.account(channel, source, "1")]


@pytest.mark.parametrize("mode", MODES)
class TestAccountant(AccountantContract):
    """Made of books."""

    @pytest.fixture
    @override
    def accountant(self, mode: str) -> Iterator[Accountant]:
        with wired(Sources(), Accountant, mode) as accountant:
            yield accountant


@pytest.mark.parametrize("mode", MODES)
class TestLedger(LedgerContract):
    """The servant over its store."""

    @pytest.fixture
    @override
    def ledger(self, tmp_path: Path, mode: str) -> Iterator[Ledger]:
        bound = Binding(
            name="obs/sources",
            uri="PYRO:sources@h:1",
            interface=interface_of(Accountant).repository_id,
            bound_at=datetime.now(UTC),
        )
        store = LedgerStore(tmp_path / "ledger.sqlite")
        with (
            closing(store),
            AccountSurvey(lambda: [bound], lambda _: Sources().get_accounts()) as survey,
            wired(LedgerServant(survey, store, SystemClock()), Ledger, mode) as ledger,
        ):
            yield ledger
