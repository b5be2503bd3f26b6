"""OMG-IDL text of an interface, for people and tools that know CORBA.

=====================  =========================================================
declared               in IDL
=====================  =========================================================
``str``                ``string``
``int``                ``long long``
``float``, seconds     ``double``
``bool``               ``boolean``
a time                 ``UtcTime``, a ``string`` of ISO-8601 in UTC
``Octets``             ``sequence<octet>``
``OctetBlocks``        ``sequence`` of these
``list[T]``            ``sequence<T>``
``dict[str, T]``       ``sequence`` of structs of ``key`` and ``value``
``T | None``           ``union`` over ``boolean`` that has a ``value`` for ``TRUE``
``A | B``              ``union`` over ``short`` with one case for each
an enumeration         ``enum``; the text on the wire stands beside each value
``Any``                ``any``
=====================  =========================================================

IDL has no defaults, no limits and no roles: these stand in the comments. There are no
attributes: everything is an operation.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from idl_like_interfaces.description import (
    InterfaceDescription,
    OperationDescription,
    ParameterDescription,
)
from idl_like_interfaces.idl.omg_types import (
    Types,
    comment,
    identifier,
    module_of,
    name_within,
    simple_name,
)
from idl_like_interfaces.idl.prose import NOTHING, Said

_WIDTH = 100


def write_idl(description: InterfaceDescription, prose: Mapping[str, Said] | None = None) -> str:
    """Return the IDL text of an interface.

    Args:
        description: The interface, declared here or told by an object.
        prose: What is said of it, from ``prose_of``; ``None``: no comments.
    """
    said = prose or {}
    types = Types(description=description, prose=said)
    for each in description.errors:
        types.define_error(each)
    body = _interface(description, types, said)
    parts = [*types.definitions, body]
    modules = module_of(description.repository_id)
    text = "\n\n".join(parts)
    for name in reversed(modules):
        text = f"module {identifier(name)} {{\n\n{textwrap.indent(text, '  ')}\n\n}};"
    return f"// {description.repository_id}, digest {description.digest}\n\n{text}\n"


def _interface(description: InterfaceDescription, types: Types, said: Mapping[str, Said]) -> str:
    name = simple_name(description.repository_id)
    about = said.get(description.repository_id, NOTHING)
    text = about.text
    if description.bases:
        text += f"\n\nWith the operations of {', '.join(description.bases)}."
    operations = [_operation(each, types, said) for each in description.signatures]
    body = textwrap.indent("\n\n".join(operations), "  ")
    return (
        f"{comment(text)}interface {identifier(name)} {{\n{body}\n}};\n"
        f'#pragma ID {identifier(name)} "{description.repository_id}"'
    )


def _operation(operation: OperationDescription, types: Types, said: Mapping[str, Said]) -> str:
    about = said.get(operation.name, NOTHING)
    taken = [each.name for each in operation.parameters]
    taken += [each.name for each in types.description.signatures]
    reply = "oneway void" if operation.oneway else types.name_beside(operation.returns, taken)
    parameters = [
        f"in {types.name_beside(each.type, taken)} {identifier(each.name)}"
        for each in operation.parameters
    ]
    raised = [types.errors[each] for each in operation.raises]
    name = name_within(operation.name, simple_name(types.description.repository_id))
    head = f"{reply} {name}({', '.join(parameters)})"
    tail = f"\n  raises ({', '.join(raised)})" if raised else ""
    if len(head) > _WIDTH:
        joined = ",\n  ".join(parameters)
        head = f"{reply} {name}(\n  {joined})"
    return f"{comment(_about_operation(operation, about))}{head}{tail};"


def _about_operation(operation: OperationDescription, about: Said) -> str:
    marks = [
        mark
        for mark, has in (("idempotent", operation.idempotent), ("long-poll", operation.long_poll))
        if has
    ]
    lines = [about.text] if about.text else []
    lines += filter(None, (_about_parameter(each, about) for each in operation.parameters))
    if about.returns:
        lines.append(f"@return {about.returns}")
    lines += [f"@raises {name} {text}" for name, text in about.raises.items()]
    lines.append(f"@role {operation.role}{''.join(f', {mark}' for mark in marks)}")
    return "\n".join(lines)


def _about_parameter(parameter: ParameterDescription, about: Said) -> str:
    text = about.members.get(parameter.name, "")
    limits = parameter.type.text() if parameter.type.limits else ""
    default = "" if parameter.is_required else f"default {parameter.default!r}"
    notes = ", ".join(each for each in (limits, default) if each)
    said = f"{text} [{notes}]".strip() if notes else text
    return f"@param {parameter.name} {said}" if said else ""
