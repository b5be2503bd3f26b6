"""The journal of changes: tokens, pages, and what it does not remember any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.naming import Binding, Change, ChangeKind
from nameserver.journal import Journal, Token, parse_token

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def bound(name: str, **marks: str) -> Change:
    """Return the change that a bind makes."""
    binding = Binding(name=name, uri="PYRO:a@b:1", metadata=marks, bound_at=NOW)
    return Change(kind=ChangeKind.BOUND, binding=binding)


def at(journal: Journal, number: int) -> Token:
    """Return the token of a watcher who knows so many changes."""
    return Token(epoch=journal.epoch, number=number)


def names_of(changes: list[Change]) -> list[str]:
    """Return what changed, in order."""
    return [change.binding.name for change in changes]


def bindings(*names: str) -> Iterator[Binding]:
    """Yield bindings as a tree does."""
    return (bound(name).binding for name in names)


@given(
    st.integers(0, 10**18 - 1), st.text("abcAB/:~._-+09", max_size=40), st.integers(0, 2**32 - 1)
)
def test_a_token_is_read_as_it_was_written(number: int, after: str, epoch: int) -> None:
    """Names in it may hold colons."""
    token = Token(epoch=f"{epoch:08x}", number=number, after=after)
    assert parse_token(str(token)) == token


@pytest.mark.parametrize(
    "text", ["x", "12345678", "12345678:", "12345678:-1", "1234567:1", "G2345678:1", " 12345678:1",
             "12345678:1:", "12345678:٣", "12345678:1\n", "12345678:" + "1" * 19]
)  # fmt: skip
def test_what_is_no_token_is_refused(text: str) -> None:
    """With the name of the argument and what to give."""
    with pytest.raises(BadParam, match="no token") as refused:
        parse_token(text)
    assert refused.value.field == "since"
    assert refused.value.remedy


def test_no_token_begins_anew() -> None:
    """The empty text is allowed."""
    assert parse_token("") is None


def test_what_came_after_a_token_is_told_in_order() -> None:
    """And the new token stands behind it."""
    journal = Journal()
    journal.record([bound("a"), bound("b"), bound("a")])
    told = journal.after(at(journal, 1))
    assert told is not None
    assert names_of(told.changes) == ["b", "a"]
    assert told.token == f"{journal.epoch}:3"
    assert not told.is_snapshot
    assert not told.has_more


def test_nothing_came_after_the_last_token() -> None:
    """Whoever knows all waits."""
    journal = Journal()
    journal.record([bound("a")])
    assert journal.after(at(journal, 1)) is None


def test_what_is_too_old_or_of_another_start_is_not_known() -> None:
    """Nor what has not come yet."""
    journal = Journal(length=3)
    journal.record([bound(name) for name in "abcde"])
    assert [journal.knows(at(journal, number)) for number in range(7)] == [
        False, False, True, True, True, True, False,
    ]  # fmt: skip
    assert not journal.knows(at(Journal(), 4))


def test_long_marks_shorten_the_memory() -> None:
    """The journal is bounded in bytes too."""
    journal = Journal(size_bytes=10_000)
    journal.record([bound(str(number), mark="x" * 4000) for number in range(5)])
    assert not journal.knows(at(journal, 2))
    assert journal.knows(at(journal, 3))
    journal.record([bound("big", mark="x" * 20_000)])
    assert not journal.knows(at(journal, 5))
    assert journal.after(at(journal, 6)) is None


def test_long_answers_come_in_pages() -> None:
    """Each but the last says that there is more; together they are whole."""
    journal = Journal(page_bytes=1500)
    journal.record([bound(f"n{number}", mark="x" * 300) for number in range(7)])
    token, found, pages = at(journal, 0), [], 0
    while (told := journal.after(token)) is not None:
        found += names_of(told.changes)
        token = parse_token(told.token) or token
        pages += 1
        assert told.has_more is (token.number < 7)
    assert found == [f"n{number}" for number in range(7)]
    assert pages == 3


def test_a_change_longer_than_a_page_is_a_page() -> None:
    """A watcher never stands still."""
    journal = Journal(page_bytes=10)
    journal.record([bound("a"), bound("b")])
    told = journal.after(at(journal, 0))
    assert told is not None
    assert names_of(told.changes) == ["a"]


def test_a_snapshot_of_nothing_is_complete() -> None:
    """An empty name server is known too."""
    told = Journal().snapshot(bindings())
    assert (told.changes, told.is_snapshot, told.has_more) == ([], True, False)


def test_a_snapshot_in_pages_is_followed_by_what_changed_meanwhile() -> None:
    """The first page forgets, the others add, and nothing between them is lost."""
    journal = Journal(page_bytes=10)
    first = journal.snapshot(bindings("a", "b"))
    assert (first.is_snapshot, first.has_more, first.token) == (True, True, f"{journal.epoch}:0:a")
    journal.record([bound("a", new="yes")])
    token = parse_token(first.token)
    assert token is not None
    last = journal.snapshot(bindings("b"), token)
    assert (last.is_snapshot, last.has_more, last.token) == (False, True, f"{journal.epoch}:0")
    told = journal.after(at(journal, 0))
    assert told is not None
    assert names_of(told.changes) == ["a"]
