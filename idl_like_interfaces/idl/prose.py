"""What docstrings say of interfaces, operations, structs, enumerations and errors."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import msgspec

from idl_like_interfaces.declare import Interface
from idl_like_interfaces.description import types_of
from idl_like_interfaces.errors import RemoteError

_SECTION = re.compile(r"^(?P<name>Args|Attributes|Raises|Returns):\s*$")
_ITEM = re.compile(r"^(?P<name>\w+):\s+(?P<text>.*)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A docstring, taken apart.

    Attributes:
        text: The description; paragraphs are parted by empty lines.
        members: Of each parameter, field or value what it means, by the name on the wire.
        raises: When each error comes, by the name of its class.
        returns: What the reply is; empty when type and text say it all.
    """

    text: str = ""
    members: dict[str, str] = field(default_factory=dict)
    raises: dict[str, str] = field(default_factory=dict)
    returns: str = ""

    @property
    def summary(self) -> str:
        """The first paragraph, on one line."""
        return " ".join(self.text.partition("\n\n")[0].split())


NOTHING = Said()


def parse_docstring(text: str | None) -> Said:
    """Take a docstring of the Google form apart."""
    sections: dict[str, list[str]] = {"": []}
    current = sections[""]
    for line in inspect.cleandoc(text or "").splitlines():
        if found := _SECTION.match(line):
            current = sections.setdefault(found["name"], [])
        else:
            current.append(line)
    members = _items(sections.get("Args", [])) | _items(sections.get("Attributes", []))
    return Said(
        text="\n".join(sections[""]).strip(),
        members=members,
        raises=_items(sections.get("Raises", [])),
        returns=" ".join(" ".join(sections.get("Returns", [])).split()),
    )


def _items(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in textwrap.dedent("\n".join(lines)).splitlines():
        if item := _ITEM.match(line):
            name = item["name"]
            found[name] = item["text"]
        elif name and line.strip():
            found[name] += f" {line.strip()}"
    return found


def prose_of(interface: Interface) -> dict[str, Said]:
    """Return what is said of an interface and of all that it uses.

    Returns:
        By the name of an operation, struct or enumeration, and by repository id for the
        interface itself and for errors.
    """
    said = {interface.repository_id: parse_docstring(interface.python.__doc__)}
    for name, operation in interface.operations.items():
        said[name] = parse_docstring(getattr(interface.python, name).__doc__)
        said |= {each.repository_id: _of_error(each) for each in operation.raises}
    return said | dict(_of_types(interface))


def _of_error(error: type[RemoteError]) -> Said:
    """An error says what its bases say of the fields that it has from them."""
    own = parse_docstring(error.__doc__)
    inherited: dict[str, str] = {}
    for base in reversed(error.__mro__):
        if issubclass(base, RemoteError) and base is not RemoteError:
            inherited |= parse_docstring(base.__doc__).members
    return Said(text=own.text, members=inherited)


def _of_types(interface: Interface) -> Iterator[tuple[str, Said]]:
    for info in types_of(interface):
        said = parse_docstring(info.cls.__doc__)
        if isinstance(info, msgspec.inspect.StructType):
            names = {each.name: each.encode_name for each in info.fields}
            members = {names.get(name, name): text for name, text in said.members.items()}
        else:
            members = _of_values(info.cls)
        yield info.cls.__name__, Said(text=said.text, members=members)


def _of_values(cls: Any) -> dict[str, str]:
    """Return what stands as a text below each value of an enumeration."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError, SyntaxError):
        return {}
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    found = {}
    for value, after in pairwise(body):
        match value, after:
            case (
                ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[str(cls[name].value)] = " ".join(text.split())
            case _:
                pass
    return found
