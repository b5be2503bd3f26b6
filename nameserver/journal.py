"""What changed lately, for those who watch the names."""

from __future__ import annotations

import re
import secrets
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from typing_extensions import override

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.naming import Binding, Change, ChangeKind, ChangeList

JOURNAL_LENGTH = 10_000
"""So many changes are remembered; who asks for older ones gets all that is bound."""

JOURNAL_BYTES = 16 * 1024 * 1024
"""And not more than about this, when names carry long marks."""

PAGE_BYTES = 64 * 1024
"""About so much is in one answer: others wait while a long one is put into words."""

_TOKEN = re.compile(r"([0-9a-f]{8}):([0-9]{1,18})(?::(.+))?")
_FRAME_BYTES = 200
"""What a binding costs on the wire beside its texts: keys, type and time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """How far a watcher has come.

    Attributes:
        epoch: Of the journal that gave it.
        number: The changes up to this one are known.
        after: The bindings up to this name are known of a snapshot that is not complete
            yet; empty: it is.
    """

    epoch: str
    number: int
    after: str = ""

    @override
    def __str__(self) -> str:
        start = f"{self.epoch}:{self.number}"
        return f"{start}:{self.after}" if self.after else start


def parse_token(text: str) -> Token | None:
    """Read a token; the empty one is ``None``.

    Raises:
        BadParam: It is no token.
    """
    if not text:
        return None
    match = _TOKEN.fullmatch(text)
    if match is None:
        raise BadParam(
            f"{text[:80]!r} is no token of a name server",
            remedy="give the token of the answer before, or an empty one to begin anew",
            field="since",
        )
    epoch, number, after = match.groups()
    return Token(epoch=epoch, number=int(number), after=after or "")


class Journal:
    """The last changes of the bindings, numbered; a new epoch with each journal.

    A snapshot that needs more than one page is not frozen: each page shows what is bound when it
    is asked for, and the changes since the first page follow the last one. So nothing
    is kept for a watcher, and at the end he knows what he would know of a frozen one.

    Args:
        length: So many changes are remembered.
        size_bytes: And not more than about this.
        page_bytes: About so much is in one answer, at least one change.

    Attributes:
        epoch: Told apart by it from the journal of another start.
        number: Of the last change; it counts up.
    """

    def __init__(
        self,
        length: int = JOURNAL_LENGTH,
        size_bytes: int = JOURNAL_BYTES,
        page_bytes: int = PAGE_BYTES,
    ) -> None:
        self.epoch = secrets.token_hex(4)
        self.number = 0
        self._length = length
        self._room_bytes = size_bytes
        self._page_bytes = page_bytes
        self._changes: deque[Change] = deque()

    def record(self, changes: Iterable[Change]) -> None:
        """Remember changes that have just come true."""
        for change in changes:
            self._changes.append(change)
            self._room_bytes -= _size_bytes(change.binding)
            self.number += 1
        while self._changes and (len(self._changes) > self._length or self._room_bytes < 0):
            self._room_bytes += _size_bytes(self._changes.popleft().binding)

    def knows(self, token: Token) -> bool:
        """Tell whether it remembers all that came after a token."""
        if token.epoch != self.epoch:
            return False
        return self.number - len(self._changes) <= token.number <= self.number

    def after(self, token: Token) -> ChangeList | None:
        """Return what came after a token that it knows; ``None``: nothing yet."""
        if token.number == self.number:
            return None
        oldest = self.number - len(self._changes)
        later = islice(self._changes, token.number - oldest, None)
        page = self._page(later)
        reached = token.number + len(page)
        return ChangeList(
            changes=page,
            token=str(Token(epoch=self.epoch, number=reached)),
            has_more=reached < self.number,
        )

    def snapshot(self, bindings: Iterator[Binding], token: Token | None = None) -> ChangeList:
        """Return a page of what is bound.

        Args:
            bindings: What is bound after the name ``token.after``, sorted by name.
            token: That of the page before; ``None``: this is the first page.
        """
        page = self._page(Change(kind=ChangeKind.BOUND, binding=each) for each in bindings)
        number = self.number if token is None else token.number
        is_last = next(bindings, None) is None
        after = "" if is_last else page[-1].binding.name
        return ChangeList(
            changes=page,
            token=str(Token(epoch=self.epoch, number=number, after=after)),
            is_snapshot=token is None,
            has_more=not is_last or number < self.number,
        )

    def _page(self, changes: Iterator[Change]) -> list[Change]:
        page: list[Change] = []
        room = self._page_bytes
        for change in changes:
            page.append(change)
            room -= _size_bytes(change.binding)
            if room <= 0:
                break
        return page


def _size_bytes(binding: Binding) -> int:
    marks = "".join(key + value for key, value in binding.metadata.items())
    texts = (binding.name, binding.uri, binding.interface, marks)
    return _FRAME_BYTES + sum(len(text.encode()) for text in texts) + 8 * len(binding.metadata)
