"""Messages as bytes: what is packed is parsed, and what is no message is refused."""

from __future__ import annotations

import Pyro5.errors
import Pyro5.protocol
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.mapping.message import (
    HEADER_SIZE,
    Kind,
    pack,
    parse_body,
    parse_header,
    parse_short,
)

letters = st.text("ABCDEFGH", min_size=4, max_size=4).map(str.encode) | st.just(b"OBSB")


@given(
    st.integers(0, 255), st.integers(0, 255), st.integers(0, 65535), st.integers(0, 65535),
    st.binary(max_size=200), st.dictionaries(letters, st.binary(max_size=50), max_size=4),
)  # fmt: skip
def test_what_is_packed_is_parsed(
    kind: int,
    serializer: int,
    flags: int,
    sequence: int,
    payload: bytes,
    annotations: dict[bytes, bytes],
) -> None:
    """By either way of parsing."""
    packed = b"".join(pack(kind, flags, sequence, serializer, payload, list(annotations.items())))
    header = parse_header(packed)
    for message in (parse_body(header, packed[HEADER_SIZE:]), parse_short(packed)):
        assert message is not None
        found = message.header
        assert (found.kind, found.serializer) == (kind, serializer)
        assert (found.flags, found.sequence) == (flags, sequence)
        assert bytes(message.payload) == payload
        assert {k.encode(): bytes(v) for k, v in message.annotations.items()} == annotations


def test_pyro_reads_what_we_pack() -> None:
    """The form is that of Pyro5."""
    (packed,) = pack(Kind.INVOKE, 0, 7, 4, b"payload", [(b"ABCD", b"octets")])
    message = Pyro5.protocol.ReceivingMessage(packed[:HEADER_SIZE], packed[HEADER_SIZE:])
    assert (message.type, message.seq, message.serializer_id) == (Kind.INVOKE, 7, 4)
    assert bytes(message.data) == b"payload"
    assert {k: bytes(v) for k, v in message.annotations.items()} == {"ABCD": b"octets"}


@given(st.binary(max_size=80))
def test_other_octets_are_no_message(octets: bytes) -> None:
    """Neither way of parsing takes them for one."""
    if len(octets) < HEADER_SIZE:
        assert parse_short(octets) is None
    else:
        with pytest.raises(Pyro5.errors.ProtocolError):
            parse_short(octets)


def test_more_or_less_than_one_message_is_not_taken_for_one() -> None:
    """Then it has to be put together, or taken apart."""
    packed = b"".join(pack(Kind.PING, 0, 1, 4, b"ping"))
    assert parse_short(packed[:-1]) is None
    assert parse_short(packed + b"P") is None
    assert parse_short(b"") is None


@pytest.mark.parametrize("length", [0, 5, 7, 1000, 2**32 - 1])
def test_annotations_must_fill_their_space(length: int) -> None:
    """A length that is too large or too small is refused."""
    annotation = b"OBSB" + length.to_bytes(4, "big") + b"octets"
    packed = b"".join(pack(Kind.PING, 0, 1, 4, annotation + b"payload"))
    octets = packed[:12] + (7).to_bytes(4, "big") + len(annotation).to_bytes(4, "big") + packed[20:]
    with pytest.raises(Pyro5.errors.ProtocolError, match="fill the space"):
        parse_short(octets)


def test_a_long_message_is_not_copied_together() -> None:
    """Its parts are sent as they are."""
    octets = bytes(1_000_000)
    parts = pack(Kind.RESULT, 0, 1, 4, b"payload", [(b"OCTS", octets)])
    assert any(part is octets for part in parts)
