"""The table of all operations and the least role of each, made from the declarations."""

from __future__ import annotations

from collections.abc import Iterable

from idl_like_interfaces.declare import Role, interface_of


def table(interfaces: Iterable[type]) -> str:
    """Return the table as Markdown: an interface a row, a role a column."""
    head = f"| interface | {' | '.join(Role)} |\n|{'---|' * (len(Role) + 1)}\n"
    return head + "".join(map(_row, sorted(interfaces, key=lambda each: each.__name__)))


def _row(python: type) -> str:
    operations = interface_of(python).operations.values()
    cells = [
        ", ".join(f"`{each.name}`" for each in operations if each.role is role) or "-"
        for role in Role
    ]
    return f"| `{python.__name__}` | {' | '.join(cells)} |\n"
