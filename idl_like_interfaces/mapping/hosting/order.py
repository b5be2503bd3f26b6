"""One operation of one servant, asked for by one caller: admitted, executed, counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from idl_like_interfaces.declare import Operation
from idl_like_interfaces.errors import Internal, RemoteError, TimeIsUp
from idl_like_interfaces.mapping.context import Caller, begin_serving, end_serving
from idl_like_interfaces.mapping.hosting.access import Guard
from idl_like_interfaces.mapping.hosting.calls import SeenCalls
from idl_like_interfaces.mapping.hosting.skeleton import Skeleton, crossing
from idl_like_interfaces.waiting import Parked, allow_parking


@dataclass(slots=True)
class Asked:
    """What all operations of one message have in common; never changed.

    Attributes:
        skeleton: Of the servant that is asked.
        caller: Who asks.
        until: Moment (monotonic) from which on nobody waits for it; ``None``: never.
        arrived: When the message came (monotonic).
        guard: Decides whether the caller may; ``None``: everybody may.
        seen: The messages that came before.
    """

    skeleton: Skeleton
    caller: Caller
    until: float | None
    arrived: float
    guard: Guard | None
    seen: SeenCalls


class Order:
    """An operation that is to be executed; one thread at a time has it.

    Raises:
        BadOperation: The servant's interface does not declare it.
    """

    __slots__ = ("_asked", "_target", "operation", "tally")

    operation: Operation
    _target: Callable[..., Any]

    def __init__(self, asked: Asked, name: str) -> None:
        self._asked = asked
        self.operation, self._target = asked.skeleton.find(name)
        self.tally = asked.skeleton.book.of(name)

    @property
    def is_express(self) -> bool:
        """Tell whether it is one that every object answers at once."""
        return self._asked.skeleton.is_own(self.operation.name)

    def admit(self) -> None:
        """See that it may be executed now, for this caller.

        Raises:
            TimeIsUp: Nobody waits for it any more.
            RemoteError: The guard does not let it pass; mostly ``NoPermission``.
        """
        if self._asked.until is not None and time.monotonic() > self._asked.until:
            self.tally.drop()
            raise TimeIsUp(
                f"{self.operation.name} was not executed: its deadline passed before it began",
                cause="the object is busy with other calls",
                remedy="try again later, or give it more time",
            )
        if self._asked.guard is None:
            return
        try:
            self._asked.guard.admit(self._asked.caller, self._asked.skeleton.name, self.operation)
        except RemoteError as denied:
            self.tally.drop("denied")
            self._note(denied.repository_id)
            raise

    def run(self, args: Sequence[Any], *, may_park: bool) -> Any:
        """Execute it; say ``end_well`` when its result could be sent.

        Raises:
            Parked: It has to wait; only when it may.
            RemoteError: It has failed, in a way that may cross.
        """
        self.tally.begin(self)
        begin_serving(self._asked.until, self._asked.caller)
        if may_park:
            allow_parking(is_allowed=True)
        try:
            return self._target(*args)
        except Parked:
            raise
        # Also of SystemExit: it would end a thread that the other calls need.
        except BaseException as error:
            raise self.end_badly(error) from error
        finally:
            end_serving()
            if may_park:
                allow_parking(is_allowed=False)

    def look(self, parked: Parked[Any], *, is_last: bool) -> Any:
        """Look again for what it waits for; ``None``: there is nothing yet.

        Raises:
            RemoteError: It has failed, in a way that may cross.
        """
        begin_serving(self._asked.until, self._asked.caller)
        try:
            found = parked.look()
            return parked.otherwise() if found is None and is_last else found
        except BaseException as error:
            raise self.end_badly(error) from error
        finally:
            end_serving()

    def end_well(self) -> None:
        """Count it as executed."""
        self.tally.end(self, time.monotonic() - self._asked.arrived)
        self._note("ok")

    def end_badly(self, error: BaseException) -> RemoteError:
        """Count it as failed, and return the error that may cross."""
        crossed = crossing(error, self.operation)
        kind = "failed" if isinstance(crossed, Internal) else "refused"
        self.tally.end(self, time.monotonic() - self._asked.arrived, kind)
        self._note(crossed.repository_id)
        return crossed

    def _note(self, outcome: str) -> None:
        if self._asked.guard is not None:
            self._asked.guard.note(
                self._asked.caller, self._asked.skeleton.name, self.operation, outcome
            )
