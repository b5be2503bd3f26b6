"""The ledger as a component: whom it asks, what it remembers, what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from idl_like_interfaces.accounts import Account, Flow, HopKind, Ledger, Verdict
from idl_like_interfaces.errors import BadParam, CommFailure
from idl_like_interfaces.naming import OBJECT_ID, Binding, BindingType, Listing
from objects.ledger.component import LedgerComponent, LedgerSettings
from tests.support.site import FakeSite

COMPONENT = "IDL:obsorb/component/ComponentObject:1.0"


class Teller:
    """Keeps one account; counts how often it was asked."""

    def __init__(self, source: str, taken: int = 3, error: Exception | None = None) -> None:
        self.source = source
        self.taken = taken
        self.error = error
        self.asked = 0

    def get_accounts(self) -> list[Account]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return [
            Account(
                hop=self.source,
                kind=HopKind.SUPPLIER,
                flow=Flow.EVENTS,
                source=self.source,
                incarnation="1",
                taken=self.taken,
                passed=self.taken - 1,
                in_flight=1,
                first=1,
                last=self.taken,
            )
        ]


class Naming:
    """Lists what is bound, as the name service does."""

    def __init__(self, site: FakeSite, interfaces: dict[str, str]) -> None:
        self._site = site
        self._interfaces = interfaces

    def list(self, name: str = "", **_: Any) -> Listing:
        bindings = [
            Binding(
                name=bound,
                type=BindingType.OBJECT,
                uri="PYRO:x@h:1",
                interface=interface,
                bound_at=self._site.clock.utc(),
            )
            for bound, interface in self._interfaces.items()
        ]
        return Listing(bindings=bindings, more="")


@contextmanager
def serving(site: FakeSite) -> Iterator[Ledger]:
    """Run the component over a site; yield its object."""
    component = LedgerComponent(site, LedgerSettings())
    component.recover()
    try:
        component.start()
        yield cast("Ledger", component.objects()[0].servant)
    finally:
        component.stop()


@pytest.fixture
def site(tmp_path: Path) -> FakeSite:
    made = FakeSite(tmp_path, name="ledger")
    interfaces = {
        "obs/components/a": COMPONENT,
        "obs/components/b": COMPONENT,
        "obs/events": "IDL:obsorb/events/EventChannel:2.0",
        "obs/strange": "what is this",
    }
    made.bind(OBJECT_ID, Naming(made, interfaces))
    made.bind("obs/components/a", Teller("obs/a"))
    made.bind("obs/components/b", Teller("obs/b"))
    return made


def test_it_asks_everybody_who_keeps_accounts(site: FakeSite) -> None:
    """And nobody else."""
    with serving(site) as ledger:
        balance = ledger.get_balance()

    assert [each.account.source for each in balance.lines] == ["obs/a", "obs/b"]
    assert balance.silent == {}


def test_it_shows_the_sources_of_a_glob(site: FakeSite) -> None:
    """A malformed one is refused."""
    with serving(site) as ledger:
        balance = ledger.get_balance("obs/b")
        with pytest.raises(BadParam, match="glob"):
            ledger.get_balance("obs/**b")

    assert [each.account.source for each in balance.lines] == ["obs/b"]


def test_who_does_not_answer_keeps_its_account(site: FakeSite) -> None:
    """It is stale, and named with the reason."""
    with serving(site) as ledger:
        ledger.get_balance()
        site.bind("obs/components/b", Teller("obs/b", error=CommFailure("it hangs")))
        balance = ledger.get_balance()

    assert [each.is_stale for each in balance.lines] == [False, True]
    assert balance.silent == {"obs/components/b": "it hangs"}


def test_it_asks_again_only_when_what_it_knows_is_too_old(site: FakeSite) -> None:
    """The caller says what is too old; every few seconds it asks by itself."""
    teller = Teller("obs/a")
    site.bind("obs/components/a", teller)
    with serving(site) as ledger:
        ledger.get_balance()
        site.clock.advance(5)
        ledger.get_balance(max_age_s=10)
        before = teller.asked
        ledger.get_balance(max_age_s=2)
        after = teller.asked
        site.tick()

    assert (before, after, teller.asked) == (1, 2, 3)


def test_a_restart_forgets_nothing(site: FakeSite) -> None:
    """What is gone meanwhile is known as it was told last."""
    with serving(site) as ledger:
        ledger.get_balance()
    site.unbind("obs/components/b")
    with serving(site) as ledger:
        lines = ledger.get_balance("obs/b").lines

    assert [(each.is_stale, each.account.taken, each.verdict) for each in lines] == [
        (True, 3, Verdict.IN_DOUBT)
    ]


def test_it_goes_on_without_the_name_service(site: FakeSite) -> None:
    """It asks whom it knows, and says that names may be missing."""
    with serving(site) as ledger:
        ledger.get_balance()
        site.unbind(OBJECT_ID)
        balance = ledger.get_balance()

    assert list(balance.silent) == ["name service"]
    assert not any(each.is_stale for each in balance.lines)


def test_it_says_with_its_heartbeat_how_it_stands(site: FakeSite) -> None:
    """A fault of its disk makes it not ready."""
    component = LedgerComponent(site, LedgerSettings())
    before = component.detail()
    component.recover()
    component.objects()[0].servant.collect()
    assert component._store is not None
    detail, problem = component.detail(), component.problem()
    component._store.problem = "disk full"

    assert (before, detail, problem) == ("", "2 accounts, all balanced", "")
    assert "disk full" in component.problem()
    component.stop()
