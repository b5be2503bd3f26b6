"""A stub refuses an object that does not fit, with the reason, and asks once when it fits."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

import pytest

from idl_like_interfaces.declare import interface, operation
from idl_like_interfaces.errors import InterfaceMismatch
from idl_like_interfaces.mapping import ObjectAdapter, aio, aio_release, narrow, release
from idl_like_interfaces.object import Object


@interface("IDL:test/mismatch/Lamp:1.1")
class Lamp(Protocol):
    """What the object offers."""

    @operation()
    def light(self, level: int, colour: str = "white") -> int:
        """Give light."""

    @operation(idempotent=True)
    def get_level(self) -> int:
        """Return how bright it is."""


class Old:
    """The declarations of clients, by what is wrong with them."""

    @interface("IDL:test/mismatch/Lamp:1.0")
    class MinorOlder(Protocol):
        """The release before: one parameter and one operation less."""

        @operation()
        def light(self, level: int) -> int:
            """Give light."""

    @interface("IDL:test/mismatch/Lamp:1.1")
    class Silent(Protocol):
        """Of the same version, and different."""

        @operation()
        def light(self, level: str, colour: str = "white") -> int:
            """Give light."""

        @operation(idempotent=True)
        def get_level(self) -> int:
            """Return how bright it is."""

    @interface("IDL:test/mismatch/Lamp:1.2")
    class Newer(Protocol):
        """Of the release after."""

        @operation()
        def light(self, level: int, colour: str = "white") -> int:
            """Give light."""

        @operation()
        def blink(self) -> None:
            """Give light and none in turn."""

    @interface("IDL:test/mismatch/Fan:1.0")
    class Fan(Protocol):
        """Something else."""

        @operation()
        def light(self, level: int) -> int:
            """Not what it does."""


class LampServant:
    """Remembers nothing."""

    def light(self, level: int, colour: str) -> int:
        return level

    def get_level(self) -> int:
        return 0


def questions(uri: str) -> dict[str, int]:
    """Return how often an object was asked what."""
    stub = narrow(uri, Object)
    found = {each.name: each.calls for each in stub.get_statistics().operations}
    release(stub)
    return found


@pytest.mark.parametrize(
    ("wanted", "asked"),
    [
        (Lamp, {"is_a": 1, "light": 2}),
        (Old.MinorOlder, {"is_a": 1, "get_interface": 1, "light": 2}),
    ],
)
def test_a_fitting_object_is_asked_before_the_first_call(
    wanted: Any, asked: dict[str, int]
) -> None:
    """One question when the declarations are the same, two for a newer minor version."""
    with ObjectAdapter() as adapter:
        uri = adapter.activate(LampServant(), Lamp, "lamp")
        stub = narrow(uri, wanted)
        assert [stub.light(3), stub.light(4)] == [3, 4]
        release(stub)
        found = questions(uri)
    assert {name: found.get(name, 0) for name in asked} == asked
    assert ("get_interface" in found) == ("get_interface" in asked)


REASONS: list[tuple[Any, str]] = [
    (Old.Silent, "light(level): str is sent where int is taken"),
    (Old.Newer, "it has the version 1.1, wanted is 1.2 or a newer 1.x: blink: the operation is"),
    (Old.Fan, "it implements IDL:test/mismatch/Lamp:1.1 instead"),
]


@pytest.mark.parametrize(("wanted", "reason"), REASONS)
def test_an_object_that_does_not_fit_is_refused_with_the_reason(wanted: Any, reason: str) -> None:
    """Also when the version promises that it fits; the operation is not called."""
    with ObjectAdapter() as adapter:
        uri = adapter.activate(LampServant(), Lamp, "lamp")
        stub = narrow(uri, wanted)
        with pytest.raises(InterfaceMismatch) as refusal:
            stub.light(3)
        release(stub)
        assert "light" not in questions(uri)
    assert reason in str(refusal.value)


def test_the_reason_is_the_same_when_awaited() -> None:
    """Calls from an event loop are checked in the same way."""

    async def call(uri: str) -> None:
        stub = narrow(uri, Old.Silent)
        try:
            await aio(stub).light("3")
        finally:
            await aio_release(stub)

    with ObjectAdapter() as adapter:
        uri = adapter.activate(LampServant(), Lamp, "lamp")
        with pytest.raises(InterfaceMismatch, match="str is sent where int is taken"):
            asyncio.run(call(uri))
