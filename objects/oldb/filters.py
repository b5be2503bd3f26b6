"""Key filters: globs over keys."""

from __future__ import annotations

import re
from collections.abc import Sequence
from os.path import commonprefix

from idl_like_interfaces.clients.globs import TopicFilters
from idl_like_interfaces.clients.oldb_values import check_filters

_LITERAL = re.compile(r"[^*?]*")


class KeyFilters:
    """Some filters of which one must match.

    Attributes:
        prefix: Every key that matches begins so.

    Raises:
        InvalidKey: One is malformed, or there is none.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        check_filters(patterns)
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
