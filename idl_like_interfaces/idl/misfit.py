"""Values that a type certainly does not take."""

from __future__ import annotations

from typing import Any

from idl_like_interfaces.shapes import TypeDescription

_NUMBER = 7
_CANDIDATES: tuple[tuple[Any, frozenset[str]], ...] = (
    (["obsorb idl check"], frozenset({"list", "tuple", "octet_blocks"})),
    ({"obsorb idl check": 0}, frozenset({"map", "struct", "octets"})),
    (_NUMBER, frozenset({"int", "float", "enum", "literal", "timedelta", "decimal"})),
)
"""Values, and the kinds of types that might take them."""


def misfit(type_: TypeDescription) -> Any:
    """Return a plain value that is refused; ``None``: the type takes any."""
    members = type_.of if type_.kind == "union" else [type_]
    kinds = {each.kind for each in members}
    if "any" in kinds:
        return None
    for value, takers in _CANDIDATES:
        if not kinds & takers:
            return value
    return None
