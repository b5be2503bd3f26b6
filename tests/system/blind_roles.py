"""Processes of the harness of blind time: channel, supplier, consumer, watcher of names.

Each says that its imports are done, waits for a line, begins, and says so. What it sees and
does it writes into a file of its own, each time with one write and the monotonic time, which
is the same for all processes of a machine.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from idl_like_interfaces.clients import Blindness, Event, EventConsumer, EventSupplier, Item
from idl_like_interfaces.clients.backoff import Backoff
from idl_like_interfaces.clients.watcher import NameWatcher
from idl_like_interfaces.errors import CommFailure
from idl_like_interfaces.events import EventChannel, Gap
from idl_like_interfaces.mapping import make_incarnation
from nameserver.client import Names
from tests.system.blind_taps import Line, begin_again

TOPIC = "blind/count"
_READ_S = 0.2
_GOODBYE_S = 20.0


class Tap:
    """A file of lines; what is in it survives a kill -9 of who writes."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, *lines: Line) -> None:
        """Write lines at once."""
        os.write(self._fd, b"".join(msgspec.json.encode(line) + b"\n" for line in lines))


class Role:
    """One of the programs.

    Attributes:
        names: The name service.
        given: What the harness has said: ``names`` (port), ``folder``, and what a role needs.
        is_over: The harness has closed standard input.
    """

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given
        self.folder = Path(given["folder"])
        self.names = Names(("localhost", given["names"]))
        self.is_over = threading.Event()

    def listen(self) -> None:
        """Wait in a thread for the end of standard input."""

        def wait() -> None:
            sys.stdin.read()
            self.is_over.set()

        threading.Thread(target=wait, daemon=True).start()

    def channel(self) -> EventChannel:
        """Return a stub of the channel."""
        return self.names.narrow("obs/events", EventChannel)


def channel(role: Role) -> None:
    """Serve the channel as an installation does."""
    # The others need nothing of it, and begin sooner.
    from objects.component.host import ComponentHost
    from objects.messaging.components import EventChannelComponent, EventChannelSettings

    settings = EventChannelSettings(**role.given["settings"])
    place = ("localhost", role.given["names"])
    with ComponentHost(
        EventChannelComponent, settings, name="events", names=place, data_root=role.folder
    ):
        say("up")
        role.is_over.wait()


def supplier(role: Role) -> None:
    """Publish numbers, go on where the start before ended."""
    name, period_s = role.given["name"], role.given["period_s"]
    path = role.folder / f"{name}.tap"
    number = max((line[1] for line in begin_again(path) if line[0] == "intent"), default=0)
    tap = Tap(path)
    events = EventSupplier(
        role.channel(), f"obs/{name}", make_incarnation(), spool=role.folder / "spool"
    )
    say("up")
    was_blind = False
    while not role.is_over.wait(period_s):
        number += 1
        tap.write(("intent", number))
        events.publish(TOPIC, {"number": number})
        tap.write(("published", number, time.monotonic()))
        if events.is_blind is not was_blind:
            was_blind = not was_blind
            tap.write(("blind" if was_blind else "sees", time.monotonic()))
    events.close(_GOODBYE_S)


def consumer(role: Role) -> None:
    """Read everything; keep the cursor beside what came, so that nothing comes twice."""
    name = role.given["name"]
    path = role.folder / f"{name}.tap"
    cursors = [line[1] for line in begin_again(path, last="cursor") if line[0] == "cursor"]
    tap = Tap(path)
    with EventConsumer(
        role.channel(),
        ["**"],
        name=name,
        cursor=cursors[-1] if cursors else "new",
        durable=role.given["durable"],
    ) as events:
        events.connect()
        say("up")
        while not role.is_over.wait(role.given["pause_s"]):
            items = events.read(_READ_S)
            if items:
                now = time.monotonic()
                lines = [line for item in items for line in _told(item, now)]
                tap.write(*lines, ("cursor", events.cursor))
        missing = {
            each.source: sum(drop.count for drop in each.missing) for each in events.accounts()
        }
        tap.write(("missing", missing), ("cursor", events.cursor))


def _told(item: Item, now: float) -> list[Line]:
    match item:
        case Event(topic=topic) if topic == TOPIC:
            return [("event", item.source, item.body["number"], now)]
        case Gap():
            return [("gap", item.reason.value, item.count, item.source, now)]
        case Blindness():
            return [("sees" if item.is_over else "blind", now)]
        case _:
            return []


def watcher(role: Role) -> None:
    """Watch the names; say when the name server does not answer, and when it does again."""
    tap = Tap(role.folder / f"{role.given['name']}.tap")
    names = NameWatcher(role.names.context)
    names.read(_GOODBYE_S)
    say("up")
    backoff, is_blind = Backoff(longest_s=1.0), False
    while not role.is_over.is_set():
        try:
            names.read(0.5)
        except CommFailure:
            if not is_blind:
                tap.write(("blind", time.monotonic()))
            is_blind = True
            role.is_over.wait(backoff.next_s())
        else:
            if is_blind:
                tap.write(("sees", time.monotonic()))
            is_blind = False
            backoff.reset()


def say(what: str) -> None:
    """Tell the harness."""
    sys.stdout.write(json.dumps([what, time.monotonic()]) + "\n")
    sys.stdout.flush()


ROLES: dict[str, Callable[[Role], None]] = {
    "channel": channel,
    "supplier": supplier,
    "consumer": consumer,
    "watcher": watcher,
}


def main() -> None:
    """Play a role."""
    if sys.argv[1] == "channel":
        import_module("objects.messaging.components")
        import_module("objects.component.host")
    say("ready")
    order = sys.stdin.readline()
    if not order:
        return  # never needed
    role = Role(json.loads(order))
    role.listen()
    with role.names:
        ROLES[sys.argv[1]](role)
    say("over")


if __name__ == "__main__":
    main()
