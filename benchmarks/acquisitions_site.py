"""An installation for the benchmark of acquisitions: servers as an observatory has them."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.acquisitions_sources import DetectorSettings
from benchmarks.installation import OBSORB, Installation
from benchmarks.programs import Child, Program
from idl_like_interfaces.daqif import DaqState, DaqStatus, DaqSubstate, OcmDaqControl
from nameserver.client import Names, parse_addresses

WARM, COLD = "ocm", "ocm-cold"
"""Coordinators: with a merger that waits, and with one that is started for each product."""

SERVERS = {WARM: "dpm", COLD: "dpm-cold"}

_INSTALLATION = """
[installation]
name = "bench"
data_root = "data"

[name_server]
address = "localhost:0"

[component.events]
kind = "events"

[component.dpm]
kind = "dpm"

[component.dpm-cold]
kind = "dpm"
warm_mergers = 0

[component.ocm]
kind = "ocm"
instrument_id = "BENCH"
autostart = true

[component.ocm-cold]
kind = "ocm"
instrument_id = "COLD"
dpm = "obs/dpm/dpm-cold/daq"
autostart = true
"""

_DEADLINE_S = 60.0


class Place:
    """The installation that runs, and its clients.

    Attributes:
        folder: Everything of it.
        pids: Process id of each part.
    """

    def __init__(self, folder: Path, running: Installation, stack: ExitStack) -> None:
        self.folder = folder
        self.pids = running.pids
        self._where = running.names
        self._stack = stack
        self._names = Names(parse_addresses(running.names))
        stack.callback(self._names.close)
        self.receiver = folder / "receiver"
        self.receiver.mkdir()

    def ocm(self, name: str = WARM) -> OcmDaqControl:
        """Return a stub of a coordinator."""
        return self._names.narrow(f"obs/{name}/daq", OcmDaqControl, _DEADLINE_S)

    def detectors(self, name: str, settings: DetectorSettings) -> Child:
        """Start a process with detectors."""
        text = msgspec.json.encode(settings).decode()
        part = "benchmarks.acquisitions_sources:Sources"
        data = str(self.folder / "data")
        return self._stack.enter_context(Child(part, self._where, data, name, text))

    def start(self, ocm: OcmDaqControl, *sources: str) -> str:
        """Start an acquisition of some detectors; return its id."""
        specification = {
            "sources": [
                {
                    "type": "primarySource",
                    "sourceName": name,
                    "rrUri": f"obs/sources/{name}/rec",
                }
                for name in sources
            ],
            "receivers": [{"type": "olasReceiver", "path": str(self.receiver)}],
        }
        return ocm.start_daq_v2(json.dumps(specification)).id

    def complete(self, ocm: OcmDaqControl, id: str) -> DaqStatus:
        """Wait until an acquisition has its product, and that is released.

        Raises:
            TimeoutError: It has not in time.
        """
        reply = ocm.await_daq_state(id, DaqState.COMPLETED, DaqSubstate.COMPLETED, _DEADLINE_S)
        if reply.timeout:
            raise TimeoutError(f"acquisition {id} stands in {reply.status}")
        return reply.status


def at_once(count: int, action: Any, *, most: int = 16) -> None:
    """Do something for each of the first numbers, several at a time."""
    with ThreadPoolExecutor(min(count, most)) as pool:
        list(pool.map(action, range(count)))


def timed(action: Any) -> float:
    """Return how long something takes, in seconds."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


@contextmanager
def place() -> Iterator[Place]:
    """Run the installation in a scratch folder."""
    with ExitStack() as stack:
        scratch = tempfile.TemporaryDirectory(prefix="obsorb-bench-")
        folder = Path(stack.enter_context(scratch))
        file = folder / "installation.toml"
        file.write_text(_INSTALLATION, encoding="utf-8")
        began = time.monotonic()
        program = stack.enter_context(Program([OBSORB, "up", str(file)], cwd=folder))
        yield Place(folder, Installation(program, began), stack)
