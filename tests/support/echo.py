"""An interface that uses every kind of type, and a servant that answers with what it got."""

from __future__ import annotations

import threading
from enum import StrEnum
from typing import Any, Protocol

from idl_like_interfaces.declare import (
    Document,
    Finite,
    Seconds,
    UtcTime,
    Value,
    interface,
    operation,
)
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.octets import OctetBlocks, Octets


class Colour(StrEnum):
    """An enum."""

    RED = "red"
    BLUE = "blue"


class Point(Value, frozen=True, kw_only=True, rename="camel"):
    """A struct with a renamed field."""

    x_axis: int
    y_axis: Finite = 0.0


class Circle(Document, frozen=True, kw_only=True, tag="circle"):
    """One member of a union."""

    radius: Finite


class Square(Document, frozen=True, kw_only=True, tag="square"):
    """Another."""

    side: Finite
    corners: list[Point] = []


class Sample(Value, frozen=True, kw_only=True):
    """Everything at once."""

    flag: bool = False
    number: int = 0
    real: Finite = 0.0
    text: str = ""
    colour: Colour = Colour.RED
    time: UtcTime | None = None
    shapes: list[Circle | Square] = []
    table: dict[str, Point] = {}
    octets: Octets | None = None
    blocks: OctetBlocks | None = None


class Refused(RemoteError, LookupError, repository_id="IDL:test/Refused:1.0"):
    """A declared error with fields of several types."""

    id: str
    point: Point


class Undeclared(RemoteError, repository_id="IDL:test/Undeclared:1.0"):
    """An error that the operation does not declare."""


@interface("IDL:test/Echo:1.2")
class Echo(Protocol):
    """Answers with what it gets."""

    @operation(idempotent=True)
    def echo(self, sample: Sample) -> Sample:
        """Return the sample."""

    @operation()
    def add(self, a: int, b: int = 1) -> int:
        """Return the sum."""

    @operation()
    def anything(self, value: Any) -> Any:
        """Return the value."""

    @operation(Refused)
    def refuse(self, id: str) -> None:
        """Refuse.

        Raises:
            Refused: Always.
        """

    @operation()
    def betray(self) -> None:
        """Raise what is not declared."""

    @operation()
    def fail(self) -> None:
        """Fail with a bug."""

    @operation()
    def count(self) -> int:
        """Count the calls of this operation, this one included."""

    @operation(long_poll=True)
    def wait(self, timeout_s: Seconds) -> bool:
        """Wait until somebody opens the gate; tell whether it was opened."""


class EchoServant:
    """Implements Echo."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.entered = threading.Event()
        self.counted = 0

    def echo(self, sample: Sample) -> Sample:
        return sample

    def add(self, a: int, b: int = 1) -> int:
        return a + b

    def anything(self, value: Any) -> Any:
        return value

    def refuse(self, id: str) -> None:
        raise Refused(f"no {id} here", id=id, point=Point(x_axis=1), cause="a test", remedy="none")

    def betray(self) -> None:
        raise Undeclared("secret")

    def fail(self) -> None:
        raise ZeroDivisionError("a bug")

    def count(self) -> int:
        self.counted += 1
        return self.counted

    def wait(self, timeout_s: float) -> bool:
        self.entered.set()
        return self.gate.wait(timeout_s)
