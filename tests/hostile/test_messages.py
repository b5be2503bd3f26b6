"""Whatever octets come, they are a message or they are refused: nothing else is raised."""

from __future__ import annotations

from contextlib import suppress

import Pyro5.errors
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.mapping.hosting.headers import (
    Unwelcome,
    check_greeting,
    check_request,
    inflated,
)
from idl_like_interfaces.mapping.hosting.requests import read_request
from idl_like_interfaces.mapping.message import (
    HEADER_SIZE,
    Message,
    parse_body,
    parse_header,
    parse_short,
)
from tests.hostile import wire

_octets = st.binary(max_size=200)
_annotations = st.one_of(
    _octets, st.builds(wire.annotation, st.binary(min_size=4, max_size=4), st.binary(max_size=60))
)


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """Make messages with a proper beginning; all the rest is anything."""
    octet = st.integers(0, 255)
    return wire.message(
        draw(octet),
        draw(_octets),
        serializer=draw(st.one_of(st.sampled_from([wire.SERPENT, wire.MSGPACK]), octet)),
        flags=draw(st.integers(0, 0xFFFF)),
        sequence=draw(st.integers(0, 0xFFFF)),
        annotations=draw(_annotations),
    )


def _whole(octets: bytes) -> Message | None:
    """Read a message as it is read when it does not come at once."""
    header = parse_header(octets)
    body = octets[HEADER_SIZE:]
    return parse_body(header, body) if len(body) == header.size else None


@given(octets=st.one_of(messages(), _octets))
def test_both_ways_to_read_a_message_agree(octets: bytes) -> None:
    """One reads short messages at once, the other any message in its parts."""
    found: list[object] = []
    for read in (parse_short, _whole):
        try:
            message = read(octets) if len(octets) >= HEADER_SIZE else None
        except Pyro5.errors.ProtocolError:
            found.append("refused")
        else:
            found.append(
                message
                and (
                    message.header,
                    {name: bytes(each) for name, each in message.annotations.items()},
                    bytes(message.payload),
                )
            )
    assert found[0] == found[1]


@given(octets=messages())
def test_a_message_is_read_or_refused(octets: bytes) -> None:
    """From its header to the call that it holds."""
    with suppress(Pyro5.errors.ProtocolError, BadParam):
        message = _whole(octets)
        assert message is not None
        with suppress(Unwelcome):
            check_greeting(message.header)
        check_request(message.header)
        read_request(inflated(message))


_plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(plain=st.one_of(_plain, st.lists(_plain, min_size=4, max_size=4)))
def test_any_serpent_is_a_call_or_refused(plain: object) -> None:
    """Python's own notation of any value, which serpent reads."""
    octets = wire.message(wire.INVOKE, repr(plain).encode(errors="surrogatepass"), serializer=1)
    message = _whole(octets)
    assert message is not None
    with suppress(BadParam):
        read_request(message)
