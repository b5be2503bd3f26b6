"""Attacks by greeted peers whose messages are not what they seem."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable
from contextlib import ExitStack

import msgpack

from tests.hostile import wire
from tests.hostile.attack import BULK, Field, Run, attack, crowd, feed, until_answered
from tests.hostile.wire import Peer

_REFUSED = {"BAD_PARAM", "closed", "BAD_OPERATION", "ProtocolError", "SerializeError"}


def _call_each(field: Field, run: Run, requests: Iterable[bytes]) -> None:
    """Send one request after the other, on a new connection where the last was closed."""
    with ExitStack() as open_:
        peer: Peer | None = None
        for octets in requests:
            if run.is_over:
                return
            if peer is None:
                peer = open_.enter_context(Peer(field.address))
                peer.greet()
            try:
                peer.send(octets)
                answer = peer.answer()
            except OSError:
                answer = "closed"
            run.note(answer)
            if answer == "closed":
                peer = None


@attack(
    "promises",
    does="60 connections that announce 16 MiB each and send 15 KiB of them",
    answer="closed when the time for a message is over; what was announced takes no memory",
    expects={"closed"},
    beside="quiet",
)
def _promises(field: Field, run: Run) -> None:
    with ExitStack() as open_:
        peers = crowd(open_, field.address, 60, greeted=True)
        for peer in peers:
            peer.send(
                wire.message(
                    wire.INVOKE, bytes(15_000), data_size=0, annotations_size=(16 << 20) - 100
                )
            )
        run.note(peers[0].until_closed())


@attack(
    "promises that are almost kept",
    does="60 connections that send 16 MiB each, but for the last byte",
    answer="read within the bound of memory for unfinished messages; closed when the time is over",
    expects={"closed"},
    beside="uploads",
)
def _almost(field: Field, run: Run) -> None:
    body = bytes((16 << 20) - 101)
    with ExitStack() as open_:
        peers = crowd(open_, field.address, BULK, greeted=True)
        almost = memoryview(
            wire.message(wire.INVOKE, body, data_size=0, annotations_size=len(body) + 1)
        )
        feed(run, dict.fromkeys(peers, almost))
        run.note(peers[0].until_closed())


@attack(
    "more calls than can be opened",
    does="60 connections that send whole calls of 4 MiB of small values, all at the same time",
    answer="one is decoded at a time; who has no place in the line is refused, not executed",
    expects={"served", "in line", "NO_RESOURCES", "closed"},
    beside="uploads",
)
def _more_than_can_be_opened(field: Field, run: Run) -> None:
    payload = msgpack.packb([field.object_id, "anything", [[1] * ((4 << 20) - 200)], {}])
    with ExitStack() as open_:
        peers = crowd(open_, field.address, BULK, greeted=True)
        feed(run, dict.fromkeys(peers, memoryview(wire.message(wire.INVOKE, payload))))
        for peer in peers:
            peer.sock.settimeout(0.1)
        for peer in peers:
            answer = peer.answer()
            run.note("in line" if answer == "silence" else answer)
            if run.is_over:
                break


@attack(
    "a million empty lists",
    does="calls of 4 MiB of empty lists, and of empty dicts, each an octet",
    answer="refused before any is made",
    expects={"BAD_PARAM", "NO_RESOURCES"},
    beside="uploads",
)
def _empty_lists(field: Field, run: Run) -> None:
    many = 3 << 20
    head = b"\xdd" + many.to_bytes(4, "big")
    calls = [_with_argument(field.object_id, head + each * many) for each in (b"\x90", b"\x80")]
    _call_each(field, run, calls)


@attack(
    "compression bomb",
    does="60 kB of zlib that become 60 MB",
    answer="refused from the header, not inflated; the connection goes on",
    expects={"BAD_PARAM"},
)
def _bomb(field: Field, run: Run) -> None:
    payload = zlib.compress(bytes(60_000_000), 9)
    call = wire.message(wire.INVOKE, payload, flags=wire.COMPRESSED)
    _call_each(
        field, run, [call, wire.invocation(field.object_id, "effect", flags=wire.COMPRESSED)]
    )


@attack(
    "other serializers",
    does="calls in marshal, json and serializers that do not exist, also as serialized blobs",
    answer="refused from the header, not decoded",
    expects={"BAD_PARAM", "closed"},
)
def _serializers(field: Field, run: Run) -> None:
    payload = b"(\x02\x00\x00\x00" + os.urandom(200)
    _call_each(
        field,
        run,
        (wire.message(wire.INVOKE, payload, serializer=number) for number in (0, 2, 3, 5, 77, 255)),
    )
    blob = wire.invocation(field.object_id, "effect", flags=wire.KEEP_SERIALIZED)
    _call_each(field, run, [blob])


@attack(
    "huge calls",
    does="greeted peers that announce messages of 16 MiB and a byte, 1 GiB, 4 GiB; 128 KiB and a "
    "byte of serpent",
    answer="refused from the header; what cannot be passed over is closed",
    expects={"BAD_PARAM", "closed"},
)
def _huge_calls(field: Field, run: Run) -> None:
    sizes = ((16 << 20) + 1, 1 << 30, 2**32 - 1)
    _call_each(field, run, (wire.message(wire.INVOKE, data_size=size) for size in sizes))
    long_text = b"'" + b"a" * (128 << 10) + b"'"
    _call_each(field, run, [wire.message(wire.INVOKE, long_text, serializer=wire.SERPENT)])


def serpent_call(object_id: str, argument: str) -> bytes:
    """Return a call of ``anything`` in serpent, its argument any text."""
    text = f"# serpent utf-8 python3.2\n({object_id!r},'anything',({argument},),{{}})"
    return wire.message(wire.INVOKE, text.encode(), serializer=wire.SERPENT)


DEEP = ("[" * 120_000, "{" * 120_000, "(" * 120_000, "-" * 120_000 + "1", "not " * 30_000 + "1")
CHAINED = ("1" + "+1" * 60_000, "1" + "<1" * 60_000, "a" + ".a" * 60_000, "1j" + "+1j" * 30_000)
LONG = ("[" + "1," * 60_000 + "]", "[" + "[]," * 40_000 + "]", "{" + "1:1," * 30_000 + "}")


@attack(
    "deep serpent",
    does="128 KiB of `[`, `{`, `(`, `-`, `not `, and of `1+1+1…`, `1<1<1…`, `a.a.a…`",
    answer="refused; neither the stack nor the time of the process is used up",
    expects=_REFUSED,
)
def _deep_serpent(field: Field, run: Run) -> None:
    _call_each(field, run, (serpent_call(field.object_id, each) for each in DEEP + CHAINED))


@attack(
    "long serpent",
    does="128 KiB of `1,`, of `[],` and of `1:1,`",
    answer="parsed one at a time, the shortest first, with rests between them",
    expects={"served", "silence", "NO_RESOURCES"},
)
def _long_serpent(field: Field, run: Run) -> None:
    _call_each(field, run, (serpent_call(field.object_id, each) for each in LONG))


_CLASSES = ("builtins.eval", "os.system", "Pyro5.core.URI", "Pyro5.client.Proxy", "MemoryError",
            "Pyro5.errors.PyroError", "Pyro5.server.Daemon", "__import__", "float", "decimal.Decimal")  # fmt: skip


@attack(
    "class injection",
    does="dicts with `__class__`, `__exception__`, `state`, `args` and dunder names, as arguments "
    "of stock and of our own calls",
    answer="no class is looked up: they stay dicts, or are refused",
    expects={"served"} | _REFUSED,
)
def _injection(field: Field, run: Run) -> None:
    def requests() -> Iterable[bytes]:
        for name in _CLASSES:
            value = {
                "__class__": name,
                "__exception__": True,
                "args": ["x"],
                "attributes": {},
                "state": [],
            }
            yield serpent_call(field.object_id, repr(value))
            yield wire.invocation(field.object_id, "anything", value)
            yield wire.invocation(field.object_id, "anything", value, annotations=wire.mark(7, 7))
        for name in (
            "__import__('os')",
            "open('/etc/passwd').read()",
            "[].__class__",
            "f'{1}'",
            "...",
        ):
            yield serpent_call(field.object_id, name)

    _call_each(field, run, requests())


def _with_argument(object_id: str, octets: bytes) -> bytes:
    head = b"\x94" + msgpack.packb(object_id) + msgpack.packb("anything")
    return wire.message(wire.INVOKE, head + b"\x91" + octets + b"\x80")


@attack(
    "msgpack bombs",
    does="arrays, maps, texts and octets that announce 2³²-1 elements, 100 000 arrays one within "
    "the other, extension types of all numbers, invalid UTF-8, keys that are no texts",
    answer="refused; nothing is set aside for what is announced",
    expects={"served"} | _REFUSED,
)
def _msgpack_bombs(field: Field, run: Run) -> None:
    octets = [bytes([kind]) + b"\xff\xff\xff\xff" for kind in (0xDD, 0xDF, 0xDB, 0xC6, 0xC9)]
    octets += [b"\x91" * 100_000, b"\x81\xa1a" * 100_000, b"\xc1", b"\xa2\xff\xfe"]
    octets += [b"\xd4" + bytes([kind, 1]) for kind in range(256)]
    octets += [b"\xc7\x04" + bytes([kind]) + b"\xff\xff\xff\xff" for kind in range(0x30, 0x34)]
    octets += [b"\x82\x01\x02\xc0\x03", b"\x81\x90\x01", b"\x82\xa1a\x01\xa1a\x02"]
    octets.append(b"\xcb\x7f\xf8\0\0\0\0\0\0")
    _call_each(field, run, (_with_argument(field.object_id, each) for each in octets))


@attack(
    "calls of odd form",
    does="calls whose payload is no list, too short, too long, with numbers for names, keyword "
    "arguments of no text, cut anywhere",
    answer="refused",
    expects=_REFUSED | {"error", "served", "OBJECT_NOT_EXIST", "DaemonError"},
)
def _odd_calls(field: Field, run: Run) -> None:
    ok = field.object_id
    forms: list[object] = [
        None, 5, "x", [], {}, [ok], [ok, "look"], [ok, "look", []], [ok, "look", [], {}, 1],
        [ok, "look", {}, []], [ok, "look", "abc", {}], [ok, 5, [], {}], [5, "look", [], {}],
        [ok, None, [], {}], [None, None, None, None], [ok, "look", [], {1: 2}],
        [ok, "anything", [], {"value": 1, "other": 2}], [ok, "anything", [1], {"value": 1}],
        [ok, ["look"], [], {}], [[ok], "look", [], {}], [{}, {}, {}, {}],
    ]  # fmt: skip
    whole = msgpack.packb([ok, "anything", ["x" * 50], {}])
    cut = [whole[:size] for size in range(0, len(whole), 7)]
    payloads = [msgpack.packb(each) for each in forms] + cut + [whole + b"\x01"]
    _call_each(field, run, (wire.message(wire.INVOKE, each) for each in payloads))


@attack(
    "noise",
    does="proper calls with some of their bits turned",
    answer="refused, or executed where they are still proper calls",
    expects={"served", "OBJECT_NOT_EXIST", "error", "pong", "silence", "DaemonError", "not greeted"}
    | _REFUSED,
)
def _noise(field: Field, run: Run) -> None:
    with Peer(field.address, timeout_s=0.05) as peer:
        peer.greet()
        octets = bytearray(wire.invocation(field.object_id, "anything", {"a": [1, 2.5, "x"]}))
        for place in os.urandom(3):
            octets[place % len(octets)] ^= 1 << (place % 8)
        until_answered(run, peer, bytes(octets))
