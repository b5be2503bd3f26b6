"""Key filters: globs over keys."""

from __future__ import annotations

import re
from collections.abc import Sequence
from os.path import commonprefix

from idl_like_interfaces.clients.globs import TopicFilters
from idl_like_interfaces.clients.oldb_values import check_key
from idl_like_interfaces.oldb import InvalidKey

_LITERAL = re.compile(r"[^*?]*")


class KeyFilters:
    """Some filters of which one must match.

    Attributes:
        prefix: Every key that matches begins so.

    Raises:
        InvalidKey: One is malformed, or there is none.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        for pattern in patterns:
            _check(pattern)
        if not patterns:
            raise InvalidKey(
                "the list of key filters is empty",
                key="",
                cause="without a filter nothing could match",
                remedy="give at least one filter, for example '**' for all keys",
            )
        self._filters = TopicFilters(patterns)
        # 'a/**' takes 'a' as well, so the slash before a run of components is not certain.
        begins = [_literal(pattern).rstrip("/") for pattern in patterns]
        self.prefix = commonprefix(begins)  # noqa: RUF071 (any characters, not whole components)

    def matches(self, key: str) -> bool:
        """Tell whether one of the filters matches a key."""
        return self._filters.matches(key)


def _literal(pattern: str) -> str:
    found = _LITERAL.match(pattern)
    return found.group() if found else ""


def _check(pattern: str) -> None:
    """Refuse what would be no key with letters in place of its wildcards."""
    try:
        check_key(pattern.replace("*", "x").replace("?", "x"))
        is_whole = all(part == "**" for part in pattern.split("/") if "**" in part)
    except InvalidKey:
        is_whole = False
    if not is_whole:
        raise InvalidKey(
            f"{pattern[:250]!r} is not a key filter",
            key=pattern[:250],
            cause="a filter is a key in which '?' and '*' stand for characters within a component "
            "and '**', as a whole component, for any components",
            remedy="correct the filter; 'ocm/**' takes all keys of ocm",
        )
