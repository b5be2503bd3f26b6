"""PyTango beside us: the same call, of a command; ``clients_tango.py PORT`` is the server."""

from __future__ import annotations

import sys
from typing import Any

import tango
from tango.server import Device, command, run
from typing_extensions import override

from benchmarks.latency import Call, ThreadedClients, allow_many_files

_NAME = "bench/target/1"


class Target(Device):  # type: ignore[misc]
    """The peer's object: a command takes one argument, so its two numbers come as an array."""

    @command(dtype_in=("DevLong64",), dtype_out="DevLong64")  # type: ignore[untyped-decorator]
    def add(self, numbers: Any) -> int:
        """Return the sum."""
        return int(numbers[0] + numbers[1])


class Clients(ThreadedClients):
    """Call through device proxies."""

    def __init__(self, port: str) -> None:
        super().__init__()
        self._where = f"tango://127.0.0.1:{port}/{_NAME}#dbase=no"

    @override
    def connected(self) -> Call:
        proxy = tango.DeviceProxy(self._where)
        return lambda: proxy.command_inout("add", [1, 2])


def main(port: str) -> None:
    """Serve without a data base until a signal comes."""
    allow_many_files()
    where = ["-nodb", "-dlist", _NAME, "-ORBendPoint", f"giop:tcp:127.0.0.1:{port}"]
    run((Target,), args=["Target", "bench", *where])


if __name__ == "__main__":
    main(sys.argv[1])
