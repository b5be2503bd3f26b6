"""The names as a tree to look at."""

from __future__ import annotations

from rich.text import Text
from rich.tree import Tree

from idl_like_interfaces.naming import Binding, BindingType, Lease


def render_tree(context: str, bindings: list[Binding], leases: list[Lease]) -> Tree:
    """Draw bindings below a context; objects show interface and lease."""
    by_id = {lease.lease_id: lease for lease in leases}
    top = Tree(Text(context or "/", style="bold"))
    branches = {context: top}
    for binding in sorted(bindings, key=lambda each: each.name):
        above, _, last = binding.name.rpartition("/")
        branch = branches.get(above, top)
        if binding.type is BindingType.CONTEXT:
            branches[binding.name] = branch.add(Text(last, style="bold cyan"))
        else:
            branch.add(_leaf(last, binding, by_id.get(binding.lease_id)))
    return top


def _leaf(last: str, binding: Binding, lease: Lease | None) -> Text:
    text = Text(last)
    if binding.interface:
        text.append(f"  {short_interface(binding.interface)}", style="green")
    if lease is not None:
        style = "red" if lease.remaining_s < lease.term_s / 3 else "dim"
        text.append(f"  lease {lease.remaining_s:.1f} s of {lease.holder}", style=style)
    return text


def short_interface(repository_id: str) -> str:
    """Leave out of a repository id what is the same in all of them."""
    return repository_id.removeprefix("IDL:").removeprefix("obsorb/").removeprefix("omg.org/")
