"""What an attack is, and the table of all of them.

An attack is a function that does one round; an attacker's threads repeat it until they are
stopped. It says of each round how the daemon answered.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from tests.hostile.wire import Peer, greeting

BULK = 60 if os.environ.get("OBSORB_SOAK") == "1" else 12
"""Connections that send many megabytes each: sixty move a gigabyte, which on a small host
says more about its memory than about the daemon."""

Beside = Literal["quiet", "calls", "stream", "connects", "bursts", "uploads", "downloads"]


@dataclass(frozen=True, kw_only=True)
class Field:
    """Where everything is.

    Attributes:
        port: Of the daemon under attack.
        object_id: Of its object.
        tls_port: Of its other adapter, which wants certificates.
        names_port: Of a name server in the same process.
        folder: With certificates.
    """

    port: int
    object_id: str
    tls_port: int
    names_port: int
    folder: str

    @cached_property
    def address(self) -> tuple[str, int]:
        """Of the daemon."""
        return "127.0.0.1", self.port

    @cached_property
    def tls_address(self) -> tuple[str, int]:
        """Of the adapter with TLS."""
        return "127.0.0.1", self.tls_port

    @cached_property
    def names_address(self) -> tuple[str, int]:
        """Of the name server."""
        return "127.0.0.1", self.names_port

    def certificate(self, name: str) -> Path:
        """Return a PEM file."""
        return Path(self.folder) / f"{name}.pem"


class Run:
    """One attack while it goes on."""

    def __init__(self) -> None:
        self.answers: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._hot = threading.Event()

    @property
    def is_over(self) -> bool:
        """Tell whether to stop."""
        return self._over.is_set()

    def note(self, answer: str) -> None:
        """Count an answer of the daemon."""
        with self._lock:
            self.answers[answer] += 1
        self._hot.set()

    def hold(self, timeout_s: float) -> bool:
        """Stay as it is; return early, and true, when the attack is over."""
        self._hot.set()
        return self._over.wait(timeout_s)

    def wait_until_hot(self, timeout_s: float) -> None:
        """Wait until the attack has begun to bite."""
        self._hot.wait(timeout_s)

    def end(self) -> None:
        """Stop all rounds."""
        self._over.set()


Round = Callable[[Field, Run], None]


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One row of the table.

    Attributes:
        name: What it is called.
        does: What the attacker does, for the documentation.
        answer: What the daemon does, for the documentation.
        expects: The words with which that shows; at least one must be seen, no other may.
        beside: Harmless work of as many threads, beside which the latency is compared:
            nothing, calls, calls in a row without waiting, connections with a call each,
            many of them at once, long calls, long replies.
        threads: Of the attacker.
        round: One round.
    """

    name: str
    does: str
    answer: str
    expects: frozenset[str]
    beside: Beside
    threads: int
    round: Round


ATTACKS: dict[str, Attack] = {}


def attack(
    name: str,
    *,
    does: str,
    answer: str,
    expects: set[str],
    beside: Beside = "connects",
    threads: int = 1,
) -> Callable[[Round], Round]:
    """Enter a round into the table."""

    def enter(round_: Round) -> Round:
        ATTACKS[name] = Attack(
            name=name, does=does, answer=answer, expects=frozenset(expects),
            beside=beside, threads=threads, round=round_,
        )  # fmt: skip
        return round_

    return enter


def crowd(
    open_: ExitStack, address: tuple[str, int], count: int, *, greeted: bool = False
) -> list[Peer]:
    """Open new connections, which the stack closes; greeted ones all together."""
    peers = []
    for _ in range(count):
        peers.append(open_.enter_context(Peer(address)))
        if greeted:
            peers[-1].send(greeting())
    for peer in peers if greeted else ():
        peer.answer()
    return peers


def feed(run: Run, waiting: dict[Peer, memoryview]) -> None:
    """Send each peer's octets, to all of them in turn, whoever takes some."""
    run.hold(0)
    for peer in waiting:
        peer.sock.setblocking(False)
    while waiting and not run.is_over:
        is_stuck = True
        for peer, rest in list(waiting.items()):
            try:
                sent = peer.sock.send(rest[: 1 << 18])
            except BlockingIOError:
                continue
            except OSError:
                run.note("closed")
                sent = len(rest)
            is_stuck = False
            waiting[peer] = rest[sent:]
            if not waiting[peer]:
                del waiting[peer]
                peer.sock.settimeout(5)
        if is_stuck:
            run.hold(0.002)


def until_answered(run: Run, peer: Peer, octets: bytes) -> None:
    """Send something and note the answer."""
    peer.send(octets)
    run.note(peer.answer())


def repeat(attack_: Attack, field: Field, run: Run) -> None:
    """Do rounds until the end; a connection that the daemon ends is an answer, too."""
    while not run.is_over:
        try:
            attack_.round(field, run)
        except OSError:
            run.note("closed")
            # Who is refused comes again, but not faster than the machine can open sockets.
            time.sleep(0)
