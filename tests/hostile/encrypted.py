"""Attacks on the port that wants TLS and certificates."""

from __future__ import annotations

import socket
import ssl
from contextlib import ExitStack, suppress

from tests.hostile import wire
from tests.hostile.attack import Field, Run, attack
from tests.hostile.wire import Peer


def client_context(field: Field, certificate: str) -> ssl.SSLContext:
    """Return a context that trusts everybody and shows a certificate, or none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(field.certificate(certificate))
    return context


def _try_to_enter(field: Field, run: Run, context: ssl.SSLContext) -> None:
    try:
        with Peer(field.tls_address, tls=context) as peer:
            run.note(peer.greet())
    except ssl.SSLError:
        run.note("closed")


@attack(
    "without TLS",
    does="a client without TLS, and garbage, on the port with TLS",
    answer="closed; the client of ours is told to use certificates",
    expects={"closed", "not greeted"},
)
def _plain(field: Field, run: Run) -> None:
    for octets in (wire.greeting(), bytes(range(256)) * 4, b"\x16\x03\x01\xff\xff" + bytes(300)):
        with Peer(field.tls_address) as peer:
            peer.send(octets)
            run.note(peer.answer())


@attack(
    "half a TLS handshake",
    does="50 clients that say hello in TLS and nothing more",
    answer="closed when the time for the handshake is over",
    expects={"closed"},
    beside="connects",
)
def _half_handshake(field: Field, run: Run) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    half = client_context(field, "").wrap_bio(incoming, outgoing)
    with suppress(ssl.SSLWantReadError):
        half.do_handshake()
    hello = outgoing.read()
    with ExitStack() as open_:
        peers = [open_.enter_context(Peer(field.tls_address)) for _ in range(50)]
        for peer in peers:
            peer.send(hello)
        run.note(peers[0].until_closed())
        run.hold(0.2)


@attack(
    "no certificate",
    does="a client that speaks TLS and shows no certificate",
    answer="refused in the TLS handshake",
    expects={"closed"},
)
def _no_certificate(field: Field, run: Run) -> None:
    _try_to_enter(field, run, client_context(field, ""))


@attack(
    "wrong certificates",
    does="certificates of a foreign authority, expired, not valid yet, signed by itself",
    answer="refused in the TLS handshake",
    expects={"closed"},
)
def _wrong_certificates(field: Field, run: Run) -> None:
    for name in ("foreign", "expired", "early", "own"):
        _try_to_enter(field, run, client_context(field, name))


@attack(
    "an old TLS",
    does="a client that offers TLS 1.0 and 1.1 only",
    answer="refused in the TLS handshake",
    expects={"closed"},
)
def _old(field: Field, run: Run) -> None:
    # A hello of TLS 1.0 by hand: the local library may refuse to speak it.
    hello = bytes.fromhex("16030100 2f 01 00002b 0301".replace(" ", "")) + bytes(32)
    hello += b"\0" + b"\0\x04\0\x2f\0\x35" + b"\x01\0"
    with socket.create_connection(field.tls_address, 5.0) as sock:
        sock.sendall(hello)
        received = sock.recv(100)
        # An alert, then the end.
        run.note("closed" if received[:1] in (b"", b"\x15") else "greeted")
