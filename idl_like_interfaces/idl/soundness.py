"""Is a description that came from elsewhere whole? What is compared may then be followed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from idl_like_interfaces.declare import parse_repository_id
from idl_like_interfaces.description import InterfaceDescription, ParameterDescription
from idl_like_interfaces.shapes import TypeDescription

_DEEPEST = 32
"""Types within types; a declaration has a handful."""

_ONE = frozenset({"list", "map"})


def flaw_of(description: InterfaceDescription) -> str:
    """Say what is wrong with a description; empty when it is whole."""
    return next(_flaws(description), "")


def _flaws(description: InterfaceDescription) -> Iterator[str]:
    for id in (description.repository_id, *description.bases, *_ids_of_errors(description)):
        try:
            version = parse_repository_id(id)[1]
        except ValueError as error:
            yield str(error)
        else:
            if version is None:
                yield f"{id} has no version"
    structs = {each.name for each in description.structs}
    enums = {each.name for each in description.enums}
    for where, type_ in _types(description):
        yield from _flaws_of_type(type_, where, {"struct": structs, "enum": enums}, 0)
    declared = set(_ids_of_errors(description))
    for operation in description.signatures:
        if missing := sorted(set(operation.raises) - declared):
            yield f"{operation.name} raises {missing[0]}, which is not described"


def _ids_of_errors(description: InterfaceDescription) -> list[str]:
    return [each.repository_id for each in description.errors]


def _types(description: InterfaceDescription) -> Iterator[tuple[str, TypeDescription]]:
    for operation in description.signatures:
        yield f"{operation.name}()", operation.returns
        yield from _of(operation.name, operation.parameters)
    for struct in description.structs:
        yield from _of(struct.name, struct.fields)
    for error in description.errors:
        yield from _of(error.repository_id, error.fields)


def _of(
    where: str, members: Iterable[ParameterDescription]
) -> Iterator[tuple[str, TypeDescription]]:
    return ((f"{where}.{each.name}", each.type) for each in members)


def _flaws_of_type(
    type_: TypeDescription, where: str, names: dict[str, set[str]], depth: int
) -> Iterator[str]:
    if depth > _DEEPEST:
        yield f"{where}: its type is nested too deeply"
        return
    if type_.kind in names and type_.name not in names[type_.kind]:
        yield f"{where}: the {type_.kind} {type_.name!r} is not described"
    if (type_.kind in _ONE and len(type_.of) != 1) or (type_.kind == "union" and not type_.of):
        yield f"{where}: a {type_.kind} of {len(type_.of)} types"
    for each in type_.of:
        yield from _flaws_of_type(each, where, names, depth + 1)
