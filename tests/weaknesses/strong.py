"""An object of ours that does what stock Pyro5 is weak in."""

from __future__ import annotations

import threading
from typing import Any, Protocol

from typing_extensions import override

from idl_like_interfaces.declare import Finite, interface, operation
from idl_like_interfaces.errors import RemoteError

PATIENCE_S = 30.0


class Refusal(RemoteError, LookupError, repository_id="IDL:test/weaknesses/Refusal:1.0"):
    """A declared error."""

    id: str


@interface("IDL:test/Strong:1.0")
class Strong(Protocol):
    """Counts, notes, waits and refuses."""

    @operation()
    def count(self) -> int:
        """Count the calls of this operation, this one included."""

    @operation(idempotent=True)
    def look(self) -> int:
        """Return the count."""

    @operation(oneway=True)
    def note(self, number: int) -> None:
        """Note a number; the first waits until the gate is open."""

    @operation(idempotent=True)
    def size(self, text: str) -> int:
        """Return how long a text is."""

    @operation()
    def stay(self) -> None:
        """Return when the gate is open."""

    @operation(Refusal)
    def refuse(self, id: str) -> None:
        """Refuse.

        Raises:
            Refusal: Always.
        """

    @operation(idempotent=True)
    def number(self) -> Finite:
        """Return a number."""

    @operation(idempotent=True)
    def anything(self) -> Any:
        """Return what is no plain value."""


class StrongServant(Strong):
    """Implements Strong."""

    def __init__(self) -> None:
        self.counted = 0
        self.looked = 0
        self.noted: list[int] = []
        self.gate = threading.Event()
        self.staying = threading.Semaphore(0)
        self.what: Any = None

    @override
    def count(self) -> int:
        self.counted += 1
        return self.counted

    @override
    def look(self) -> int:
        self.looked += 1
        return self.counted

    @override
    def note(self, number: int) -> None:
        if not self.noted:
            self.gate.wait(PATIENCE_S)
        self.noted.append(number)

    @override
    def size(self, text: str) -> int:
        return len(text)

    @override
    def stay(self) -> None:
        self.staying.release()
        self.gate.wait(PATIENCE_S)

    @override
    def refuse(self, id: str) -> None:
        raise Refusal(f"there is no {id}", id=id, cause="a test", remedy="none")

    @override
    def number(self) -> Any:
        return self.what

    @override
    def anything(self) -> Any:
        return self.what
