"""How much is kept for peers, and who must go."""

from __future__ import annotations

from idl_like_interfaces.mapping.hosting.ballast import Ballast


def test_who_has_had_something_kept_for_longest_goes_first() -> None:
    """Though another one has more; and no more of them than needed."""
    ballast: Ballast[str] = Ballast(100)
    assert ballast.keep("a", 30) == []
    assert ballast.keep("b", 70) == []
    assert ballast.keep("c", 20) == ["a"]
    ballast.let_go("a")
    assert ballast.total == 90
    assert ballast.keep("c", 30) == []


def test_who_has_more_kept_stays_where_he_is() -> None:
    """A peer does not become younger by sending more."""
    ballast: Ballast[str] = Ballast(100)
    ballast.keep("a", 30)
    ballast.keep("b", 30)
    ballast.keep("a", 40)
    assert ballast.keep("c", 80) == ["a", "b"]


def test_one_alone_may_have_too_much() -> None:
    """Then it must go itself."""
    ballast: Ballast[str] = Ballast(100)
    assert ballast.keep("a", 101) == ["a"]


def test_what_is_let_go_is_forgotten() -> None:
    """Once, also when it is said twice."""
    ballast: Ballast[str] = Ballast(100)
    ballast.keep("a", 60)
    assert not ballast.has_room(41)
    ballast.let_go("a")
    ballast.let_go("a")
    assert ballast.total == 0
    assert ballast.has_room(100)
