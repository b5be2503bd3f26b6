"""The name service: look-ups beside a bare call, durable binds beside SQLite, many names."""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.calls_count import seconds
from benchmarks.counts import FULL, QUICK, Counts
from benchmarks.figures import Figure, Goal, Measure, alternate, figure
from benchmarks.naming_count import names_of
from benchmarks.programs import Child, Program

RESOLVE_GOAL = Goal(of=Measure.RATIO, at_least=0.75)

TOGETHER = 1000
"""Names that are resolved in one call."""

_GROUP = "naming"
_HELLO = "name server: "
_MODES = {"kill": "NORMAL", "power": "FULL"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """A name server's client, and the folder of its store."""

    client: Child
    folder: Path


@contextmanager
def _name_server(*options: str) -> Iterator[_Side]:
    """Run a name server with an empty store, and a client in a process of its own."""
    program = str(Path(sys.executable).with_name("obsorb-nameserver"))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="obsorb-names-")))
        command = [program, "--port", "0", "--log-level", "error", *options]
        server = stack.enter_context(Program(command, cwd=folder))
        address = server.await_line(_HELLO).removeprefix(_HELLO)
        client = stack.enter_context(Child("benchmarks.naming_obsorb:Client", address))
        client.do("make_contexts")
        yield _Side(client=client, folder=folder)


def measure(quick: bool) -> dict[str, Any]:  # noqa: FBT001 (the form that a runner calls)
    """Measure everything here and return plain values, by the name of the figure."""
    figures = measure_naming(QUICK if quick else FULL)
    return {each.name: msgspec.to_builtins(each) for each in figures}


def measure_naming(counts: Counts) -> list[Figure]:
    """Measure look-ups, durable binds, and a name server with many names."""
    return [*_measure_names(counts), *(_binds(mode, counts) for mode in _MODES)]


def _measure_names(counts: Counts) -> list[Figure]:
    with (
        _name_server("--store", "names.db", "--durable", "kill") as side,
        Child("benchmarks.naming_bare:Server", str(counts.names)) as bare_server,
        Child("benchmarks.naming_bare:Client", bare_server.hello) as bare,
    ):
        bind_s = side.client.do("bind_all", count=counts.names)
        return [
            *_resolves(side.client, bare, counts),
            figure(_GROUP, f"bind {counts.names} names", "s", [bind_s], note="--durable kill"),
            _whole(side.client, "list_all", "list", counts),
            _whole(side.client, "snapshot", "snapshot of", counts),
        ]


def _resolves(ours: Child, bare: Child, counts: Counts) -> list[Figure]:
    together = min(TOGETHER, counts.names)
    sides: list[Callable[[], float]] = [
        lambda: counts.calls / float(ours.do("resolve", count=counts.calls)),
        lambda: counts.calls / float(bare.do("resolve", count=counts.calls)),
        lambda: together / float(ours.do("resolve_many", count=together)),
    ]
    alternate(1, sides)
    one, theirs, many = alternate(counts.rounds, sides)
    peer = "bare Pyro5, msgpack, same answer"
    return [
        figure(_GROUP, "resolve", "1/s", one, peer=peer, theirs=theirs, goal=RESOLVE_GOAL),
        figure(
            _GROUP, f"resolve_many of {together} names", "names/s", many,
            peer="obsorb, one by one", theirs=one,
        ),
    ]  # fmt: skip


def _whole(client: Child, what: str, name: str, counts: Counts) -> Figure:
    values = [1e3 * float(client.do(what, count=counts.names)) for _ in range(counts.rounds)]
    return figure(_GROUP, f"{name} {counts.names} names", "ms", values)


def _binds(mode: str, counts: Counts) -> Figure:
    """Measure binds that are acknowledged when they survive, beside commits of SQLite alone."""
    with _name_server("--store", "names.db", "--durable", mode) as side:
        sides: list[Callable[[], float]] = [
            lambda: counts.binds / float(side.client.do("bind_more", count=counts.binds)),
            lambda: counts.binds / _commits_s(side.folder / "bare.db", mode, counts.binds),
        ]
        alternate(1, sides)
        ours, bare = alternate(counts.bind_rounds, sides)
    survives = "kill -9" if mode == "kill" else "loss of power"
    return figure(
        _GROUP, f"binds that survive {survives}", "1/s", ours,
        peer=f"SQLite alone, {_MODES[mode].lower()}", theirs=bare,
    )  # fmt: skip


def _commits_s(path: Path, mode: str, count: int) -> float:
    """Return how long as many rows take in this process, each in a transaction of its own."""
    path.unlink(missing_ok=True)
    db = sqlite3.connect(path, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA synchronous = {_MODES[mode]}")
        db.execute("CREATE TABLE binding (name TEXT PRIMARY KEY, uri TEXT) WITHOUT ROWID")
        names = iter(names_of(count))
        return seconds(
            lambda: db.execute("INSERT INTO binding VALUES (?, 'PYRO:a@b:1')", (next(names),)),
            count,
        )
    finally:
        db.close()
