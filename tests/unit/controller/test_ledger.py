"""``obsorb ledger``: what an operator sees, on the ledger and without it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pytest
from typing_extensions import override

from controller.cli.ledger_text import screen, table, verdict_text
from idl_like_interfaces.accounts import (
    Account,
    Accountant,
    Balance,
    HopKind,
    Ledger,
    Line,
    Verdict,
)
from idl_like_interfaces.clients.accounts import Book, Hop
from idl_like_interfaces.clients.accounts_memory import Memory
from idl_like_interfaces.clients.accounts_verdict import judge
from idl_like_interfaces.declare import interface_of
from tests.support.small import SmallInstallation
from tests.unit.controller.running import document, ok, refused

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
INCARNATION = "20260102T030405-0001"


def source(name: str, lost: int = 0, reader: str = "reader") -> list[Account]:
    """Return the accounts of a source of which a consumer has lost some events."""
    whole, part = Book(), Book()
    for book in (whole, part):
        book.take(100, first=1)
    part.drop("drop_oldest", lost, first=1)
    for book in (whole, part):
        book.pass_on(book.in_flight)
    channel = Hop(name="obs/events", kind=HopKind.CHANNEL, incarnation="A")
    toward = Hop(name="obs/events", kind=HopKind.CHANNEL, incarnation="A", to=reader)
    supplier = Hop(name=name, kind=HopKind.SUPPLIER, incarnation=INCARNATION)
    return [
        whole.account(supplier, name, INCARNATION),
        whole.account(channel, name, INCARNATION),
        part.account(toward, name, INCARNATION),
    ]


def balance(*accounts: list[Account]) -> Balance:
    memory = Memory()
    memory.take([account for each in accounts for account in each], NOW)
    return Balance(time=NOW, lines=judge(memory.all(NOW)))


class Told(Accountant, Ledger):
    """Says what it was given, as a ledger and as a component."""

    def __init__(self, *accounts: list[Account]) -> None:
        self.accounts = [account for each in accounts for account in each]

    @override
    def get_accounts(self) -> list[Account]:
        return self.accounts

    @override
    def get_balance(self, source: str = "**", max_age_s: float = 0.0) -> Balance:
        return balance(self.accounts)


@pytest.fixture
def offer(small: SmallInstallation) -> Callable[[str, type, object], None]:
    """Return what binds an object into an installation of this process."""

    def bind(name: str, interface: type, servant: object) -> None:
        uri = small.adapter.activate(servant, interface, name)
        small.names.context.bind(name, uri, interface_of(interface).repository_id)

    return bind


Offer = Callable[[str, type, object], None]


def test_a_balanced_ledger_is_a_success(offer: Offer) -> None:
    """Each hop on a line, and the verdict below."""
    offer("obs/ledger", Ledger, Told(source("obs/ocm")))

    lines = ok("ledger").splitlines()

    assert lines[1] == f"obs/ocm · events · start {INCARNATION}"
    assert [line.split() for line in lines[2:5]] == [
        ["obs/ocm", "(supplier)", "100", "100", "0", "0"],
        ["obs/events", "100", "100", "0", "0"],
        ["obs/events", "→", "reader", "100", "100", "0", "0"],
    ]
    assert lines[-1] == "3 accounts of 1 source: all balanced"


def test_a_loss_is_a_failure_that_names_the_hop(offer: Offer) -> None:
    """With the reason and the range, also on stderr."""
    offer("obs/ledger", Ledger, Told(source("obs/ocm", lost=40)))

    error = refused("ledger")

    assert "obs/events → reader, items of obs/ocm: lost 40 (drop_oldest): numbers 1 to 40" in error


def test_without_a_ledger_the_hops_are_asked(offer: Offer) -> None:
    """And what that cannot show is said."""
    offer("obs/told", Accountant, Told(source("obs/ocm", lost=40)))

    error = refused("ledger", "--source", "obs/o*")

    assert "the ledger is away" in error
    assert "obs/events → reader" in error


def test_the_hops_are_asked_on_demand(offer: Offer) -> None:
    """Whatever the ledger says."""
    offer("obs/ledger", Ledger, Told(source("obs/ocm", lost=40)))
    offer("obs/told", Accountant, Told(source("obs/ocm")))

    assert "all balanced" in ok("ledger", "--direct")
    assert "0 accounts" in ok("ledger", "--direct", "--source", "obs/nobody")
    assert "no glob" in refused("ledger", "--direct", "--source", "obs/**x")


def test_json_has_all_lines(offer: Offer) -> None:
    """With the accounts as they were told."""
    offer("obs/ledger", Ledger, Told(source("obs/ocm")))

    found = msgspec.convert(document("ledger"), Balance)

    assert [each.account for each in found.lines] == source("obs/ocm")


def test_it_can_be_watched(offer: Offer) -> None:
    """Each time the whole ledger; a loss is no failure of the watching."""
    offer("obs/ledger", Ledger, Told(source("obs/ocm", lost=40)))

    assert ok("ledger", "--watch", "--count", "1").count("1 lost") == 1
    assert len(ok("ledger", "--watch", "--count", "1", "--json").splitlines()) == 1


def test_a_narrow_table_keeps_its_figures() -> None:
    """Long names are cut, reasons are wrapped."""
    text = [
        each.text for each in table(balance(source("obs/ocm", lost=40, reader="who " * 30)), 80)
    ]

    assert max(map(len, text)) <= 80
    assert any(line.endswith("40") and "…" in line for line in text)


def test_a_screen_shows_first_what_is_wrong() -> None:
    """It says how much is left out."""
    sources = [source(f"obs/a{at}") for at in range(10)]
    lines = screen(balance(*sources, source("obs/z", lost=40)), 80, 24)

    assert len(lines) <= 24
    assert lines[1].text == "33 accounts of 11 sources: 1 lost"
    assert any("lost 40" in each.text and "red" in each.style for each in lines[:8])
    assert "more lines" in lines[-1].text


def test_earlier_starts_that_are_balanced_are_left_out() -> None:
    """But on demand."""
    later = [
        msgspec.structs.replace(each, incarnation="20260103T000000-0002")
        for each in source("obs/ocm")
    ]
    both = balance(source("obs/ocm"), later)

    assert sum("start" in each.text for each in table(both, 100)) == 2
    assert sum("start" in each.text for each in table(both, 100, shows_all=True)) == 2
    assert INCARNATION not in "".join(each.text for each in table(both, 100))


def test_who_could_not_be_asked_is_named() -> None:
    """Its figures may be old."""
    silent = msgspec.structs.replace(
        balance(source("obs/ocm")), silent={"obs/components/dpm": "it hangs"}
    )

    assert any("obs/components/dpm" in each.text for each in table(silent, 80))
    assert any("it hangs" in each.text for each in screen(silent, 80, 10))


def test_the_worst_comes_first() -> None:
    """Where several things are wrong."""

    def line(verdict: Verdict) -> Line:
        return Line(
            account=source("obs/ocm")[0], seen=NOW, is_stale=False, verdict=verdict, text="x"
        )

    lines = [line(each) for each in Verdict]

    assert verdict_text(lines) == "4 accounts of 1 source: 1 unexplained, 1 in doubt, 1 lost"
