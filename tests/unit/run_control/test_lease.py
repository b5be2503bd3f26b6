"""Who has control, and that whoever lost it commands no more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.run_control import ControlHeld, NotInControl
from objects.run_control.lease import Grant, Lease
from tests.support.clock import ManualClock


class Kept:
    """A lease, and what it keeps."""

    def __init__(self, grant: Grant | None = None) -> None:
        self.clock = ManualClock()
        self.grants: list[Grant] = []
        self.lease = Lease(self.clock, grant or Grant(), self.grants.append)

    def take(self, who: str = "anna", *, force: bool = False, term_s: float = 15.0) -> str:
        return self.lease.take(who, "console", term_s, is_forced=force).token


def test_one_commands_at_a_time() -> None:
    """The second is told who has it, from where, until when, and what to do."""
    kept = Kept()
    token = kept.take()
    with pytest.raises(ControlHeld) as refused:
        kept.take("bert")
    assert (refused.value.holder, refused.value.place) == ("anna", "console")
    assert refused.value.until == "2026-01-02T03:04:20+00:00"
    assert "--force" in refused.value.remedy
    assert kept.lease.check(token) == "anna"


def test_who_lost_control_is_told_to_whom() -> None:
    """Taken away by force: the old token is worth nothing, the fence has grown."""
    kept = Kept()
    old = kept.take()
    new = kept.take("bert", force=True)
    with pytest.raises(NotInControl) as refused:
        kept.lease.check(old)
    assert refused.value.holder == "bert"
    assert kept.lease.check(new) == "bert"
    assert kept.lease.fence == 2


def test_it_ends_without_renewal() -> None:
    """At the end of its term anybody may take it; a renewal begins the term anew."""
    kept = Kept()
    token = kept.take()
    kept.clock.advance(14.0)
    kept.lease.renew(token)
    kept.clock.advance(14.0)
    assert kept.lease.is_held
    kept.clock.advance(2.0)
    with pytest.raises(NotInControl) as refused:
        kept.lease.renew(token)
    assert refused.value.holder == ""
    kept.take("bert")
    assert kept.lease.shown().holder == "bert"


def test_the_token_is_shown_to_nobody_else() -> None:
    """Neither in the status nor in what is kept on disk."""
    kept = Kept()
    token = kept.take()
    assert kept.lease.shown().token == ""
    assert token not in str(kept.grants)


def test_after_a_restart_the_holder_goes_on_and_the_fence_does_not_go_back() -> None:
    """He has a full term again; the next one has a greater fence."""
    before = Kept()
    token = before.take(force=True)
    after = Kept(before.grants[-1])
    after.clock.advance(10.0)
    assert after.lease.check(token) == "anna"
    after.lease.release(token)
    after.take("bert")
    assert after.lease.fence == 2


@pytest.mark.parametrize(
    ("who", "term_s", "field"),
    [
        ("", 15.0, "operator"),
        ("a\nb", 15.0, "operator"),
        ("a", 0.5, "term_s"),
        ("a", 3601.0, "term_s"),
    ],
)
def test_arguments_that_are_none_are_refused(who: str, term_s: float, field: str) -> None:
    """Nothing has changed then."""
    kept = Kept()
    with pytest.raises(BadParam) as refused:
        kept.take(who, term_s=term_s)
    assert refused.value.field == field
    assert kept.grants == []


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("take"), st.booleans()),
            st.tuples(st.just("pass"), st.floats(0, 30)),
            st.tuples(st.just("renew"), st.integers(0, 5)),
            st.tuples(st.just("release"), st.integers(0, 5)),
        )
    )
)
def test_never_two_tokens_command(steps: list[tuple[str, float]]) -> None:
    """Whatever happens in which order, at most one token is good, and fences only grow."""
    kept = Kept()
    tokens: list[str] = [""]
    for step, value in steps:
        fence = kept.lease.fence
        token = tokens[int(value) % len(tokens)]
        try:
            if step == "take":
                tokens.append(kept.take(force=bool(value)))
            elif step == "pass":
                kept.clock.advance(value)
            elif step == "renew":
                kept.lease.renew(token)
            else:
                kept.lease.release(token)
        except (ControlHeld, NotInControl):
            pass
        assert kept.lease.fence >= fence
        assert sum(_is_good(kept.lease, each) for each in tokens) <= 1


def _is_good(lease: Lease, token: str) -> bool:
    try:
        lease.check(token)
    except NotInControl:
        return False
    return True


@pytest.mark.parametrize("hours", [-1, 24])
def test_a_clock_that_is_set_neither_ends_nor_prolongs_it(hours: int) -> None:
    """Its term is one of time that passes."""
    kept = Kept()
    token = kept.take()
    kept.clock.set_utc(kept.clock.utc() + timedelta(hours=hours))
    kept.clock.advance(14.0)
    assert kept.lease.check(token) == "anna"
    kept.clock.advance(2.0)
    with pytest.raises(NotInControl):
        kept.lease.check(token)
