"""The ledger's servant: asks all hops every few seconds, and on demand."""

from __future__ import annotations

import threading

from typing_extensions import override

from idl_like_interfaces.accounts import Balance, Ledger, Verdict
from idl_like_interfaces.clients.accounts_survey import AccountSurvey
from objects.component.clock import Clock
from objects.ledger.store import LedgerStore


class LedgerServant(Ledger):
    """The ledger over its store; any thread may call it.

    Args:
        survey: Asks the hops.
        store: Keeps what they said.
        clock: The time.
    """

    def __init__(self, survey: AccountSurvey, store: LedgerStore, clock: Clock) -> None:
        self._survey = survey
        self._store = store
        self._clock = clock
        self._turn = threading.Lock()
        self._asked_at = float("-inf")
        self._is_closed = False
        survey.memory.restore(store.load())

    def close(self) -> None:
        """Ask nobody any more; a round that is under way is waited for."""
        with self._turn:
            self._is_closed = True

    def collect(self) -> None:
        """Ask all hops once, and keep what they say."""
        with self._turn:
            self._collect()

    def _collect(self) -> None:
        if self._is_closed:
            return
        now = self._clock.utc()
        # From the begin: what is told then is as old as that at most.
        self._asked_at = self._clock.monotonic()
        changed = self._survey.run(now)
        self._store.write(changed, self._survey.memory.forget(now))

    @override
    def get_balance(self, source: str = "**", max_age_s: float = 0.0) -> Balance:
        wanted_at = self._clock.monotonic() - max_age_s
        with self._turn:
            # Who had to wait here for the round of another need not ask again.
            if self._asked_at <= wanted_at:
                self._collect()
            return self._survey.balance(self._clock.utc(), source)

    def summary(self) -> str:
        """Say in a few words how it stands."""
        with self._turn:
            lines = self._survey.balance(self._clock.utc()).lines
        wrong = [each.verdict.value for each in lines if each.verdict is not Verdict.BALANCED]
        parts = [f"{wrong.count(each.value)} {each.value}" for each in Verdict if each in wrong]
        return f"{len(lines)} accounts, {', '.join(parts) or 'all balanced'}"
