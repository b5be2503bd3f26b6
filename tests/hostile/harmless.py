"""What ordinary clients do: the work beside which an attack is compared."""

from __future__ import annotations

import select
from collections.abc import Callable
from contextlib import ExitStack

from tests.hostile import wire
from tests.hostile.attack import BULK, Attack, Beside, Field, Run, crowd, feed
from tests.hostile.target import LARGEST_REPLY
from tests.hostile.wire import Peer


def _quiet(field: Field, run: Run) -> None:
    run.hold(1.0)


def _calls(field: Field, run: Run) -> None:
    with Peer(field.address) as peer:
        peer.greet()
        while not run.is_over:
            peer.send(wire.invocation(field.object_id, "look"))
            run.note(peer.answer())


def _stream(field: Field, run: Run) -> None:
    calls = wire.invocation(field.object_id, "look") * 100
    with Peer(field.address) as peer:
        peer.greet()
        while not run.is_over:
            peer.send(calls)
            for _ in range(100):
                run.note(peer.answer())


def _bursts(field: Field, run: Run) -> None:
    octets = wire.greeting() + wire.invocation(field.object_id, "look")
    with ExitStack() as open_:
        peers = crowd(open_, field.address, 20)
        for peer in peers:
            peer.send(octets)
        for peer in peers:
            peer.answer()
            run.note(peer.answer())


def _connects(field: Field, run: Run) -> None:
    with Peer(field.address) as peer:
        peer.greet()
        peer.send(wire.invocation(field.object_id, "look"))
        run.note(peer.answer())


def _uploads(field: Field, run: Run) -> None:
    """Peers send 16 MiB each, all of it."""
    run.hold(0)
    ballast = wire.annotation(b"BULK", bytes((16 << 20) - 1000))
    call = wire.invocation(field.object_id, "look", annotations=ballast)
    with ExitStack() as open_:
        peers = crowd(open_, field.address, BULK, greeted=True)
        feed(run, {peer: memoryview(call) for peer in peers})
        for peer in peers:
            run.note(peer.answer())
            if run.is_over:
                break


def _downloads(field: Field, run: Run) -> None:
    """Twenty peers ask for 8 MiB each, and read it."""
    with ExitStack() as open_:
        peers = crowd(open_, field.address, 20, greeted=True)
        for peer in peers:
            peer.send(wire.invocation(field.object_id, "fill", LARGEST_REPLY))
            run.note("asked")
        left = dict.fromkeys(peers, LARGEST_REPLY)
        while left and not run.is_over:
            ready, _, _ = select.select([peer.sock for peer in left], [], [], 0.1)
            for peer in [each for each in left if each.sock in ready]:
                left[peer] -= len(peer.sock.recv(1 << 20)) or LARGEST_REPLY
                if left[peer] <= 0:
                    del left[peer]


def _work(
    name: str, beside: Beside, round_: Callable[[Field, Run], None]
) -> Callable[[int], Attack]:
    def make(threads: int) -> Attack:
        return Attack(
            name=name, does="", answer="", expects=frozenset(), beside=beside, threads=threads,
            round=round_,
        )  # fmt: skip

    return make


HARMLESS: dict[str, Callable[[int], Attack]] = {
    "quiet": _work("nothing", "quiet", _quiet),
    "calls": _work("calls", "calls", _calls),
    "stream": _work("calls in a row", "stream", _stream),
    "bursts": _work("many connections at once", "bursts", _bursts),
    "uploads": _work("long calls", "uploads", _uploads),
    "downloads": _work("long replies", "downloads", _downloads),
    "connects": _work("connections with one call each", "connects", _connects),
}
