"""Decides whether a specification can be queued."""

from __future__ import annotations

from idl_like_interfaces.checks import check_specification
from idl_like_interfaces.daqif import DaqException
from idl_like_interfaces.documents import DpSpecification
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.reading import read_document
from objects.products.sources import SourceFile, canonical, localize

Documents = tuple[DpSpecification, list[SourceFile]]


def read_specification(text: str, here: frozenset[str]) -> Documents:
    """Read a specification and give its files their local names.

    Raises:
        DaqException: It is malformed, or names an id or file that cannot be.
    """
    id = ""
    try:
        specification = read_document(DpSpecification, text, "specification")
        id = specification.id
        check_specification(specification, "specification", may_be_relative=False)
    except BadParam as error:
        raise DaqException(error.message, cause=error.cause, remedy=error.remedy, id=id) from error
    try:
        return localize(specification, here)
    except ValueError as error:
        raise DaqException(
            f"specification: {error}", remedy="give each file as /path or host:/path", id=id
        ) from error


def is_same(one: Documents, other: Documents) -> bool:
    """Tell whether two requests ask for the same product of the same files."""
    return canonical(one[0]) == canonical(other[0]) and one[1] == other[1]
