"""Writing and reading in one pass is the same as over plain values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.declare import Operation, interface_of
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.mapping.annex import Annex
from idl_like_interfaces.mapping.coding import decode_arguments, encode, to_plain
from idl_like_interfaces.mapping.packing import (
    decode_request,
    decode_result,
    encode_arguments,
    encode_reply,
    pack_plain,
    unpack_plain,
)
from idl_like_interfaces.object import Object
from idl_like_interfaces.octets import OctetBlocks, Octets
from tests.support.echo import Echo, Point, Sample, Square

ECHO = interface_of(Echo).operations
SAMPLE = Sample(
    text="ü",
    time=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    shapes=[Square(side=1.0, corners=[Point(x_axis=1)])],
    octets=Octets(b"abc"),
    blocks=OctetBlocks.of([b"d", b"ef"]),
)

plain_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["number", "real", "text", "time", "octets", "x"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


def refusal_or(call: Any, *args: Any) -> Any:
    """Return what a call returns, or field and text of its refusal."""
    try:
        return call(*args)
    except BadParam as refused:
        return refused.field, refused.message, refused.remedy


@given(st.sampled_from(["echo", "add", "anything", "wait"]), st.lists(plain_values, max_size=3))
def test_a_request_is_read_as_over_plain_values(name: str, args: list[Any]) -> None:
    """The same values, or the same refusal with the same field and text."""
    operation = ECHO[name]
    read = refusal_or(decode_request, operation, pack_plain(args), None)
    assert read == refusal_or(decode_arguments, operation, args, {}, None)


@pytest.mark.parametrize("sample", [SAMPLE, Sample()], ids=["everything", "nothing"])
def test_a_request_is_read_as_it_was_written(sample: Sample) -> None:
    """Structs, times and octets come out of the array and the annex."""
    annex = Annex()
    written = encode_arguments(ECHO["echo"], [sample], annex)
    assert decode_request(ECHO["echo"], written, annex.joined()) == [sample]


def test_what_is_written_in_one_pass_has_the_wire_form() -> None:
    """Times are text, octets stand in the annex, names are those of the wire."""
    annex, other = Annex(), Annex()
    written = encode_arguments(ECHO["echo"], [SAMPLE], annex)
    assert unpack_plain(written) == [encode(SAMPLE, other)]
    joined = annex.joined()
    assert joined is not None
    assert bytes(joined) == b"abcdef"


def test_a_reply_is_read_as_it_was_written() -> None:
    """Also one of octets."""
    payload, annex = encode_reply(ECHO["echo"], SAMPLE)
    assert decode_result(ECHO["echo"], payload, annex) == SAMPLE


def test_fields_of_a_newer_reply_are_passed_over() -> None:
    """At any depth, as over plain values."""
    plain = to_plain(Sample(shapes=[Square(side=1.0, corners=[Point(x_axis=1)])]))
    plain["new"] = 1
    plain["shapes"][0]["corners"][0]["zAxis"] = 3
    read = decode_result(ECHO["echo"], pack_plain(plain), None)
    assert read == Sample(shapes=[Square(side=1.0, corners=[Point(x_axis=1)])])


def test_a_long_integer_travels() -> None:
    """More than 64 bits take Pyro5's extension."""
    written = encode_arguments(ECHO["add"], [2**70, 1], Annex())
    assert decode_request(ECHO["add"], written, None) == [2**70, 1]


@pytest.mark.parametrize(
    "garbage",
    [b"", b"\xc1", b"\x92\x01", b"\x91\xa1\xff", b"\x91" * 5000, b"\x91\xd4\x30\x00", b"\x80"],
    ids=["empty", "no opcode", "cut", "no text", "deep", "extension", "no array"],
)
@pytest.mark.parametrize("name", ["add", "echo", "anything"])
def test_garbage_is_refused(garbage: bytes, name: str) -> None:
    """Whatever the octets are, the peer gets a refusal."""
    with pytest.raises(BadParam):
        decode_request(ECHO[name], garbage, None)


def test_the_annex_of_one_message_is_not_seen_by_the_next() -> None:
    """Octets that lie outside the own annex are refused."""
    raw = msgspec.msgpack.encode([{"octets": {"octets@": [0, 3]}}])
    (sample,) = decode_request(ECHO["echo"], raw, b"abc")
    assert sample.octets == Octets(b"abc")
    with pytest.raises(BadParam, match="outside the annex"):
        decode_request(ECHO["echo"], raw, None)


@pytest.mark.parametrize(
    "operation", interface_of(Object).operations.values(), ids=lambda o: o.name
)
def test_a_default_is_not_shared(operation: Operation) -> None:
    """Each operation that takes nothing reads an empty request."""
    if not operation.parameters:
        assert decode_request(operation, b"\x90", None) == []
