"""An installation whose OCM and DPM are killed while clients acquire, and start again."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from idl_like_interfaces.announcements import FILE_FINISHED_TOPIC, FileFinished
from idl_like_interfaces.clients import Event, EventConsumer
from idl_like_interfaces.daqif import STATUS_TOPIC, DaqStatus
from idl_like_interfaces.events import EventChannel
from nameserver.client import Names
from tests.support.installation import OBSORB, Running, start
from tests.support.nameserver import name_server
from tests.system.daq_kill_clients import Client

VICTIMS = ("ocm", "dpm")
_OTHERS = ("events", "cam1", "cam2", "host1")
READY_S = 180.0
"""Generous: what starts shares the machine with whatever else runs."""

KINDS = ("auto", "stopped", "metadata", "files")

INSTALLATION = """
[installation]
name = "killed"
data_root = "data"

[name_server]
address = "localhost:0"

[component.events]
kind = "events"

[component.dpm]
kind = "dpm"
limits_daq = 0
limits_merge = 2

[component.ocm]
kind = "ocm"
instrument_id = "KILL"
dpm_retry_s = 0.5
autostart = true

[component.cam1]
kind = "detector"
frame_count = 2
exposure_s = 0.1
shape = [16, 16]

[component.cam2]
kind = "detector"
exposure_s = 0.1
shape = [16, 16]

[component.host1]
kind = "telemetry"
"""


@dataclass(frozen=True, kw_only=True)
class Kill:
    """One kill.

    Attributes:
        victims: Who was killed, at the same time.
        at: When (monotonic).
        back_at: When all of them served again.
        more: How often they were killed again while they started.
    """

    victims: tuple[str, ...]
    at: float
    back_at: float
    more: int


class Arena:
    """Processes, clients, and what was published.

    Args:
        folder: For everything.
        address: Of the name server.
        names: The same as a client.
        file: A FITS file that clients have merged.
        seed: Of the moments of the kills and of what clients do.

    Attributes:
        data: The data root.
        clients: One of each kind.
        kills: What was done.
        published: Each status as it was published, in order.
        finished: Each announcement of a file.
        deaths: Processes that ended and were not killed.
    """

    def __init__(self, folder: Path, address: str, names: Names, file: Path, seed: int) -> None:
        self._folder = folder
        self._address = address
        self._chance = random.Random(seed)
        self._processes: dict[str, Running] = {}
        self._names = names
        self._pause = threading.Event()
        self.data = folder / "data"
        self.clients = [Client(kind, names, file, seed + i) for i, kind in enumerate(KINDS)]
        self.kills: list[Kill] = []
        self.published: list[DaqStatus] = []
        self.finished: list[FileFinished] = []
        self.deaths: list[str] = []
        self._reader = threading.Thread(target=self._read, name="reader")
        self._is_over = threading.Event()

    @property
    def names(self) -> Names:
        """Where everything is found."""
        return self._names

    def begin(self) -> None:
        """Start everything; the clients begin when all serve."""
        (self._folder / "installation.toml").write_text(INSTALLATION)
        for name in (*_OTHERS, *VICTIMS):
            self._start(name)
        for name in (*_OTHERS, *VICTIMS):
            self._processes[name].await_line(f"ready {name}", READY_S)
        self._reader.start()
        for client in self.clients:
            client.start()

    def kill(self, victims: tuple[str, ...]) -> None:
        """Kill at some moment, start again, and wait until all serve."""
        self._pause.wait(self._chance.uniform(0.1, 1.5))
        at, more = time.monotonic(), 0
        self._kill_and_start(victims)
        while self._chance.random() < 0.1:
            # In the middle of a recovery, too.
            self._pause.wait(self._chance.uniform(0.2, 1.0))
            self._kill_and_start(victims)
            more += 1
        for name in victims:
            self._processes[name].await_line(f"ready {name}", READY_S)
        self.kills.append(Kill(victims=victims, at=at, back_at=time.monotonic(), more=more))

    def finish(self) -> None:
        """Let the clients end what they have begun; note who has died of itself."""
        for client in self.clients:
            client.finish()
        for client in self.clients:
            client.join()
        self.deaths = [
            name for name, each in self._processes.items() if each.process.poll() is not None
        ]

    def discard(self) -> None:
        """End everything."""
        for client in self.clients:
            client.finish()
        self._is_over.set()
        for client in self.clients:
            if client.ident is not None:
                client.join()
        if self._reader.ident is not None:
            self._reader.join()
        for running in reversed(self._processes.values()):
            running.end()

    def _kill_and_start(self, victims: tuple[str, ...]) -> None:
        for name in victims:
            self._processes[name].process.kill()
        for name in victims:
            self._processes[name].end()
            self._start(name)

    def _start(self, name: str) -> None:
        file = str(self._folder / "installation.toml")
        command = (str(OBSORB), "serve", file, name, "--names", self._address)
        self._processes[name] = start(*command, cwd=self._folder)

    def _read(self) -> None:
        channel = self._names.narrow("obs/events", EventChannel)
        topics = [STATUS_TOPIC, FILE_FINISHED_TOPIC]
        with EventConsumer(channel, topics, name="judge", cursor="oldest") as consumer:
            while not self._is_over.is_set():
                for item in consumer.read(0.2):
                    if not isinstance(item, Event):
                        continue
                    if item.topic == STATUS_TOPIC:
                        self.published.append(item.as_(DaqStatus))
                    else:
                        self.finished.append(item.as_(FileFinished))


@contextmanager
def arena(folder: Path, file: Path, seed: int) -> Iterator[Arena]:
    """Start everything; end it at the end."""
    with name_server("--port", "0") as server, Names((server.host, server.port)) as names:
        ready = Arena(folder, f"{server.host}:{server.port}", names, file, seed)
        try:
            ready.begin()
            yield ready
        finally:
            ready.discard()
