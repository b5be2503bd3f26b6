"""The names in memory: plans look, applying changes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.naming import Binding, BindingType, NamingError, NotFound, NotFoundReason
from nameserver.names import Path
from nameserver.records import Changes
from nameserver.tree import NameTree

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def an_object(name: str, lease_id: str = "") -> Binding:
    """Return a binding of an object."""
    return Binding(name=name, uri="PYRO:a@localhost:1", lease_id=lease_id, bound_at=NOW)


def a_context(name: str) -> Binding:
    """Return a binding of a context."""
    return Binding(name=name, type=BindingType.CONTEXT, bound_at=NOW)


def tree_of(*bindings: Binding) -> NameTree:
    """Return a tree with bindings."""
    tree = NameTree(NOW)
    tree.apply(Changes(put_bindings=bindings))
    return tree


def test_a_plan_changes_nothing() -> None:
    """The tree is as it was until the plan is applied."""
    tree = tree_of(a_context("obs"))
    plan = tree.plan_bind(("obs", "ocm"), an_object("obs/ocm"))
    assert tree.page(("obs",), recursive=True) == ([], True)
    tree.apply(plan)
    assert tree.get(("obs", "ocm")) == an_object("obs/ocm")


def test_applying_drops_before_it_puts() -> None:
    """A name in both is there afterwards."""
    tree = tree_of(an_object("a", "old"))
    tree.apply(Changes(drop_names=("a", "not there"), put_bindings=(an_object("a", "new"),)))
    assert tree.get(("a",)).lease_id == "new"
    assert (tree.names_of("old"), tree.names_of("new")) == ((), ("a",))


def test_a_not_found_says_the_whole_name_and_the_offender() -> None:
    """An operator sees what was wanted and where it went wrong."""
    with pytest.raises(NotFound) as refused:
        tree_of(an_object("obs")).get(("obs", "ocm", "daq"))
    assert refused.value.message == (
        "'obs/ocm/daq' was not found: 'obs' is an object, not a context"
    )
    assert refused.value.why is NotFoundReason.NOT_CONTEXT


steps = st.lists(
    st.tuples(
        st.sampled_from(["bind", "context", "rebind", "unbind", "destroy"]),
        st.lists(st.sampled_from("ab"), min_size=1, max_size=3).map(tuple),
        st.sampled_from(["", "x", "y"]),
    ),
    max_size=40,
)


@given(steps)
def test_the_tree_is_whole_after_any_steps(taken: list[tuple[str, Path, str]]) -> None:
    """Every binding hangs in a context, and the leases know exactly their names."""
    tree = NameTree(NOW)
    model: dict[Path, Binding] = {}
    for step, path, lease_id in taken:
        _take(tree, model, step, path, lease_id)
    everything, _ = tree.page((), recursive=True)
    assert everything == sorted(model.values(), key=lambda each: each.name)
    for path in model:
        assert path[:-1] == () or model[path[:-1]].type is BindingType.CONTEXT
    for lease_id in ("x", "y"):
        under = [each.name for each in everything if each.lease_id == lease_id]
        assert list(tree.names_of(lease_id)) == under


def _take(tree: NameTree, model: dict[Path, Binding], step: str, path: Path, lease_id: str) -> None:
    """Do a step in the tree; when it is not refused, also in a flat dictionary."""
    binding = an_object("/".join(path), lease_id)
    try:
        match step:
            case "bind":
                changes = tree.plan_bind(path, binding)
            case "rebind":
                changes = tree.plan_rebind(path, binding)
            case "context":
                changes = tree.plan_bind(path, a_context(binding.name))
            case "unbind":
                changes = tree.plan_unbind(path)
            case _:
                changes = tree.plan_destroy(path)
    except NamingError:
        return
    tree.apply(changes)
    for name in changes.drop_names:
        del model[tuple(name.split("/"))]
    model.update({tuple(each.name.split("/")): each for each in changes.put_bindings})
