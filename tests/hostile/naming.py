"""Attacks on the name server, by its own interface and by Pyro5's."""

from __future__ import annotations

from typing import Any

from idl_like_interfaces.naming import OBJECT_ID
from tests.hostile import wire
from tests.hostile.attack import Field, Run, attack, until_answered
from tests.hostile.wire import Peer

STOCK_ID = "Pyro.NameServer"

ODD_NAMES: tuple[Any, ...] = (
    "", "/", "//", ".", "..", "../..", "a/../b", "/a", "a/", "a" * (1 << 20), "a/" * 5000 + "a", "\0", "\x1b[2J",
    "\u202eb/a", "\ud800", "a\nb", " ", "%", "_", "a'; DROP TABLE names; --", "\\", "é", "e\u0301", None, 0, [], {},
)  # fmt: skip

URI = "PYRO:x@localhost:1"

_ANSWERS = {
    "served", "BAD_PARAM", "InvalidName", "NotFound", "AlreadyBound", "NamingError", "BAD_OPERATION",
    "NotEmpty", "closed", "error", "SerializeError", "PyroError", "NO_RESOURCES",
}  # fmt: skip


@attack(
    "odd names",
    does="names that are empty, of 1 MiB, of 5000 parts, with control characters, of mixed direction, "
    "with half a surrogate pair, with SQL; bound, resolved, listed and removed",
    answer="refused, or bound as what they are and unbound again",
    expects=_ANSWERS,
)
def _odd_names(field: Field, run: Run) -> None:
    with Peer(field.names_address) as peer:
        peer.greet()
        for name in ODD_NAMES:
            for operation, *arguments in (
                ("bind", name, URI), ("resolve", name), ("list", name), ("unbind", name),
                ("bind_new_context", name), ("destroy", name),
            ):  # fmt: skip
                try:
                    until_answered(run, peer, wire.invocation(OBJECT_ID, operation, *arguments))
                except UnicodeEncodeError:
                    continue


@attack(
    "odd names in Pyro5's terms",
    does="the same names, and tags of every kind, through Pyro5's own name server interface",
    answer="refused as naming errors, or bound as what they are and removed again",
    expects=_ANSWERS,
)
def _odd_stock_names(field: Field, run: Run) -> None:
    for name in ODD_NAMES:
        with Peer(field.names_address) as peer:
            peer.greet(STOCK_ID)
            for operation, *arguments in (
                ("register", name, URI, False, ["a=b", "\0", ""]), ("lookup", name), ("remove", name),
                ("register", "plain", name), ("set_metadata", "plain", [name]), ("remove", "plain"),
            ):  # fmt: skip
                until_answered(run, peer, wire.invocation(STOCK_ID, operation, *arguments))


@attack(
    "patterns that never end",
    does="regular expressions that take years to match, of eight peers at once",
    answer="matched in a process of their own, which is ended; who comes meanwhile is refused",
    expects={"NamingError", "silence", "closed"},
    beside="connects",
    threads=8,
)
def _patterns(field: Field, run: Run) -> None:
    with Peer(field.names_address, timeout_s=0.5) as peer:
        peer.greet(STOCK_ID)
        peer.send(wire.invocation(STOCK_ID, "register", "a" * 60, URI))
        peer.answer()
        while not run.is_over:
            until_answered(run, peer, wire.invocation(STOCK_ID, "list", None, "(a|a)+$x"))
            run.hold(0.05)
