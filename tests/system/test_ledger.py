"""The ledger over real processes that are killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest
from typing_extensions import override

from idl_like_interfaces.accounts import Ledger, Line, Verdict
from idl_like_interfaces.clients import Event, EventConsumer
from idl_like_interfaces.declare import Value
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.events import EventChannel
from nameserver.client import parse_address
from objects.component.host import ComponentHost
from objects.component.site import Component
from tests.support.eventually import eventually
from tests.support.installation import OBSORB, Running, start

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

INSTALLATION = """
[installation]
name = "tested"
data_root = "data"

[name_server]
address = "localhost:0"

[component.events]
kind = "events"
journal = ""

[component.log]
kind = "log"

[component.ledger]
kind = "ledger"
every_s = 0.5
"""


class Note(Value, frozen=True, kw_only=True):
    """A body."""

    at: int


class Viewer(Component):
    """Reads what it publishes itself, when it is told to."""

    kind: ClassVar[str] = "viewer"
    Settings: ClassVar[type[msgspec.Struct]] = msgspec.Struct

    @override
    def start(self) -> None:
        channel = self.site.narrow("obs/events", EventChannel)
        self.consumer = EventConsumer(channel, ["notes/*"], name="obs/viewer")
        self.consumer.connect()
        self.site.keeps_accounts(self.consumer.accounts)

    @override
    def stop(self) -> None:
        self.consumer.close()

    def read(self, number: int) -> None:
        """Read until so many events have come."""
        found = 0
        while found < number:
            found += sum(isinstance(each, Event) for each in self.consumer.read(20.0))

    def acknowledge(self) -> None:
        """Ask for more, as who has finished does."""
        self.consumer.read(0.0)


def killed(running: Running, part: str) -> None:
    """Kill a part of the installation and wait until it is started again."""
    line = next(each for each in reversed(running.lines) if each.startswith(f"started {part} "))
    found = re.search(r"pid (\d+)", line)
    assert found is not None
    os.kill(int(found[1]), signal.SIGKILL)
    running.await_line(f"started {part} ")


def test_a_killed_channel_is_named_with_what_it_took_along(tmp_path: Path) -> None:
    """To the event, also by a ledger that was killed itself; exit code 1 says so to scripts."""
    (tmp_path / "i.toml").write_text(INSTALLATION)
    running = start(str(OBSORB), "up", str(tmp_path / "i.toml"), cwd=tmp_path)
    try:
        names = running.await_line("name server: ")
        running.await_line("tested is up")
        with ComponentHost(
            Viewer,
            msgspec.Struct(),
            name="viewer",
            names=parse_address(names),
            data_root=tmp_path / "viewer",
        ) as host:
            _kill_and_compare(running, names, host)
    finally:
        running.end()


def _kill_and_compare(running: Running, names: str, host: ComponentHost) -> None:
    viewer, supplier = host.component, host.site.supplier
    assert isinstance(viewer, Viewer)
    ledger = host.site.narrow("obs/ledger", Ledger)

    def publish(number: int) -> None:
        for at in range(number):
            host.site.publish("notes/test", Note(at=at))
        assert supplier.flush(20)

    def lines() -> list[Line]:
        try:
            return ledger.get_balance("obs/viewer").lines
        except RemoteError:
            return []

    def wrong() -> list[tuple[str, str, Verdict, str]]:
        return [
            (each.account.hop, each.account.to, each.verdict, each.text)
            for each in lines()
            if each.verdict is not Verdict.BALANCED
        ]

    publish(30)
    viewer.read(30)
    viewer.acknowledge()
    publish(20)
    eventually(lambda: any(e.account.in_flight == 20 for e in lines()), "20 wait for the viewer")
    assert wrong() == []
    killed(running, "events")
    publish(5)
    viewer.read(5)
    eventually(wrong, "the loss is known")
    ((hop, to, verdict, text),) = wrong()
    assert (hop, to, verdict) == ("obs/events", "obs/viewer", Verdict.LOST)
    assert text.startswith("died with 20 that obs/viewer had not got (new_epoch)")
    killed(running, "ledger")
    eventually(wrong, "the ledger is back and forgot nothing")
    done = subprocess.run(
        [str(OBSORB), "--names", names, "ledger", "--source", "obs/viewer"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    assert "died with 20 that obs/viewer had not got" in done.stderr
