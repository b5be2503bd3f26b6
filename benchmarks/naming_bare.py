"""The processes of the peer of naming, bare Pyro5: a table of names behind one operation.

Nothing of obsorb is imported here.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import Pyro5.api

from benchmarks import calls_bare
from benchmarks.calls_count import seconds
from benchmarks.naming_count import RESOLVED, names_of


@Pyro5.api.expose
class Table:
    """The least that a name server could do."""

    def __init__(self, count: int) -> None:
        self._table = {
            name: {
                "name": name,
                "type": "object",
                "uri": f"PYRO:{name}~1@localhost:4711",
                "interface": "IDL:obsorb/recif/RecCmds:2.1",
                "metadata": {"component": "bench"},
                "lease_id": "",
                "bound_at": "2026-03-01T22:00:00.000000Z",
            }
            for name in names_of(count)
        }

    def resolve(self, name: str) -> dict[str, Any]:
        return self._table[name]


class Server(calls_bare.Server):
    """The table in a stock daemon; says its URI.

    Args:
        count: How many names there are.
    """

    def __init__(self, count: str) -> None:
        super().__init__(servant=Table(int(count)))


class Client(ExitStack):
    """Asks through a stock proxy with the serializer of our stubs."""

    hello = ""

    def __init__(self, uri: str) -> None:
        super().__init__()
        self._table = self.enter_context(Pyro5.api.Proxy(uri))
        self._table._pyroSerializer = "msgpack"  # noqa: SLF001 (Pyro5's own names)

    def resolve(self, count: int) -> float:
        resolve = self._table.resolve
        return seconds(lambda: resolve(RESOLVED), count)
