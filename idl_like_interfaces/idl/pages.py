"""Reference pages of interfaces, in Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from idl_like_interfaces.declare import Interface, parse_repository_id
from idl_like_interfaces.description import (
    EnumDescription,
    ErrorDescription,
    InterfaceDescription,
    OperationDescription,
    ParameterDescription,
    StructDescription,
    describe,
)
from idl_like_interfaces.idl.prose import NOTHING, Said, prose_of

_MADE = "The page is made by `make reference` from the declaration; do not edit it.\n"


def page_name(interface: Interface) -> str:
    """Return the name of the page's file."""
    module = interface.python.__module__.rpartition(".")[2]
    return f"{module}-{interface.python.__name__}.md"


def write_page(interface: Interface) -> str:
    """Return the reference page of an interface."""
    description, said = describe(interface), prose_of(interface)
    names = {
        each.repository_id: each for one in interface.operations.values() for each in one.raises
    }
    errors = {id: cls.__name__ for id, cls in names.items()}
    parts = [
        _head(interface, description, said),
        "## Operations\n",
        *(_operation(each, said, errors) for each in description.signatures),
        *_section("Structs", (_struct(each, said) for each in description.structs)),
        *_section("Enumerations", (_enum(each, said) for each in description.enums)),
        *_section("Errors", (_error(each, said, errors) for each in description.errors)),
    ]
    return "\n".join(parts)


def write_index(interfaces: Iterable[Interface]) -> str:
    """Return the page that leads to all others."""
    rows = [
        (
            f"[{each.python.__name__}]({page_name(each)})",
            _version(each.repository_id),
            f"`{each.python.__module__.rpartition('.')[2]}`",
            str(len(each.operations)),
            _line(prose_of(each)[each.repository_id].summary),
        )
        for each in interfaces
    ]
    return (
        f"# Interfaces\n\nWhat objects answer, with every type and error. {_MADE}\n"
        + _table(("interface", "version", "module", "operations", "what it is"), rows)
        + "\nEvery operation may also raise the system errors of `idl_like_interfaces.errors`, "
        "and every object\nanswers the operations of [Object](object-Object.md). "
        "`obsorb idl` shows the same as OMG-IDL and\nJSON Schema "
        "([command line](../cli.md#interfaces)).\n"
    )


def _head(interface: Interface, description: InterfaceDescription, said: Mapping[str, Said]) -> str:
    about = said[interface.repository_id]
    bases = "".join(f", extends `{each}`" for each in description.bases)
    rows = [
        (
            f"[`{each.name}`](#{each.name})",
            each.role,
            _marks(each),
            _line(said[each.name].summary),
        )
        for each in description.signatures
    ]
    return (
        f"# {interface.python.__name__}\n\n`{interface.repository_id}`{bases}; declared in "
        f"`{interface.python.__module__}`. {_MADE}\n{_prose(about.text)}\n"
        + _table(("operation", "least role", "", "what it does"), rows)
    )


def _operation(
    operation: OperationDescription, said: Mapping[str, Said], errors: Mapping[str, str]
) -> str:
    about = said[operation.name]
    given = ", ".join(map(_declared, operation.parameters))
    text = (
        f"### {operation.name}\n\n```\n{operation.name}({given}) -> {operation.returns.text()}\n"
        f"```\n\n{_prose(about.text)}\n"
    )
    if operation.parameters:
        text += _members("parameter", operation.parameters, about) + "\n"
    if about.returns:
        text += f"Returns: {about.returns}\n\n"
    marks = _marks(operation)
    text += f"Least role: {operation.role}{f'; {marks}' if marks else ''}.\n"
    if raised := _raised(operation, about, errors):
        text += "\n" + _table(("error", "when"), raised)
    return text


def _raised(
    operation: OperationDescription, about: Said, errors: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Return the errors in the order of the docstring, then the other declared ones."""
    declared = [errors[each] for each in operation.raises]
    told = [(f"`{name}`", _line(text)) for name, text in about.raises.items()]
    return told + [(f"`{name}`", "") for name in declared if name not in about.raises]


def _struct(struct: StructDescription, said: Mapping[str, Said]) -> str:
    about = said.get(struct.name, NOTHING)
    text = f"### {struct.name}\n\n{_prose(about.text)}\n"
    if struct.tag_field:
        text += f"Told from others by `{struct.tag_field}` = `{_json(struct.tag)}`.\n\n"
    if struct.omits_defaults:
        text += "A field that has its default does not travel.\n\n"
    return text + (_members("field", struct.fields, about) if struct.fields else "No fields.\n")


def _enum(enum: EnumDescription, said: Mapping[str, Said]) -> str:
    about = said.get(enum.name, NOTHING)
    rows = [(f"`{_json(each)}`", _line(about.members.get(str(each), ""))) for each in enum.values]
    return f"### {enum.name}\n\n{_prose(about.text)}\n" + _table(("value", "meaning"), rows)


def _error(error: ErrorDescription, said: Mapping[str, Said], names: Mapping[str, str]) -> str:
    about = said.get(error.repository_id, NOTHING)
    text = f"### {names[error.repository_id]}\n\n`{error.repository_id}`\n\n{_prose(about.text)}\n"
    return text + (_members("field", error.fields, about) if error.fields else "No fields.\n")


def _section(title: str, parts: Iterator[str]) -> list[str]:
    texts = list(parts)
    return [f"## {title}\n", *texts] if texts else []


def _members(what: str, members: list[ParameterDescription], about: Said) -> str:
    rows = [
        (
            f"`{each.name}`",
            f"`{_line(each.type.text())}`",
            "" if each.is_required else f"`{_line(_json(each.default))}`",
            _line(about.members.get(each.name, "")),
        )
        for each in members
    ]
    return _table((what, "type", "default", "meaning"), rows)


def _declared(parameter: ParameterDescription) -> str:
    default = "" if parameter.is_required else f" = {parameter.default!r}"
    return f"{parameter.name}: {parameter.type.text()}{default}"


def _marks(operation: OperationDescription) -> str:
    marks = {
        "idempotent": operation.idempotent,
        "long-poll": operation.long_poll,
        "oneway": operation.oneway,
    }
    return ", ".join(name for name, has in marks.items() if has)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(each)} |\n" for each in lines)


def _prose(text: str) -> str:
    """Keep paragraphs; a table of text is kept as it is."""
    parts = []
    for paragraph in filter(None, text.split("\n\n")):
        is_table = paragraph.startswith("====")
        parts.append(f"```\n{paragraph}\n```" if is_table else paragraph)
    return "".join(f"{each}\n\n" for each in parts).rstrip("\n") + "\n"


def _line(text: str) -> str:
    """Return a text as a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _version(repository_id: str) -> str:
    version = parse_repository_id(repository_id)[1]
    assert version is not None
    return f"{version[0]}.{version[1]}"
