"""Knows what is bound, and tells what changes, through restarts of the name server."""

from __future__ import annotations

import time
from collections.abc import Iterator

from idl_like_interfaces.naming import Binding, Change, ChangeKind, ChangeList, NamingContext

_POLL_S = 25.0
"""One question is open for so long at most."""


class NameWatcher:
    """Follows the bindings below a context; one thread uses it.

    After a restart of the name server, or when it fell too far behind, it asks for all
    that is bound and tells the differences only.

    Args:
        context: The root context.
        below: Only this name and what is in it; empty: everything.

    Attributes:
        below: As given.
        known: What is bound, by full name; complete after the first ``read``.
    """

    def __init__(self, context: NamingContext, below: str = "") -> None:
        self.below = below
        self.known: dict[str, Binding] = {}
        self._context = context
        self._token = ""
        self._fresh: dict[str, Binding] | None = None

    @property
    def epoch(self) -> str:
        """What tells one start of the name server from another; empty before the first answer."""
        return self._token.partition(":")[0]

    def read(self, timeout_s: float = _POLL_S) -> list[Change]:
        """Return what changed since the last time, at once when something did.

        The first time it is all that is bound.

        Args:
            timeout_s: How long to wait for a change.

        Returns:
            The changes in their order; empty when there was none in time.

        Raises:
            CommFailure: The name server does not answer; ask again, nothing is lost.
            NotLeading: Of two name servers none leads just now; likewise.
        """
        until = time.monotonic() + timeout_s
        changes: list[Change] = []
        while True:
            left_s = max(0.0, until - time.monotonic())
            news = self._context.changes(self._token, min(left_s, _POLL_S))
            is_anew = news.is_snapshot or self._fresh is not None
            changes += self._hear(news)
            is_over = bool(changes) or is_anew or time.monotonic() >= until
            if is_over and self._fresh is None:
                return changes

    def _hear(self, news: ChangeList) -> list[Change]:
        self._token = news.token
        if news.is_snapshot:
            self._fresh = {}
        if self._fresh is None:
            told = [each for each in news.changes if self._is_wanted(each.binding)]
            _follow(self.known, told)
            return told
        _follow(self._fresh, [each for each in news.changes if self._is_wanted(each.binding)])
        if news.has_more:
            return []
        before, self.known, self._fresh = self.known, self._fresh, None
        return list(_differences(before, self.known))

    def _is_wanted(self, binding: Binding) -> bool:
        return not self.below or f"{binding.name}/".startswith(f"{self.below}/")


def _follow(known: dict[str, Binding], changes: list[Change]) -> None:
    for change in changes:
        if change.kind is ChangeKind.BOUND:
            known[change.binding.name] = change.binding
        else:
            known.pop(change.binding.name, None)


def _differences(before: dict[str, Binding], after: dict[str, Binding]) -> Iterator[Change]:
    for name in sorted(before.keys() - after.keys()):
        yield Change(kind=ChangeKind.UNBOUND, binding=before[name])
    for name in sorted(after):
        if after[name] != before.get(name):
            yield Change(kind=ChangeKind.BOUND, binding=after[name])
