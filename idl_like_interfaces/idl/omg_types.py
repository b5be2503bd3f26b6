"""Types in OMG-IDL: what a description uses, defined once each, before its use."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from idl_like_interfaces.declare import parse_repository_id
from idl_like_interfaces.description import (
    ErrorDescription,
    InterfaceDescription,
    ParameterDescription,
    StructDescription,
)
from idl_like_interfaces.idl.prose import NOTHING, Said
from idl_like_interfaces.shapes import TypeDescription

KEYWORDS = """
abstract any attribute boolean case char component const consumes context custom default
double emits enum eventtype exception factory false finder fixed float getraises home import
in inout interface local long module multiple native object octet oneway out primarykey
private provides public publishes raises readonly sequence setraises short string struct
supports switch true truncatable typedef typeid typeprefix union unsigned uses valuebase
valuetype void wchar wstring
"""
"""Words that IDL keeps for itself, in any case."""

_WIDTH = 92

_BASIC = {
    "any": "any",
    "none": "void",
    "bool": "boolean",
    "int": "long long",
    "float": "double",
    "str": "string",
    "literal": "string",
}

_DEFINED = {
    "time": ("UtcTime", "", "typedef string UtcTime;  // ISO-8601"),
    "octets": ("Octets", "", "typedef sequence<octet> Octets;"),
    "octet_blocks": ("OctetBlocks", "octets", "typedef sequence<Octets> OctetBlocks;"),
}


def identifier(name: str) -> str:
    """Return a name as IDL takes it: a keyword is escaped by an underscore."""
    return f"_{name}" if name.lower() in KEYWORDS.split() else name


def name_within(name: str, scope: str) -> str:
    """Return a name in a scope: nothing in that may have its name, in whatever case."""
    return f"{name}_" if name.lower() == scope.lower() else identifier(name)


def module_of(repository_id: str) -> list[str]:
    """Return the modules that an interface stands in; a prefix with a dot is none."""
    *modules, _ = parse_repository_id(repository_id)[0].split("/")
    return [each for each in modules if "." not in each]


def simple_name(repository_id: str) -> str:
    """Return the last part of the path of a repository id."""
    return parse_repository_id(repository_id)[0].rpartition("/")[2]


def comment(text: str) -> str:
    """Return a text as a comment of lines that end with a newline; empty without a text."""
    lines: list[str] = []
    for line in text.replace("*/", "* /").splitlines():
        indent = "  " if line.startswith("@") else ""
        lines += textwrap.wrap(line, _WIDTH, subsequent_indent=indent, break_long_words=False) or [
            ""
        ]
    if not text:
        return ""
    if len(lines) == 1:
        return f"/** {lines[0]} */\n"
    body = "\n".join(f" * {line}".rstrip() for line in lines)
    return f"/**\n{body}\n */\n"


@dataclass(slots=True, kw_only=True)
class Types:
    """Names types, and defines those that IDL has no name for.

    Attributes:
        description: Where structs and enumerations are found.
        prose: What is said of them.
        definitions: Texts, in an order in which each stands before its use.
        errors: Names of the exceptions by repository id.
    """

    description: InterfaceDescription
    prose: Mapping[str, Said]
    definitions: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)
    _open: set[str] = field(default_factory=set)

    def name_of(self, type_: TypeDescription) -> str:
        """Return the name of a type; it is defined from then on."""
        if type_.kind in _BASIC:
            return _BASIC[type_.kind]
        if type_.kind in _DEFINED:
            return self._defined(type_.kind)
        define = {
            "struct": self._struct,
            "enum": self._enum,
            "list": self._list,
            "map": self._map,
            "tuple": self._tuple,
            "union": self._union,
        }
        if type_.kind not in define:
            return "string"
        return define[type_.kind](type_)

    def name_beside(self, type_: TypeDescription, taken: Collection[str]) -> str:
        """As ``name_of``, with its modules when something of that scope has the same name."""
        name = self.name_of(type_)
        is_free = name.lower().lstrip("_") not in {each.lower() for each in taken}
        if is_free or type_.kind in _BASIC:
            return name
        modules = map(identifier, module_of(self.description.repository_id))
        return "::".join(["", *modules, name])

    def define_error(self, error: ErrorDescription) -> None:
        """Define an exception."""
        name = simple_name(error.repository_id)
        taken = {simple_name(self.description.repository_id), *self.errors.values(), *self._names}
        name = f"{name}_" if name in taken else name
        said = self.prose.get(error.repository_id, NOTHING)
        members = self._members(error.fields, said, name)
        self.definitions.append(
            f"{comment(said.text)}exception {identifier(name)} {{\n{members}}};\n"
            f'#pragma ID {identifier(name)} "{error.repository_id}"'
        )
        self.errors[error.repository_id] = identifier(name)

    def _once(self, name: str, write: Callable[[str], str]) -> str:
        """Define something under a name unless it is, and return the name."""
        if name not in self._names:
            self._names[name] = identifier(name)
            self.definitions.append(write(name))
        return self._names[name]

    def _defined(self, kind: str) -> str:
        name, before, text = _DEFINED[kind]
        if before:
            self._defined(before)
        return self._once(name, lambda _: text)

    def _enum(self, type_: TypeDescription) -> str:
        return self._once(type_.name, self._enum_text)

    def _enum_text(self, name: str) -> str:
        enum = next(each for each in self.description.enums if each.name == name)
        said = self.prose.get(name, NOTHING)
        values = [
            (f"{name}_{re.sub(r'[^A-Za-z0-9_]', '_', str(value))}", value) for value in enum.values
        ]
        lines = [
            f"  {value_name}{',' if at < len(values) else ''}"
            f"  // {str(value)!r}{_after(said.members.get(str(value), ''))}"
            for at, (value_name, value) in enumerate(values, 1)
        ]
        body = "\n".join(lines)
        return f"{comment(said.text)}enum {identifier(name)} {{\n{body}\n}};"

    def _struct(self, type_: TypeDescription) -> str:
        name = type_.name
        if name in self._open:
            self._once(f"{name} (forward)", lambda _: f"struct {identifier(name)};")
            return identifier(name)
        if name in self._names:
            return self._names[name]
        struct = next(each for each in self.description.structs if each.name == name)
        self._open.add(name)
        text = self._struct_text(struct)
        self._open.discard(name)
        return self._once(name, lambda _: text)

    def _struct_text(self, struct: StructDescription) -> str:
        said = self.prose.get(struct.name, NOTHING)
        members = self._members(struct.fields, said, struct.name)
        text = said.text
        if struct.tag_field:
            text += f"\n\nOn the wire with {struct.tag_field} = {struct.tag!r}."
        if not struct.fields:  # IDL has no empty struct
            members = f"  boolean {name_within('nothing', struct.name)};\n"
        return f"{comment(text)}struct {identifier(struct.name)} {{\n{members}}};"

    def _members(self, members: list[ParameterDescription], said: Said, scope: str) -> str:
        taken = [each.name for each in members]
        return "".join(
            self._about(each, said)
            + f"  {self.name_beside(each.type, taken)} {name_within(each.name, scope)};\n"
            for each in members
        )

    def _about(self, member: ParameterDescription, said: Said) -> str:
        text = said.members.get(member.name, "")
        notes = [member.type.text()] if member.type.limits else []
        notes += [] if member.is_required else [f"default {member.default!r}"]
        about = f"{text} [{', '.join(notes)}]".strip() if notes else text
        return textwrap.indent(comment(about), "  ")

    def _list(self, type_: TypeDescription) -> str:
        inner = self.name_of(type_.of[0])
        return self._once(f"{_title(inner)}Seq", lambda name: f"typedef sequence<{inner}> {name};")

    def _tuple(self, type_: TypeDescription) -> str:
        return self._list(TypeDescription(kind="list", of=[TypeDescription(kind="any")]))

    def _map(self, type_: TypeDescription) -> str:
        inner = self.name_of(type_.of[0])
        entry = self._once(
            f"{_title(inner)}Entry",
            lambda name: f"struct {name} {{\n  string key;\n  {inner} value;\n}};",
        )
        return self._once(f"{_title(inner)}Map", lambda name: f"typedef sequence<{entry}> {name};")

    def _union(self, type_: TypeDescription) -> str:
        members = [each for each in type_.of if each.kind != "none"]
        if len(members) == 1:
            inner = self.name_of(members[0])
        else:
            inner = self._choice([self.name_of(each) for each in members])
        if len(members) == len(type_.of):
            return inner
        return self._once(
            f"Optional{_title(inner)}",
            lambda name: f"union {name} switch (boolean) {{\n  case TRUE: {inner} value;\n}};",
        )

    def _choice(self, names: list[str]) -> str:
        cases = "".join(
            f"  case {at}: {name} as_{_title(name)};\n" for at, name in enumerate(names)
        )
        return self._once(
            "Or".join(map(_title, names)),
            lambda name: f"union {name} switch (short) {{\n{cases}}};",
        )


def _title(name: str) -> str:
    """Return a type's name as a part of another name."""
    return "".join(each[:1].upper() + each[1:] for each in name.lstrip("_").split())


def _after(text: str) -> str:
    return f": {text}" if text else ""
