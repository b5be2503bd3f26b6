"""The ledger as a component of an installation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta
from typing_extensions import override

from idl_like_interfaces.accounts import Account, Accountant, Ledger
from idl_like_interfaces.clients.accounts_survey import AccountSurvey
from idl_like_interfaces.clients.directory import list_all
from idl_like_interfaces.naming import Binding
from objects.component.site import ActiveObject, Component, Site
from objects.ledger.servant import LedgerServant
from objects.ledger.store import LedgerStore


class LedgerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Configuration of the ledger.

    Attributes:
        file: The store; relative to the data root; made when it is missing.
        every_s: All hops are asked so often.
        deadline_s: Who has not answered then keeps the account that it gave before.
        keep_s: Accounts of hops and sources that are gone are kept for so long.
    """

    file: Annotated[str, Meta(min_length=1)] = "ledger/ledger.sqlite"
    every_s: Annotated[float, Meta(ge=0.1, le=3600)] = 2.0
    deadline_s: Annotated[float, Meta(ge=0.1, le=60)] = 2.0
    keep_s: Annotated[float, Meta(ge=60, le=31_536_000)] = 86_400.0


class LedgerComponent(Component):
    """Collects the accounts of all hops."""

    kind: ClassVar[str] = "ledger"
    Settings: ClassVar[type[msgspec.Struct]] = LedgerSettings

    def __init__(self, site: Site, settings: Any) -> None:
        super().__init__(site, settings)
        self._store: LedgerStore | None = None
        self._survey: AccountSurvey | None = None
        self._servant: LedgerServant | None = None
        self._end: Callable[[], None] | None = None

    @override
    def recover(self) -> None:
        settings = self.settings
        self._store = LedgerStore(self.site.data_root / settings.file)
        self._survey = AccountSurvey(
            self._find, self._ask, deadline_s=settings.deadline_s, keep_s=settings.keep_s
        )
        self._servant = LedgerServant(self._survey, self._store, self.site.clock)

    def _find(self) -> list[Binding]:
        return list_all(self.site.naming(self.settings.deadline_s), self.site.root)

    def _ask(self, name: str) -> list[Account]:
        return self.site.narrow(name, Accountant, self.settings.deadline_s).get_accounts()

    @override
    def objects(self) -> list[ActiveObject]:
        return [ActiveObject(path="ledger", interface=Ledger, servant=self._servant)]

    @override
    def start(self) -> None:
        assert self._servant is not None
        self._end = self.site.every(self.settings.every_s, self._servant.collect)

    @override
    def stop(self) -> None:
        if self._end is not None:
            self._end()
        if self._servant is not None:
            self._servant.close()
        if self._survey is not None:
            self._survey.close()
        if self._store is not None:
            self._store.close()

    @override
    def detail(self) -> str:
        return self._servant.summary() if self._servant is not None else ""

    @override
    def problem(self) -> str:
        problem = self._store.problem if self._store is not None else ""
        return f"the accounts cannot be kept: {problem}" if problem else ""
