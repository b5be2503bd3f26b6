"""Attacks by peers that do not shake hands, or not as expected."""

from __future__ import annotations

import os
from contextlib import ExitStack

from tests.hostile import wire
from tests.hostile.attack import Field, Run, attack, crowd, until_answered
from tests.hostile.wire import Peer


@attack(
    "silence",
    does="300 connections at once that say nothing, again and again",
    answer="the oldest half-open ones of the address make room; the rest are closed when the "
    "time for the handshake is over",
    expects={"closed"},
    beside="quiet",
)
def _silence(field: Field, run: Run) -> None:
    with ExitStack() as open_:
        peers = crowd(open_, field.address, 300)
        run.note(peers[0].until_closed())


@attack(
    "silence from many addresses",
    does="silent connections from 200 addresses, so that no single one has many",
    answer="each is closed when the time for the handshake is over",
    expects={"closed"},
    beside="quiet",
)
def _silence_of_many(field: Field, run: Run) -> None:
    with ExitStack() as open_:
        peers = [
            open_.enter_context(Peer(field.address, source=f"127.0.1.{number}"))
            for number in range(1, 201)
        ]
        run.note(peers[0].until_closed())


@attack(
    "drip",
    does="a proper handshake, one byte each 50 ms, on 30 connections",
    answer="closed when the time for the handshake is over, however much has come",
    expects={"closed"},
    beside="quiet",
)
def _drip(field: Field, run: Run) -> None:
    with ExitStack() as open_:
        peers = crowd(open_, field.address, 30)
        for octet in wire.greeting():
            for peer in peers:
                peer.send(bytes([octet]))
            if run.hold(0.05):
                break
        run.note(peers[0].until_closed())


def _say(field: Field, run: Run, octets: bytes) -> None:
    with Peer(field.address) as peer:
        peer.send(octets)
        run.note(peer.until_closed())


@attack(
    "garbage",
    does="random bytes instead of a handshake",
    answer="closed at the first 40 bytes",
    expects={"closed"},
)
def _garbage(field: Field, run: Run) -> None:
    _say(field, run, os.urandom(2000))


@attack(
    "another protocol",
    does="a request of HTTP, a hello of TLS to the port without, a greeting of ssh",
    answer="closed at the first 40 bytes",
    expects={"closed"},
)
def _another_protocol(field: Field, run: Run) -> None:
    hello = b"\x16\x03\x01\x00\xf4\x01\x00\x00\xf0\x03\x03" + bytes(200)
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n"
    for octets in (hello, request, b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n" + bytes(20)):
        _say(field, run, octets)


@attack(
    "a header of 4 GiB",
    does="a handshake whose header announces 4 GiB, or 8 GiB with its annotations",
    answer="closed; nothing is read or set aside",
    expects={"closed", "not greeted"},
)
def _huge_header(field: Field, run: Run) -> None:
    most = 2**32 - 1
    for more in (0, most):
        octets = wire.message(wire.CONNECT, data_size=most, annotations_size=more)
        _say(field, run, octets + bytes(1000))


@attack(
    "a handshake in another serializer",
    does="a handshake in marshal, json, an unknown serializer; compressed; as a blob",
    answer="not greeted; nothing of it is decoded",
    expects={"not greeted", "closed"},
)
def _other_serializer(field: Field, run: Run) -> None:
    for serializer in (wire.MARSHAL, wire.JSON, 0, 5, 255):
        with Peer(field.address) as peer:
            until_answered(run, peer, wire.message(wire.CONNECT, b"[" * 500, serializer=serializer))
    for flags in (wire.COMPRESSED, wire.KEEP_SERIALIZED):
        with Peer(field.address) as peer:
            until_answered(run, peer, wire.message(wire.CONNECT, b"x" * 500, flags=flags))


@attack(
    "a call before the handshake",
    does="a call, a reply, a ping and unknown kinds of messages on a fresh connection",
    answer="closed without being executed",
    expects={"closed", "not greeted"},
)
def _no_handshake(field: Field, run: Run) -> None:
    call = wire.invocation(field.object_id, "effect")
    for octets in (call, *(wire.message(kind, b"x" * 20) for kind in (0, 2, 5, 6, 255))):
        with Peer(field.address) as peer:
            until_answered(run, peer, octets)


@attack(
    "a handshake of odd content",
    does="a handshake whose payload is a number, a list, a dict without object, deeply nested",
    answer="not greeted",
    expects={"not greeted", "closed", "greeted"},
)
def _odd_handshake(field: Field, run: Run) -> None:
    for payload in (
        b"\x05",
        b"\x90",
        b"\x80",
        b"\xc1",
        b"",
        b"\x91" * 60_000,
        b"\x81\xa6object\x05",
    ):
        with Peer(field.address) as peer:
            until_answered(run, peer, wire.message(wire.CONNECT, payload))


@attack(
    "bad annotations",
    does="annotations longer than their space, of negative rest, overlapping, not ASCII, a million "
    "empty ones; before and after the handshake",
    answer="closed, or answered when they add up",
    expects={"closed", "not greeted", "served", "BAD_PARAM", "greeted"},
)
def _bad_annotations(field: Field, run: Run) -> None:
    wrong = (
        wire.annotation(b"OBSB", b"1234", 2**32 - 1),
        wire.annotation(b"OBSB", b"1234", 5),
        wire.annotation(b"\xff\xfe\xfd\xfc", b"1234"),
        b"OBS",
        wire.mark(1, 1) * 3 + b"\0",
        wire.annotation(b"OBSB", b""),
        wire.annotation(b"OCTS", b"\xff" * 100),
        b"".join(wire.annotation(b"AAAA", b"") for _ in range(5000)),
    )
    for each in wrong:
        with Peer(field.address) as peer:
            until_answered(run, peer, wire.message(wire.CONNECT, b"\x80", annotations=each))
        with Peer(field.address) as peer:
            peer.greet()
            call = wire.invocation(field.object_id, "look", annotations=each)
            until_answered(run, peer, call)


@attack(
    "thousands of connections",
    does="as many connections as the process may open, all greeted, all idle",
    answer="taken up to the limit; then the one that was idle for longest makes room",
    expects={"greeted", "closed"},
    beside="bursts",
)
def _thousands(field: Field, run: Run) -> None:
    with ExitStack() as open_:
        while not run.is_over:
            peers = crowd(open_, field.address, 20)
            for peer in peers:
                peer.send(wire.greeting())
            for peer in peers:
                run.note(peer.answer())


@attack(
    "connect and reset",
    does="connections that are reset at once, in the handshake, or with a call on its way",
    answer="forgotten",
    expects={"reset"},
    threads=2,
    beside="bursts",
)
def _reset(field: Field, run: Run) -> None:
    greeting = wire.greeting()
    call = wire.invocation(field.object_id, "look")
    for octets in (b"", greeting[:30], greeting, greeting + call, greeting + call * 20):
        peer = Peer(field.address)
        peer.send(octets)
        peer.reset()
        run.note("reset")
