"""Attacks by greeted peers with well-formed calls that they should not make."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack
from typing import Any

import msgpack

from tests.hostile import wire
from tests.hostile.attack import Field, Run, attack, crowd, until_answered
from tests.hostile.wire import Peer

_NO_OBJECT = {"OBJECT_NOT_EXIST", "DaemonError", "BAD_PARAM"}


@attack(
    "replayed calls",
    does="the same call with the same id, on one and on many connections",
    answer="executed once; then refused as a duplicate",
    expects={"served", "DuplicateCall"},
)
def _replayed(field: Field, run: Run) -> None:
    call = wire.invocation(
        field.object_id, "effect", annotations=wire.mark(random.getrandbits(64), 1)
    )
    for _ in range(5):
        with Peer(field.address) as peer:
            peer.greet()
            until_answered(run, peer, call)
            until_answered(run, peer, call)


@attack(
    "forged ids",
    does="calls with ids of random other callers, numbers of 0 and of 2⁶⁴-1, deadlines of any length, "
    "marks cut short",
    answer="executed, but the memory of ids is bounded; nobody else's calls are refused for them",
    expects={"served", "DuplicateCall", "TIMEOUT"},
)
def _forged(field: Field, run: Run) -> None:
    with Peer(field.address) as peer:
        peer.greet()
        for _ in range(50):
            caller, left_ms = random.getrandbits(64), random.choice((1, 1000, 2**32 - 1))
            for number in (0, 1, 2**64 - 1):
                forged = wire.mark(caller, number, left_ms)
                until_answered(
                    run, peer, wire.invocation(field.object_id, "effect", annotations=forged)
                )
        for size in range(0, 22, 5):
            short = wire.annotation(b"OBSB", bytes([1]) * size)
            until_answered(run, peer, wire.invocation(field.object_id, "look", annotations=short))


@attack(
    "the same sequence number",
    does="many calls on one connection, all with sequence number 0 or 65535",
    answer="each is answered, with its number",
    expects={"served"},
    beside="calls",
)
def _sequence(field: Field, run: Run) -> None:
    with Peer(field.address) as peer:
        peer.greet()
        for sequence in (0, 65535) * 50:
            until_answered(run, peer, wire.invocation(field.object_id, "look", sequence=sequence))


@attack(
    "undeclared oneways",
    does="a flood of calls with the oneway flag for operations that are not declared so",
    answer="not executed; nobody is answered",
    expects={"served", "closed"},
    beside="stream",
)
def _undeclared_oneway(field: Field, run: Run) -> None:
    with Peer(field.address) as peer:
        peer.greet()
        peer.send(wire.invocation(field.object_id, "effect", flags=wire.ONEWAY) * 200)
        until_answered(run, peer, wire.invocation(field.object_id, "look"))


@attack(
    "declared oneways",
    does="a flood of calls of a oneway operation",
    answer="executed one after the other; TCP holds the sender up",
    expects={"served"},
    beside="stream",
)
def _oneway(field: Field, run: Run) -> None:
    with Peer(field.address) as peer:
        peer.greet()
        peer.send(wire.invocation(field.object_id, "tell", 1, flags=wire.ONEWAY) * 500)
        until_answered(run, peer, wire.invocation(field.object_id, "look"))


@attack(
    "batches of 100 000 calls",
    does="100 000 calls in a message, in the form of our stubs and in that of Pyro5",
    answer="refused: a batch has a most",
    expects={"BAD_PARAM", "closed"},
    beside="connects",
)
def _batch(field: Field, run: Run) -> None:
    calls = [["look", []]] * 100_000
    ours = msgpack.packb([field.object_id, "<batch>", calls, {}])
    stock = msgpack.packb([field.object_id, "<batch>", [["look", [], {}]] * 100_000, {}])
    for payload, mark in ((ours, wire.mark(random.getrandbits(64), 1)), (stock, b"")):
        with Peer(field.address) as peer:
            peer.greet()
            call = wire.message(wire.INVOKE, payload, flags=wire.BATCH, annotations=mark)
            until_answered(run, peer, call)


PRIVATE = (
    "__class__", "__init__", "__dict__", "__reduce_ex__", "__getattr__", "__setattr__", "__call__",
    "_servant", "_lock", "_effects", "_pyroId", "_pyroDaemon", "__del__", "__subclasshook__",
    "news", "", " ", "look ", "LOOK", "l\u043eok", "look\0", "a.b", "<batch>", "x" * 100_000,
)  # fmt: skip


@attack(
    "private and unknown operations",
    does="calls of dunder and private names, of attributes, of names that look like one, of 100 000 "
    "letters; reading and setting attributes",
    answer="refused: only what the interface declares exists",
    expects={"BAD_OPERATION", "BAD_PARAM", "closed"},
)
def _private(field: Field, run: Run) -> None:
    with Peer(field.address) as peer:
        peer.greet()
        for name in PRIVATE:
            until_answered(run, peer, wire.invocation(field.object_id, name))
            until_answered(run, peer, wire.invocation(field.object_id, "__getattr__", name))
            until_answered(run, peer, wire.invocation(field.object_id, "__setattr__", name, 1))


ODD_IDS: tuple[Any, ...] = (
    "", " ", "x" * (1 << 20), "\0\x01\x1b[2J", "\u202eterces", "\ud800", "../../etc/passwd", "target~",
    "~", "target\n", "a" * 300 + "~" + "b" * 300, "%s%s%n", "{0.__class__}", None, 0, 1.5, True, ["target"],
    {"a": 1}, b"target",
)  # fmt: skip


@attack(
    "odd object ids",
    does="ids that are empty, of 1 MiB, with control characters, of mixed direction, half a surrogate "
    "pair, numbers, lists; in calls and in the handshake",
    answer="no such object; the log shows them escaped and shortened",
    expects=_NO_OBJECT | {"closed", "not greeted", "greeted", "BAD_OPERATION", "SerializeError"},
)
def _odd_ids(field: Field, run: Run) -> None:
    for each in ODD_IDS:
        with Peer(field.address) as peer:
            peer.greet()
            until_answered(run, peer, wire.invocation(each, "look"))
    for each in ODD_IDS[:3]:
        with Peer(field.address) as peer:
            run.note(peer.greet(each))


@attack(
    "the daemon object",
    does="every operation of Pyro5's daemon object: list of objects, info, metadata of unknown ids, "
    "items and ends of streams that do not exist",
    answer="the metadata of an object whose id the caller knows; everything else is refused",
    expects={"served", "BAD_OPERATION", "PyroError", "error"} | _NO_OBJECT,
)
def _daemon_object(field: Field, run: Run) -> None:
    calls: tuple[tuple[str, list[Any]], ...] = (
        ("ping", []), ("registered", []), ("info", []), ("get_metadata", [field.object_id]),
        ("get_metadata", ["nothing"]), ("get_metadata", [None]), ("get_next_stream_item", ["x" * 1000]),
        ("get_next_stream_item", [None]), ("close_stream", ["x"]), ("shutdown", []), ("close", []),
        ("register", [1]), ("unregister", [field.object_id]), ("resetMetadataCache", [field.object_id]),
        ("proxyFor", [field.object_id]), ("uriFor", [field.object_id]),
    )  # fmt: skip
    with Peer(field.address) as peer:
        peer.greet()
        for name, arguments in calls:
            until_answered(run, peer, wire.invocation("Pyro.Daemon", name, *arguments))


@attack(
    "odd timeouts",
    does="long-polls with a timeout of NaN, ±infinity, 1e308, -1, 10⁴⁰⁰, a text, a list; left by the peer",
    answer="refused, or parked and forgotten when the peer goes",
    expects={"BAD_PARAM", "parked", "served"},
)
def _odd_timeouts(field: Field, run: Run) -> None:
    odd: tuple[Any, ...] = (
        float("nan"), float("inf"), float("-inf"), -1, -1e-300, "1", [1], None, True, 0, -0.0, 2**63, 1e308, 1e9,
    )  # fmt: skip
    for each in odd:
        with Peer(field.address, timeout_s=0.02) as peer:
            peer.greet()
            peer.send(wire.invocation(field.object_id, "wait", each))
            answer = peer.answer()
            run.note("parked" if answer == "silence" else answer)


@attack(
    "parked for nobody",
    does="1000 long-polls of 25 s whose peers go away without a word, or are reset",
    answer="forgotten when the connection ends",
    expects={"parked", "closed"},
    beside="bursts",
)
def _parked_for_nobody(field: Field, run: Run) -> None:
    with ExitStack() as open_:
        for _ in range(50):
            for number, peer in enumerate(crowd(open_, field.address, 20, greeted=True)):
                peer.send(wire.invocation(field.object_id, "wait", 25.0))
                run.note("parked")
                if number % 2:
                    open_.callback(peer.reset)
            if run.is_over:
                break
        run.hold(0.2)


@attack(
    "half-closed",
    does="peers that close their sending side while a call runs or is parked",
    answer="a call is answered, or the connection closed; a parked one is forgotten",
    expects={"served", "closed"},
)
def _half_closed(field: Field, run: Run) -> None:
    for call in (
        wire.invocation(field.object_id, "look"),
        wire.invocation(field.object_id, "wait", 20.0),
        wire.invocation(field.object_id, "look")[:30],
    ):
        with Peer(field.address) as peer:
            peer.greet()
            peer.send(call)
            peer.sock.shutdown(socket.SHUT_WR)
            run.note(peer.answer())
