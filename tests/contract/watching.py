"""What every ``NamingContext`` does for those who ask for many names or watch all of them."""

from __future__ import annotations

import threading

import pytest

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.naming import (
    AlreadyBound,
    ChangeKind,
    ChangeList,
    NamingContext,
    NotFound,
)
from tests.support.clock import ManualClock

URI = "PYRO:ocm~1@localhost:4711"
OTHER = "PYRO:ocm~2@localhost:4712"
LONG_S = 60.0


def told(changes: ChangeList) -> list[tuple[str, str]]:
    """Return what is told in short, e.g. ``("bound", "ocm")``."""
    return [(each.kind.value, each.binding.name) for each in changes.changes]


class WatchingContract:
    """Inherit it beside ``NamingContract``, which declares the fixtures."""

    def test_many_names_have_an_outcome_each(self, names: NamingContext) -> None:
        """In the order of the question: a binding, or why there is none."""
        names.bind_new_context("obs")
        names.bind("obs/ocm", URI)
        found = names.resolve_many(["obs/ocm", "obs/dpm", "a//b", "obs/ocm", ""])
        assert [each.name for each in found] == ["obs/ocm", "obs/dpm", "a//b", "obs/ocm", ""]
        assert [each.binding and each.binding.uri for each in found] == [URI, None, None, URI, ""]
        assert found[0].refusal == ""
        assert found[1].refusal == "'obs/dpm' does not exist"
        assert "is not a name" in found[2].refusal

    def test_no_names_have_no_outcome(self, names: NamingContext) -> None:
        """An empty question is one."""
        assert names.resolve_many([]) == []

    def test_too_many_names_are_refused(self, names: NamingContext) -> None:
        """The refusal says how many may be asked for."""
        with pytest.raises(BadParam, match="10000 are allowed") as refused:
            names.resolve_many(["a"] * 10_001)
        assert refused.value.field == "names"

    def test_who_knows_nothing_is_told_all(self, names: NamingContext) -> None:
        """At once, sorted by name, contexts too; also when nothing is bound."""
        empty = names.changes("", LONG_S)
        assert (empty.changes, empty.is_snapshot) == ([], True)
        names.bind_new_context("obs")
        names.bind("obs/ocm", URI)
        names.bind("b", URI)
        whole = names.changes("", LONG_S)
        assert told(whole) == [("bound", "b"), ("bound", "obs"), ("bound", "obs/ocm")]
        assert whole.is_snapshot
        assert whole.changes[2].binding == names.resolve("obs/ocm")

    def test_each_change_is_told_once_in_order(self, names: NamingContext) -> None:
        """Of all operations that change a binding, and of no other."""
        token = names.changes().token
        names.bind_new_context("obs")
        names.bind("obs/ocm", URI)
        names.rebind("obs/ocm", OTHER)
        names.resolve("obs/ocm")
        names.unbind("obs/ocm")
        names.destroy("obs")
        found = names.changes(token)
        assert told(found) == [
            ("bound", "obs"), ("bound", "obs/ocm"), ("bound", "obs/ocm"),
            ("unbound", "obs/ocm"), ("unbound", "obs"),
        ]  # fmt: skip
        assert [each.binding.uri for each in found.changes] == ["", URI, OTHER, OTHER, ""]
        assert not found.is_snapshot
        assert told(names.changes(found.token, 0.0)) == []

    def test_a_refused_change_is_not_told(self, names: NamingContext) -> None:
        """What did not happen is no news."""
        names.bind("ocm", URI)
        token = names.changes().token
        with pytest.raises(AlreadyBound):
            names.bind("ocm", OTHER)
        with pytest.raises(NotFound):
            names.unbind("dpm")
        assert names.changes(token, 0.0) == ChangeList(changes=[], token=token)

    def test_what_ran_out_is_told(self, names: NamingContext, clock: ManualClock) -> None:
        """As what was unbound by hand; the same for a lease that was given back."""
        names.bind("ocm", URI, lease_id=names.grant_lease("ocm", 6.0).lease_id)
        lease = names.grant_lease("dpm", 6.0)
        names.bind("dpm", URI, lease_id=lease.lease_id)
        token = names.changes().token
        names.release_lease(lease.lease_id)
        clock.advance(6.0)
        found = names.changes(token)
        assert told(found) == [("unbound", "dpm"), ("unbound", "ocm")]
        assert found.changes[0].kind is ChangeKind.UNBOUND
        assert found.changes[0].binding.lease_id == lease.lease_id

    def test_a_watcher_waits_for_a_change(self, names: NamingContext) -> None:
        """He is told when it happens, by another client."""
        token = names.changes().token
        found: list[ChangeList] = []
        thread = threading.Thread(target=lambda: found.append(names.changes(token, LONG_S)))
        thread.start()
        names.bind("ocm", URI)
        thread.join(LONG_S)
        assert [told(each) for each in found] == [[("bound", "ocm")]]

    def test_without_a_change_the_same_token_comes_back(self, names: NamingContext) -> None:
        """When the time is over."""
        token = names.changes().token
        for timeout_s in (0.0, 0.05):
            assert names.changes(token, timeout_s) == ChangeList(changes=[], token=token)

    def test_a_token_of_another_start_begins_anew(self, names: NamingContext) -> None:
        """All that is bound is told, and how to go on."""
        names.bind("ocm", URI)
        whole = names.changes("00000000:5", LONG_S)
        assert (told(whole), whole.is_snapshot) == ([("bound", "ocm")], True)
        assert told(names.changes(whole.token, 0.0)) == []

    @pytest.mark.parametrize("token", ["x", "5", "0000:x", ":", "\x00"])
    def test_what_is_no_token_is_refused(self, names: NamingContext, token: str) -> None:
        """Rather than taken for an old one: the client has a fault."""
        with pytest.raises(BadParam) as refused:
            names.changes(token, 0.0)
        assert refused.value.field == "since"

    @pytest.mark.parametrize("timeout_s", [-0.1, 60.1])
    def test_nobody_waits_for_ever(self, names: NamingContext, timeout_s: float) -> None:
        """At most a minute; then he asks again."""
        with pytest.raises(BadParam) as refused:
            names.changes("", timeout_s)
        assert refused.value.field == "timeout_s"

    def test_a_lease_says_how_many_names_it_keeps(self, names: NamingContext) -> None:
        """So its holder notices that somebody took one away."""
        lease = names.grant_lease("ocm", 6.0)
        names.bind("daq", URI, lease_id=lease.lease_id)
        names.bind("std", URI, lease_id=lease.lease_id)
        assert lease.name_count == 0
        assert names.renew_lease(lease.lease_id).name_count == 2
        names.unbind("daq")
        assert names.renew_lease(lease.lease_id).name_count == 1
        assert [each.name_count for each in names.list_leases()] == [1]
