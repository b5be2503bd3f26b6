"""Decides whether a specification can be queued."""

from __future__ import annotations

from idl_like_interfaces.daqif import DaqException
from idl_like_interfaces.documents import DpSpecification
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.mapping.coding import parse_json
from objects.products.sources import SourceFile, canonical, localize
from objects.products.workspace import is_id

Documents = tuple[DpSpecification, list[SourceFile]]


def read_specification(text: str, here: frozenset[str]) -> Documents:
    """Read a specification and give its files their local names.

    Raises:
        DaqException: It is malformed, or names an id or file that cannot be.
    """
    try:
        specification = parse_json(DpSpecification, text, "specification")
    except BadParam as error:
        raise DaqException(error.message, cause=error.cause, remedy=error.remedy, id="") from error
    if not is_id(specification.id):
        raise DaqException(
            f"specification.id {specification.id!r} cannot be an id: it begins with a dot",
            remedy="choose another id",
            id=specification.id,
        )
    try:
        return localize(specification, here)
    except ValueError as error:
        raise DaqException(
            f"specification: {error}",
            remedy="give each file as /path or host:/path",
            id=specification.id,
        ) from error


def is_same(one: Documents, other: Documents) -> bool:
    """Tell whether two requests ask for the same product of the same files."""
    return canonical(one[0]) == canonical(other[0]) and one[1] == other[1]
