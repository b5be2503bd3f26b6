"""What hosting asks before it executes a call, and where it notes what became of it."""

from __future__ import annotations

from typing import Protocol

from idl_like_interfaces.declare import Operation
from idl_like_interfaces.mapping.context import Caller


class Guard(Protocol):
    """Decides who may call what; asked by the daemon before each call, from many threads."""

    def admit(self, caller: Caller, object_id: str, operation: Operation) -> None:
        """Let a call pass.

        Args:
            caller: Who calls.
            object_id: Without the incarnation, e.g. ``obs/ocm/daq``.
            operation: What is called.

        Raises:
            NoPermission: The caller may not.
        """

    def note(self, caller: Caller, object_id: str, operation: Operation, outcome: str) -> None:
        """Remember a call that was executed or denied.

        Args:
            caller: Who called.
            object_id: As for ``admit``.
            operation: What was called.
            outcome: ``ok``, or the repository id of the error.
        """
