"""Attacks by peers that take their replies slowly, or not at all."""

from __future__ import annotations

import socket
from contextlib import ExitStack

from tests.hostile import wire
from tests.hostile.attack import Field, Run, attack, crowd
from tests.hostile.wire import Peer

_LARGE = 8 << 20


def _with_small_buffer(peer: Peer) -> None:
    peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)


@attack(
    "large replies that nobody reads",
    does="20 peers at a time that ask for 8 MiB each and read nothing",
    answer="no worker waits for them; closed when the time for a reply is over; the memory for "
    "replies is bounded",
    expects={"unread"},
    beside="downloads",
)
def _unread(field: Field, run: Run) -> None:
    with ExitStack() as open_:
        for peer in crowd(open_, field.address, 20, greeted=True):
            _with_small_buffer(peer)
            peer.send(wire.invocation(field.object_id, "fill", _LARGE))
            run.note("unread")
        run.hold(1.0)


@attack(
    "slow readers",
    does="80 peers that ask for 1 MiB each and read a hundred bytes at a time",
    answer="no worker waits for them; closed when the time for a reply is over",
    expects={"closed"},
    beside="connects",
)
def _slow(field: Field, run: Run) -> None:
    with ExitStack() as open_:
        peers = crowd(open_, field.address, 80, greeted=True)
        for peer in peers:
            _with_small_buffer(peer)
            peer.send(wire.invocation(field.object_id, "fill", 1 << 20))
        while peers and not run.hold(0.02):
            for peer in list(peers):
                try:
                    is_open = bool(peer.sock.recv(100))
                except OSError:
                    is_open = False
                if not is_open:
                    run.note("closed")
                    peers.remove(peer)
        run.note("closed")


@attack(
    "pipelined calls",
    does="peers that send calls without end and read no reply",
    answer="their next call waits until the last reply is taken; closed when the time is over",
    expects={"held up", "closed"},
    beside="stream",
    threads=2,
)
def _pipelined(field: Field, run: Run) -> None:
    calls = wire.invocation(field.object_id, "look") * 100
    with Peer(field.address, timeout_s=0.2) as peer:
        peer.greet()
        while not run.is_over:
            try:
                peer.send(calls)
            except TimeoutError:
                run.note("held up")
                run.hold(0.2)
            except OSError:
                run.note("closed")
                return


@attack(
    "pings",
    does="a flood of Pyro5's pings, each with 100 kB, and second handshakes",
    answer="answered one after the other, or closed",
    expects={"pong", "closed", "greeted", "not greeted"},
    beside="calls",
)
def _pings(field: Field, run: Run) -> None:
    with Peer(field.address) as peer:
        peer.greet()
        for _ in range(20):
            peer.send(wire.message(wire.PING, bytes(100_000)))
            run.note(peer.answer())
        peer.send(wire.greeting())
        run.note(peer.answer())
