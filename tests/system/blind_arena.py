"""An installation whose processes are killed, and what its clients notice of it."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nameserver.client import Names
from tests.support.eventually import eventually
from tests.system.blind_child import BlindChild, NameServerProcess
from tests.system.blind_taps import (
    Comparison,
    Delivered,
    Published,
    Sighting,
    TapReader,
    compare,
)

DEADLINE_S = 40.0

_TICK_S = 0.02

PERIOD_S = 0.02
"""Between two events of a supplier."""

SUPPLIERS = ("s1", "s2")
CONSUMERS = {"kept": {"durable": True, "pause_s": 0.0}, "slow": {"durable": False, "pause_s": 0.04}}
CHANNEL = "channel"
WATCHER = "watcher"


@dataclass(frozen=True, kw_only=True)
class Kill:
    """What came of one kill.

    Attributes:
        victim: Who was killed.
        known_s: The longest time until a client that it concerns knew that it is blind; 0 when
            it makes nobody blind.
        whole_s: The longest time from when the victim was up again until a client had what was
            published after that, and knew that it sees.
        down_s: How long the victim was down.
        last: Who was the last to know; empty when it makes nobody blind.
        noise_s: For how long meanwhile the machine did not let a thread run that wanted to.
    """

    victim: str
    known_s: float
    whole_s: float
    down_s: float
    last: str
    noise_s: float


class Arena:
    """Name server, channel, suppliers, consumers, and a watcher of names.

    Args:
        folder: For all that they write.
        server: The name server.
        settings: Of the channel.
        seed: Of the moments of the kills.
        stalls: Knows when the machine was too busy.
    """

    def __init__(
        self,
        folder: Path,
        server: NameServerProcess,
        settings: dict[str, Any],
        seed: int,
        stalls: Stalls,
    ) -> None:
        self._folder = folder
        self._server = server
        self._settings = settings
        self._chance = random.Random(seed)
        self._children: dict[str, BlindChild] = {}
        self._spares: dict[str, BlindChild] = {}
        self.published = {name: Published() for name in SUPPLIERS}
        self.delivered = {name: Delivered() for name in CONSUMERS}
        self.watcher = Published()
        self._stalls = stalls
        self._taps = [
            *(self._tap(name, found.take) for name, found in self.published.items()),
            *(self._tap(name, found.take, "cursor") for name, found in self.delivered.items()),
            self._tap(WATCHER, self.watcher.take),
        ]

    def _tap(self, name: str, take: Callable[[Any], None], last: str = "") -> Any:
        return TapReader(self._folder / f"{name}.tap", last), take

    def look(self) -> None:
        """Read what the processes have written since the last time."""
        for reader, take in self._taps:
            for line in reader.news():
                take(tuple(line))

    def begin(self) -> None:
        """Start everything, who reads before who publishes."""
        everybody = [CHANNEL, *CONSUMERS, *SUPPLIERS, WATCHER]
        fresh = {name: BlindChild(_role_of(name), self._log(name)) for name in everybody}
        self._children.update(fresh)
        for name, child in fresh.items():
            child.begin(self._given(name))
        self._whole_at({}, time.monotonic())

    def _given(self, name: str) -> dict[str, Any]:
        given = {"names": self._server.port, "folder": str(self._folder), "name": name}
        match _role_of(name):
            case "channel":
                given["settings"] = self._settings
            case "supplier":
                given["period_s"] = PERIOD_S
            case "consumer":
                given.update(CONSUMERS[name])
            case _:
                pass
        return given

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def kill(self, victim: str) -> Kill:
        """Kill a process at some moment, start it again, and measure until all is whole."""
        self._spares[victim] = BlindChild(_role_of(victim), self._log(victim))
        _let_pass(self._chance.uniform(0.05, 0.4))
        killed_at = time.monotonic()
        self._children[victim].kill()
        known_at, last = self._known_at(self._concerned(victim), killed_at)
        _let_pass(self._chance.uniform(0.0, 0.2))
        up_at = self._spares[victim].begin(self._given(victim))
        self._children[victim] = self._spares.pop(victim)
        return Kill(
            victim=victim,
            known_s=known_at - killed_at,
            whole_s=self._whole_at(self._concerned(victim), up_at) - up_at,
            down_s=up_at - killed_at,
            last=last,
            noise_s=self._stalls.since(killed_at),
        )

    def kill_name_server(self) -> Kill:
        """The same of the name server: who watches names must know, who reads events need not."""
        _let_pass(self._chance.uniform(0.05, 0.4))
        killed_at = time.monotonic()
        self._server.kill()
        known_at, last = self._known_at({WATCHER: self.watcher}, killed_at)
        self._server.start()
        up_at = time.monotonic()
        with Names(("localhost", self._server.port)) as names:
            names.resolve("obs/events")
        found_at = time.monotonic()
        whole_at = self._whole_at({WATCHER: self.watcher}, up_at)
        return Kill(
            victim="name server",
            known_s=known_at - killed_at,
            whole_s=max(whole_at, found_at) - up_at,
            down_s=up_at - killed_at,
            last=last,
            noise_s=self._stalls.since(killed_at),
        )

    def _concerned(self, victim: str) -> dict[str, Sighting]:
        """Return who is blind without a victim: nobody without a supplier or a consumer."""
        return {**self.published, **self.delivered} if victim == CHANNEL else {}

    def _known_at(self, concerned: dict[str, Sighting], killed_at: float) -> tuple[float, str]:
        """Wait until everybody concerned says that it is blind; return when the last one did."""

        def all_know() -> bool:
            self.look()
            return all(each.first("blind", killed_at) for each in concerned.values())

        eventually(all_know, "all know that they are blind", DEADLINE_S)
        known_at = {name: each.first("blind", killed_at) for name, each in concerned.items()}
        return max([(killed_at, ""), *((at or 0.0, name) for name, at in known_at.items())])

    def _whole_at(self, concerned: dict[str, Sighting], up_at: float) -> float:
        """Wait until all have what was published after a moment, and see; return when that was."""
        self._await_published_after(up_at)
        first_new = {
            name: min(number for number, at in each.published.items() if at >= up_at)
            for name, each in self.published.items()
        }
        self._await_whole(first_new)
        came_at = [
            reader.when(f"obs/{name}", number)
            for reader in self.delivered.values()
            for name, number in first_new.items()
        ]
        return max([*came_at, *(self._seen_at(each) for each in concerned.values())])

    def _seen_at(self, client: Sighting) -> float:
        def sees() -> bool:
            self.look()
            return not client.is_blind

        eventually(sees, "a client sees again", DEADLINE_S)
        return client.moments[-1][1]

    def _await_published_after(self, moment: float) -> None:
        def all_have() -> bool:
            self.look()
            return all(each.newest_at > moment for each in self.published.values())

        eventually(all_have, "the suppliers go on publishing", DEADLINE_S)

    def _await_whole(self, numbers: dict[str, int]) -> None:
        """Wait until each consumer has those numbers, and nobody is blind."""

        def is_whole() -> bool:
            self.look()
            clients = [*self.published.values(), *self.delivered.values()]
            return not any(each.is_blind for each in clients) and all(
                reader.highest(f"obs/{name}") >= number
                for reader in self.delivered.values()
                for name, number in numbers.items()
            )

        eventually(is_whole, "all is whole again", DEADLINE_S)

    def finish(self) -> dict[str, list[Comparison]]:
        """Let the suppliers finish, then the consumers; return what each of these got."""
        for name in SUPPLIERS:
            self._children.pop(name).end()
        self.look()
        self._await_whole({name: max(each.published) for name, each in self.published.items()})
        for name in CONSUMERS:
            self._children.pop(name).end()
        self.look()
        return {
            reader: [compare(f"obs/{name}", found, got) for name, found in self.published.items()]
            for reader, got in self.delivered.items()
        }

    def discard(self) -> None:
        """End all processes."""
        for child in [*self._children.values(), *self._spares.values()]:
            child.discard()


class Stalls:
    """Notes for how long a thread that wants to run does not get to: the machine is busy."""

    def __init__(self) -> None:
        self._noted: list[tuple[float, float]] = []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        before = time.monotonic()
        while not self._is_over.wait(_TICK_S):
            now = time.monotonic()
            if now - before > 2 * _TICK_S:
                self._noted.append((now, now - before - _TICK_S))
            before = now

    def since(self, moment: float) -> float:
        """Return the sum of all that ended since a moment, seconds."""
        return sum(lasted for ended, lasted in self._noted if ended >= moment)

    def close(self) -> None:
        """End it."""
        self._is_over.set()
        self._thread.join()


def _role_of(name: str) -> str:
    if name in SUPPLIERS:
        return "supplier"
    return "consumer" if name in CONSUMERS else name


def _let_pass(seconds: float) -> None:
    """Let the moment come that chance has chosen."""
    threading.Event().wait(seconds)


@contextmanager
def arena(folder: Path, settings: dict[str, Any], seed: int) -> Iterator[Arena]:
    """Start everything; end it at the end."""
    server, stalls = NameServerProcess(folder / "names.db"), Stalls()
    try:
        ready = Arena(folder, server, settings, seed, stalls)
        try:
            ready.begin()
            yield ready
        finally:
            ready.discard()
    finally:
        server.kill()
        stalls.close()
