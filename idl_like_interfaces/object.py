"""What every object answers, whatever else it implements (CORBA's ``Object``)."""

from __future__ import annotations

from typing import Protocol

from idl_like_interfaces.declare import Role, Seconds, UtcTime, Value, interface, operation
from idl_like_interfaces.description import InterfaceDescription


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


class OperationStatistics(Value, frozen=True, kw_only=True):
    """What became of the calls of one operation since the object was activated.

    Attributes:
        name: The operation.
        calls: Calls that were executed to their end, well or not.
        refused: Of these, ended by a declared or a system error.
        failed: Of these, ended by ``INTERNAL``: a bug.
        dropped: Not executed: out of time, sent twice, or too many.
        denied: Not executed: the caller's role does not allow it.
        in_progress: Being executed or waiting (long-polls) now.
        total_s: Time from the request to the reply of all calls, seconds.
        counts: Calls by that time: ``counts[i]`` took at most ``bounds_s[i]``, the
            last one longer than all bounds.
    """

    name: str
    calls: int
    refused: int
    failed: int
    dropped: int
    denied: int
    in_progress: int
    total_s: Seconds
    counts: list[int]


class Statistics(Value, frozen=True, kw_only=True):
    """What became of the calls of an object.

    Attributes:
        since: When the object was activated.
        bounds_s: Upper bounds of the histograms, seconds, rising.
        operations: Those that were called at least once, sorted by name.
    """

    since: UtcTime
    bounds_s: list[Seconds]
    operations: list[OperationStatistics]


@interface("IDL:obsorb/Object:1.1")
class Object(Protocol):
    """The operations that the mapping adds to every object."""

    @operation(idempotent=True)
    def is_a(self, repository_id: str, digest: str = "") -> bool:
        """Tell whether the object implements an interface.

        Args:
            repository_id: With or without its version. With one, the object's
                version must have the same major and must not have an older minor.
            digest: Of the caller's declaration; when it is not empty, that of the
                object's must be the same (see ``InterfaceDescription``).

        Raises:
            BadParam: It is not a repository id.
        """

    @operation(idempotent=True)
    def get_interface(self) -> InterfaceDescription:
        """Describe the most derived interface of the object, with every signature."""

    @operation(idempotent=True)
    def ping(self) -> Identity:
        """Answer who is there: the cheapest call that proves the object alive."""

    @operation(idempotent=True, role=Role.OBSERVER)
    def get_statistics(self) -> Statistics:
        """Return counters and latency histograms of each operation."""
