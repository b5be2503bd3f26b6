"""What an object tells of its interface: every signature as plain values, with a digest.

Two descriptions can be compared without the declarations that they were made from, so an
object that runs elsewhere can be, and one of a release of long ago.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec

from idl_like_interfaces.declare import (
    Document,
    Interface,
    Operation,
    Parameter,
    Role,
    interface_of,
    is_compatible,
    parts_of,
)
from idl_like_interfaces.errors import RemoteError, fields_of
from idl_like_interfaces.shapes import TypeDescription, plain_default, shape_of


class ParameterDescription(Document, frozen=True, kw_only=True):
    """A parameter of an operation, or a field of a struct or an error.

    Attributes:
        name: On the wire.
        type: Its type.
        is_required: It has no default.
        default: As a plain value; of no meaning when it is required.
    """

    name: str
    type: TypeDescription
    is_required: bool = False
    default: Any = None


class OperationDescription(Document, frozen=True, kw_only=True):
    """One operation.

    Attributes:
        name: On the wire.
        parameters: In the order in which they travel.
        returns: Type of the reply.
        raises: Repository ids of its declared errors, sorted.
        idempotent: A client may repeat it.
        long_poll: It waits for as long as its argument ``timeout_s`` says.
        oneway: It has no reply.
        role: The least role that may call it, unless the installation says otherwise.
    """

    name: str
    parameters: list[ParameterDescription] = []
    returns: TypeDescription
    raises: list[str] = []
    idempotent: bool = False
    long_poll: bool = False
    oneway: bool = False
    role: str = Role.OPERATOR.value


class StructDescription(Document, frozen=True, kw_only=True):
    """A struct that an operation takes or returns.

    Attributes:
        name: As types refer to it.
        fields: In their order.
        tag_field: The field that tells it from others; empty without.
        tag: What stands in that field.
        omits_defaults: A field that has its default does not travel.
        is_array: It travels as a list of its fields, not as a dict.
    """

    name: str
    fields: list[ParameterDescription] = []
    tag_field: str = ""
    tag: str | int = ""
    omits_defaults: bool = False
    is_array: bool = False


class EnumDescription(Document, frozen=True, kw_only=True):
    """An enumeration and what may stand for it on the wire."""

    name: str
    values: list[str | int]


class ErrorDescription(Document, frozen=True, kw_only=True):
    """A declared error; ``bases`` are the repository ids of what it derives from."""

    repository_id: str
    fields: list[ParameterDescription] = []
    bases: list[str] = []


class InterfaceDescription(Document, frozen=True, kw_only=True):
    """What an object says about its interface.

    Attributes:
        repository_id: e.g. ``IDL:obsorb/daqif/OcmDaqControl:3.1``.
        bases: Repository ids of the interfaces that it extends.
        operations: Names of all operations, sorted, without those of ``Object``.
        digest: Of all that follows but the roles; the same for what is the same on the wire.
        signatures: The operations, those of the bases too, sorted by name.
        structs: All structs that they use, at any depth, sorted by name.
        enums: All enumerations that they use, sorted by name.
        errors: All errors that they declare, sorted by id.
    """

    repository_id: str
    bases: list[str] = []
    operations: list[str] = []
    digest: str = ""
    signatures: list[OperationDescription] = []
    structs: list[StructDescription] = []
    enums: list[EnumDescription] = []
    errors: list[ErrorDescription] = []


@cache
def describe(interface: Interface) -> InterfaceDescription:
    """Say as a struct what a declaration says.

    Raises:
        TypeError: Two structs or enumerations in it have one name.
    """
    operations = [interface.operations[name] for name in sorted(interface.operations)]
    errors = {each.repository_id: each for one in operations for each in one.raises}
    named = types_of(interface)
    bare = InterfaceDescription(
        repository_id=interface.repository_id,
        bases=[base.repository_id for base in interface.lineage[1:]],
        operations=[each.name for each in operations],
        signatures=[_signature(each) for each in operations],
        structs=[_struct(info) for info in named if isinstance(info, msgspec.inspect.StructType)],
        enums=[_enum(info) for info in named if isinstance(info, msgspec.inspect.EnumType)],
        errors=[_error(errors[id]) for id in sorted(errors)],
    )
    return msgspec.structs.replace(bare, digest=digest_of(bare))


def types_of(
    interface: Interface,
) -> list[msgspec.inspect.StructType | msgspec.inspect.EnumType]:
    """Return all structs and enumerations that an interface uses, sorted by name.

    Raises:
        TypeError: Two of them have one name.
    """
    operations = list(interface.operations.values())
    roots = [
        *(each.type for one in operations for each in one.parameters),
        *(each.returns for each in operations),
        *(type_ for one in operations for each in one.raises for type_ in fields_of(each).values()),
    ]
    found: dict[str, msgspec.inspect.StructType | msgspec.inspect.EnumType] = {}
    for root in roots:
        for info in walk(msgspec.inspect.type_info(root), set()):
            name = info.cls.__name__
            if found.setdefault(name, info).cls is not info.cls:
                message = f"two types of one interface are called {name}: give one another name"
                raise TypeError(message)
    return [found[name] for name in sorted(found)]


def digest_of(description: InterfaceDescription) -> str:
    """Return the digest of what a description says of the wire: 16 hexadecimal digits.

    Roles are policy, which an installation may change, and count for nothing here.
    """
    roleless = [
        msgspec.structs.replace(each, role=Role.OPERATOR.value) for each in description.signatures
    ]
    said = msgspec.structs.replace(description, digest="", signatures=roleless)
    return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()[:16]


def implements(interface: Interface, repository_id: str, digest: str = "") -> bool:
    """Tell whether an object of an interface serves a client of a repository id.

    Args:
        interface: What the object implements.
        repository_id: What the client wants, with or without a version.
        digest: Of the client's declaration; with one, the object's must be the same.

    Raises:
        ValueError: It is not a repository id.
    """
    fitting = [
        each for each in interface.lineage if is_compatible(each.repository_id, repository_id)
    ]
    return bool(fitting) and (
        not digest or any(describe(each).digest == digest for each in fitting)
    )


@cache
def digest_of_interface(python: type) -> str:
    """Return the digest of a declaration."""
    return describe(interface_of(python)).digest


def _signature(operation: Operation) -> OperationDescription:
    return OperationDescription(
        name=operation.name,
        parameters=[_parameter(each) for each in operation.parameters],
        returns=_shape(operation.returns),
        raises=sorted(each.repository_id for each in operation.raises),
        idempotent=operation.idempotent,
        long_poll=operation.long_poll,
        oneway=operation.oneway,
        role=operation.role.value,
    )


def _shape(type_: Any) -> TypeDescription:
    return shape_of(msgspec.inspect.type_info(type_))


def _parameter(parameter: Parameter) -> ParameterDescription:
    type_ = _shape(parameter.type)
    if parameter.is_required:
        return ParameterDescription(name=parameter.name, type=type_, is_required=True)
    return ParameterDescription(
        name=parameter.name, type=type_, default=plain_default(parameter.default)
    )


def _struct(info: msgspec.inspect.StructType) -> StructDescription:
    return StructDescription(
        name=info.cls.__name__,
        fields=[_field(each) for each in info.fields],
        tag_field=info.tag_field or "",
        tag=info.tag if info.tag is not None else "",
        omits_defaults=info.cls.__struct_config__.omit_defaults,
        is_array=info.array_like,
    )


def _field(field: msgspec.inspect.Field) -> ParameterDescription:
    type_ = shape_of(field.type)
    if field.required:
        return ParameterDescription(name=field.encode_name, type=type_, is_required=True)
    made = field.default_factory
    default = field.default if made is msgspec.NODEFAULT else made()
    return ParameterDescription(name=field.encode_name, type=type_, default=plain_default(default))


def _enum(info: msgspec.inspect.EnumType) -> EnumDescription:
    return EnumDescription(name=info.cls.__name__, values=[each.value for each in info.cls])


def _error(error: type[RemoteError]) -> ErrorDescription:
    return ErrorDescription(
        repository_id=error.repository_id,
        fields=[
            ParameterDescription(name=name, type=_shape(type_), is_required=True)
            for name, type_ in fields_of(error).items()
        ],
        bases=[
            base.repository_id
            for base in error.__mro__[1:]
            if issubclass(base, RemoteError) and base is not RemoteError
        ],
    )


def walk(
    info: msgspec.inspect.Type, seen: set[type]
) -> Iterator[msgspec.inspect.StructType | msgspec.inspect.EnumType]:
    """Yield the structs and enumerations that a type is made of, but those seen before."""
    if isinstance(info, msgspec.inspect.StructType | msgspec.inspect.EnumType):
        if info.cls in seen:
            return
        seen.add(info.cls)
        yield info
    for _, part in parts_of(info):
        yield from walk(part, seen)
