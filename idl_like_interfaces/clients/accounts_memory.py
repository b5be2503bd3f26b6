"""What was said of the accounts of all hops, also of those that are gone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypeAlias

from idl_like_interfaces.accounts import Account, Flow, HopKind
from idl_like_interfaces.declare import UtcTime, Value

KEEP_S = 86_400.0

MOST_ACCOUNTS = 50_000

Key: TypeAlias = tuple[Flow, str, str, HopKind, str, str, str, str]


class Seen(Value, frozen=True, kw_only=True):
    """The account of a hop as it was told last.

    Attributes:
        account: The account.
        at: When it was told.
        changed: When its figures were found to be others than before.
        is_stale: It was not told in the last round.
        before: As it was told in the round before; ``None``: it was not.
    """

    account: Account
    at: UtcTime
    changed: UtcTime
    is_stale: bool = False
    before: Account | None = None

    @property
    def earlier(self) -> Account | None:
        """As it was before any other account of the last round was told.

        Hops are asked at the same time, each at a moment of its own. Only what one has passed
        on by then must be with the next hop now.
        """
        return self.account if self.is_stale else self.before


def key_of(account: Account) -> Key:
    """Return what tells an account from others."""
    return (
        account.flow,
        account.source,
        account.incarnation,
        account.kind,
        account.hop,
        account.hop_incarnation,
        account.to,
        account.subscription,
    )


class Memory:
    """The last accounts of all hops; not for many threads.

    Args:
        keep_s: Accounts that nobody tells any more, and sources that are gone, are forgotten
            after this time.
        most: So many accounts are kept; those that were not told for longest go first.
    """

    def __init__(self, keep_s: float = KEEP_S, most: int = MOST_ACCOUNTS) -> None:
        self._keep = timedelta(seconds=keep_s)
        self._most = most
        self._seen: dict[Key, Seen] = {}

    def restore(self, seen: Iterable[Seen]) -> None:
        """Take what was known before a restart."""
        self._seen |= {key_of(each.account): each for each in seen}

    def take(self, accounts: Iterable[Account], now: datetime) -> list[Seen]:
        """Take what a round of questions brought.

        Returns:
            What is to be kept over a restart: the accounts whose figures are others now.
        """
        told = {key_of(each): each for each in accounts}
        changed = [
            key
            for key, each in told.items()
            if (known := self._seen.get(key)) is None or known.account != each
        ]
        moved = set(changed)
        for key, each in self._seen.items():
            if key not in told and not each.is_stale:
                self._seen[key] = _stale(each)
        for key, account in told.items():
            self._seen[key] = _fresh(account, self._seen.get(key), now, is_changed=key in moved)
        return [self._seen[key] for key in changed]

    def forget(self, now: datetime) -> list[Key]:
        """Forget what is old; return of what."""
        stale = sorted((each.at, key) for key, each in self._seen.items() if each.is_stale)
        surplus = max(0, len(self._seen) - self._most)
        gone = [
            key for place, (at, key) in enumerate(stale) if place < surplus or now - at > self._keep
        ]
        for key in gone:
            del self._seen[key]
        return gone

    def all(self, now: datetime) -> list[Seen]:
        """Return all accounts, but for those of sources that are gone for long."""
        alive = {
            _source(each.account)
            for each in self._seen.values()
            if now - each.changed <= self._keep
            or (each.account.kind is HopKind.SUPPLIER and not each.is_stale)
        }
        return [each for each in self._seen.values() if _source(each.account) in alive]


def _source(account: Account) -> tuple[Flow, str, str]:
    return account.flow, account.source, account.incarnation


def _stale(seen: Seen) -> Seen:
    return Seen(account=seen.account, at=seen.at, changed=seen.changed, is_stale=True)


def _fresh(account: Account, known: Seen | None, now: datetime, *, is_changed: bool) -> Seen:
    return Seen(
        account=account,
        at=now,
        changed=now if known is None or is_changed else known.changed,
        before=None if known is None else known.account,
    )
