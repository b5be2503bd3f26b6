"""Calls and connections with TLS on both sides, beside those in clear and Pyro5's own TLS."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.counts import Counts
from benchmarks.figures import Figure, Goal, Measure, alternate, figure
from benchmarks.programs import Child
from benchmarks.tls_bare import AS_IT_COMES
from idl_like_interfaces.declare import Role
from idl_like_interfaces.security.authority import Authority

CALL_GOAL = Goal(of=Measure.RATIO, at_least=0.77)
CONNECT_GOAL = Goal(of=Measure.RATIO, at_least=1.0)

_NODELAY = "without delay"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """A server and its client.

    Attributes:
        title: For the table.
        parts: Module of both.
        is_secret: With certificates.
        options: Of both, behind the folder of the certificates.
    """

    title: str
    parts: str
    is_secret: bool
    options: tuple[str, ...] = ()

    def start(self, stack: ExitStack, certs: str) -> Child:
        """Start both; return the client."""
        folder = certs if self.is_secret else ""
        server = stack.enter_context(Child(f"{self.parts}:Server", folder, *self.options))
        client = Child(f"{self.parts}:Client", server.hello, folder, *self.options)
        return stack.enter_context(client)


_OURS, _BARE = "benchmarks.tls_obsorb", "benchmarks.tls_bare"
_SECRET = _Side(title="obsorb, TLS", parts=_OURS, is_secret=True)
_CLEAR = _Side(title="obsorb in clear", parts=_OURS, is_secret=False)
_PEER = _Side(title="Pyro5, TLS, no delay", parts=_BARE, is_secret=True, options=(_NODELAY,))
_STOCK = _Side(title="Pyro5, TLS, as it comes", parts=_BARE, is_secret=True, options=(AS_IT_COMES,))
_PEER_CLEAR = _Side(title="Pyro5 in clear", parts=_BARE, is_secret=False, options=(_NODELAY,))
_SIDES = (_SECRET, _CLEAR, _PEER, _STOCK, _PEER_CLEAR)

_GOALS = {"add": CALL_GOAL, "connect": CONNECT_GOAL}
_NAMES = {
    "add": ("calls with TLS", "calls in clear"),
    "connect": ("connect and call, with TLS", "connect and call, in clear"),
}


def measure_tls(counts: Counts) -> list[Figure]:
    """Measure calls, and connections that are made for one call each."""
    with ExitStack() as stack:
        certs = stack.enter_context(tempfile.TemporaryDirectory(prefix="obsorb-bench-"))
        _issue(Path(certs))
        clients = {side: side.start(stack, certs) for side in _SIDES}
        numbers = {"add": counts.tls_calls, "connect": counts.connects}
        return [
            row
            for what, number in numbers.items()
            for row in _rows(what, _rates(clients, what, number, counts.tls_rounds))
        ]


def _issue(folder: Path) -> None:
    """Make what ``obsorb certs`` makes; Pyro5 gets the same files."""
    authority = Authority.init(folder)
    authority.issue("server", role=Role.ENGINEER, hosts=["localhost", "127.0.0.1"])
    authority.issue("client", role=Role.OPERATOR)


def _rates(
    clients: dict[_Side, Child], what: str, number: int, rounds: int
) -> dict[_Side, list[float]]:
    turns = [_turn(client, what, number) for client in clients.values()]
    alternate(1, turns)
    return dict(zip(clients, alternate(rounds, turns), strict=True))


def _turn(client: Child, what: str, number: int) -> Callable[[], float]:
    return lambda: number / float(client.do(what, count=number))


def _rows(what: str, rates: dict[_Side, list[float]]) -> list[Figure]:
    secret, clear = _NAMES[what]
    goal = _GOALS[what]
    rows = [
        (secret, _SECRET, _PEER, goal),
        (secret, _SECRET, _STOCK, None),
        (secret, _SECRET, _CLEAR, None),
        (clear, _CLEAR, _PEER_CLEAR, goal),
    ]
    return [
        figure("TLS", name, "1/s", rates[ours], peer=peer.title, theirs=rates[peer], goal=bound)
        for name, ours, peer, bound in rows
    ]
