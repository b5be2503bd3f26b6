"""What every object answers, whatever else it implements (CORBA's ``Object``)."""

from __future__ import annotations

from typing import Protocol

from idl_like_interfaces.declare import Interface, Value, interface, operation


class InterfaceDescription(Value, frozen=True, kw_only=True):
    """What an object says about its interface.

    Attributes:
        repository_id: e.g. ``IDL:obsorb/daqif/OcmDaqControl:3.1``.
        bases: Repository ids of the interfaces that it extends.
        operations: Names of all operations, sorted, without those of ``Object``.
    """

    repository_id: str
    bases: list[str] = []
    operations: list[str] = []


class Identity(Value, frozen=True, kw_only=True):
    """Who answers.

    Attributes:
        object_id: The id under which the object is active.
        incarnation: Start of the component that owns it; differs after a restart.
        host: Host name.
        pid: Process id.
    """

    object_id: str
    incarnation: str
    host: str
    pid: int


@interface("IDL:obsorb/Object:1.0")
class Object(Protocol):
    """The operations that the mapping adds to every object."""

    @operation(idempotent=True)
    def is_a(self, repository_id: str) -> bool:
        """Tell whether the object implements an interface.

        Args:
            repository_id: With or without its version. With one, the object's
                version must have the same major and must not have an older minor.

        Raises:
            BadParam: It is not a repository id.
        """

    @operation(idempotent=True)
    def get_interface(self) -> InterfaceDescription:
        """Describe the most derived interface of the object."""

    @operation(idempotent=True)
    def ping(self) -> Identity:
        """Answer who is there: the cheapest call that proves the object alive."""


def describe(interface: Interface) -> InterfaceDescription:
    """Say as a struct what a declaration says."""
    return InterfaceDescription(
        repository_id=interface.repository_id,
        bases=[base.repository_id for base in interface.lineage[1:]],
        operations=sorted(interface.operations),
    )
