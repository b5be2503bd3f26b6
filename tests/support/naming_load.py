"""A client that changes names at random and knows what must be there afterwards."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from idl_like_interfaces.errors import CommFailure, RemoteError
from idl_like_interfaces.naming import Binding, Lease, NamingContext
from tests.support.naming import Entry, Model, Refusal, entry_of

TERM_S = 600.0
_UNKNOWN = "?"
"""Id of a lease in the model of which the grant was not acknowledged."""

Change: TypeAlias = tuple[Callable[[NamingContext], None], Callable[[Model], Refusal]]
"""What is asked of the name server, and what the model says of it."""


@dataclass
class Count:
    """Counts the acknowledged changes of several clients."""

    value: int = 0

    def __post_init__(self) -> None:
        self._changed = threading.Condition()

    def add(self) -> None:
        """Note one more."""
        with self._changed:
            self.value += 1
            self._changed.notify_all()

    def wait_for(self, value: int, deadline_s: float) -> bool:
        """Wait until there are so many."""
        with self._changed:
            return self._changed.wait_for(lambda: self.value >= value, deadline_s)


class Changer:
    """Changes names in a context of its own, one after the other, until the server dies.

    Nobody else touches them, so it knows for each change what comes of it.

    Attributes:
        home: The context; also the holder of the leases.
        model: What was acknowledged.
        possible: The same with the change that was under way when the server died.
    """

    def __init__(self, home: str, seed: int) -> None:
        self.home = home
        self.model = Model()
        self.possible = self.model
        self._chance = random.Random(f"{seed} {home}")
        self._number = 0
        self._granted = ""

    def change_until_it_dies(self, names: NamingContext, count: Count) -> None:
        """Do one change after the other; return when the connection breaks."""
        while True:
            kind = self._chance.choice(_KINDS) if self.home in self.model.names else _make_home
            change, expect = kind(self)
            self.possible = Model(names=dict(self.model.names), leases=dict(self.model.leases))
            expected = expect(self.possible)
            try:
                refusal = self._refusal_of(change, names)
            except CommFailure:
                return
            assert refusal is expected, (self.home, refusal, expected)
            if _UNKNOWN in self.possible.leases:
                self.possible.leases[self._granted] = self.possible.leases.pop(_UNKNOWN)
            self.model = self.possible
            count.add()

    def adopt(self, bindings: list[Binding], leases: list[Lease]) -> None:
        """Take what a new start shows for what is acknowledged.

        Raises:
            AssertionError: Something acknowledged is missing, or half of a change is there.
        """
        names = {
            each.name: entry_of(each)
            for each in bindings
            if f"{each.name}/".startswith(f"{self.home}/")
        }
        held = {each.lease_id for each in leases if each.holder == self.home}
        allowed = [_state(each, held) for each in (self.model, self.possible)]
        assert (names, held) in allowed, f"{self.home}: {(names, held)} is none of {allowed}"
        self.model = self.possible = Model(names=names)
        for lease_id in held:
            self.model.grant(lease_id, TERM_S, 0.0)

    @staticmethod
    def _refusal_of(change: Callable[[NamingContext], None], names: NamingContext) -> Refusal:
        try:
            change(names)
        except CommFailure:
            raise
        except RemoteError as error:
            return type(error)
        return None

    def bind(self, *, replace: bool = False) -> Change:
        """Bind or rebind an object, short or long, under a lease or not."""
        name = self._name()
        self._number += 1
        entry = Entry(
            uri=f"PYRO:n{self._number}@localhost:1",
            mark="x" * self._chance.choice((0, 10, 3000)),
            lease_id=self._chance.choice(["", *self.model.leases]),
        )

        def change(names: NamingContext) -> None:
            operation = names.rebind if replace else names.bind
            operation(name, entry.uri, "", {"mark": entry.mark}, entry.lease_id)

        return change, lambda model: model.put(name, entry, replace=replace)

    def unbind(self) -> Change:
        """Unbind an object, perhaps."""
        name = self._name()
        return lambda names: names.unbind(name), lambda model: model.unbind(name)

    def make_context(self, name: str = "") -> Change:
        """Make a context."""
        name = name or self._name()
        return (
            lambda names: names.bind_new_context(name),
            lambda model: model.put(name, Entry(), replace=False),
        )

    def destroy(self) -> Change:
        """Remove a context, perhaps."""
        name = self._name()
        return lambda names: names.destroy(name), lambda model: model.destroy(name)

    def grant(self) -> Change:
        """Take a lease."""

        def change(names: NamingContext) -> None:
            self._granted = names.grant_lease(self.home, TERM_S).lease_id

        return change, lambda model: model.grant(_UNKNOWN, TERM_S, 0.0)

    def release(self) -> Change:
        """Give a lease back, and with it all names under it."""
        lease_id = self._chance.choice(["none", *self.model.leases])
        return (
            lambda names: names.release_lease(lease_id),
            lambda model: model.release(lease_id),
        )

    def _name(self) -> str:
        depth = self._chance.choice((1, 2))
        return "/".join([self.home, *self._chance.choices("abcd", k=depth)])


def _make_home(changer: Changer) -> Change:
    return changer.make_context(changer.home)


_KINDS: tuple[Callable[[Changer], Change], ...] = (
    Changer.bind,
    Changer.bind,
    lambda changer: changer.bind(replace=True),
    Changer.unbind,
    Changer.make_context,
    Changer.destroy,
    Changer.grant,
    Changer.release,
)


def _state(model: Model, held: set[str]) -> tuple[dict[str, Entry], set[str]]:
    """Return names and leases of a model; a lease of unknown id is one that is held."""
    known = set(model.leases) - {_UNKNOWN}
    unknown = held - known
    is_granted = _UNKNOWN in model.leases and len(unknown) == 1
    return model.names, known | (unknown if is_granted else set())
