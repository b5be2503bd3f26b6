"""The golden examples of the wire page are what the code sends and reads."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import Pyro5.serializers

from idl_like_interfaces.daqif import (
    DaqException,
    DaqState,
    DaqStatus,
    DaqSubstate,
    DpmControl,
    OcmDaqControl,
)
from idl_like_interfaces.declare import interface_of
from idl_like_interfaces.description import describe
from idl_like_interfaces.events import Batch, EventChannel, EventRecord
from idl_like_interfaces.mapping.annex import Annex
from idl_like_interfaces.mapping.calling.batches import BatchRequest, Outcome, read_items
from idl_like_interfaces.mapping.calling.outgoing import Request, head_of
from idl_like_interfaces.mapping.coding import decode_arguments, encode, to_plain
from idl_like_interfaces.mapping.context import CallMark
from idl_like_interfaces.mapping.packing import encode_arguments
from idl_like_interfaces.mapping.wire import revive, to_pyro_error
from idl_like_interfaces.naming import Lease, NamingContext
from idl_like_interfaces.octets import OctetBlocks, Octets
from tests.support.golden import golden, golden_text, octets_of

MSGPACK = Pyro5.serializers.serializers["msgpack"]
SERPENT = Pyro5.serializers.serializers["serpent"]


def test_a_call_is_what_pyro_writes() -> None:
    """The payload of a call is Pyro5's own, in msgpack to the byte."""
    object_id, operation, arguments, keywords = golden("call")
    written = MSGPACK.dumpsCall(object_id, operation, arguments, keywords)
    assert written == octets_of(golden_text("call-msgpack"))


def test_a_call_is_read_by_its_declaration() -> None:
    """The arguments of the golden call are those of the declared operation."""
    _, name, arguments, keywords = golden("call")
    operation = interface_of(OcmDaqControl).operations[name]
    assert decode_arguments(operation, arguments, keywords, None) == arguments


def test_a_call_of_a_stub_has_the_golden_form() -> None:
    """What a stub sends in one pass is the golden call, its mark before it."""
    object_id, name, arguments, _ = golden("call")
    request = Request(interface_of(OcmDaqControl).operations[name], arguments)
    mark = CallMark(0x0123456789ABCDEF, 7, 10_000).pack()
    message = b"".join(bytes(part) for part in request.parts(head_of(object_id), 1, mark))
    assert message.endswith(octets_of(golden_text("call-msgpack")))
    assert octets_of(golden_text("mark")) == mark
    assert mark in message


def test_many_calls_have_the_golden_form() -> None:
    """A batch of our stubs is the golden message."""
    object_id, name, calls, keywords = golden("calls")
    operations = interface_of(OcmDaqControl).operations
    annex = Annex()
    request = BatchRequest(
        [
            (operations[each], encode_arguments(operations[each], args, annex))
            for each, args in calls
        ],
        annex,
    )
    payload = MSGPACK.dumpsCall(object_id, name, calls, keywords)
    message = b"".join(bytes(part) for part in request.parts(head_of(object_id), 1, b"\x01"))
    assert message.endswith(payload)


def test_the_golden_outcomes_of_many_calls_are_read() -> None:
    """One is refused as declared, the other has its value."""
    operations = interface_of(OcmDaqControl).operations
    refused, active = (Outcome(operations[name]) for name in ("get_status", "get_active_list"))
    items = read_items(MSGPACK.dumps(golden("calls-reply")))
    for outcome, item in zip((refused, active), items, strict=True):
        outcome.settle(item, None)
    assert isinstance(refused.error, DaqException)
    assert (refused.error.id, active.get()) == ("x", [])


def test_a_struct_has_the_golden_form() -> None:
    """A status is coded with the field names of its source document."""
    status = DaqStatus(
        id="STIS.2026-01-02T03:04:05.678",
        file_id="STIS.2026-01-02T03:04:05.678",
        state=DaqState.MERGING,
        substate=DaqSubstate.RELEASING,
        timestamp=1767323045.5,
        result="/data/dpm/result/STIS.2026-01-02T03:04:05.678.fits",
    )
    assert to_plain(status) == golden("struct")


def test_an_error_has_the_golden_form() -> None:
    """An error crosses as PyroError with exactly the golden attributes, in both serializers."""
    error = DaqException("there is no acquisition 'x'", id="x", remedy="list the active ones")
    expected = golden("error")
    for serializer in (MSGPACK, SERPENT):
        crossed = serializer.loads(serializer.dumps(to_pyro_error(error)))
        assert type(crossed) is Pyro5.errors.PyroError
        assert list(crossed.args) == expected["args"]
        assert vars(crossed) == expected["attributes"]


def test_the_golden_error_revives() -> None:
    """A stub makes the declared error of the golden attributes."""
    crossed = Pyro5.errors.PyroError(*golden("error")["args"])
    vars(crossed).update(golden("error")["attributes"])
    revived = revive(crossed)
    assert isinstance(revived, DaqException)
    assert (revived.id, revived.remedy) == ("x", "list the active ones")


def test_octets_have_the_golden_form() -> None:
    """Octets and blocks lie in one annex, placeholders say where."""
    annex = Annex()
    values: list[Any] = [Octets(b"abc"), OctetBlocks.of([b"x", b"yz"])]
    assert [encode(each, annex) for each in values] == golden("octets")["arguments"]
    joined = annex.joined()
    assert joined is not None
    assert bytes(joined) == octets_of(golden("octets")["annex"])


def test_a_batch_has_the_golden_form() -> None:
    """A batch of events is coded with its records in the annex."""
    import msgspec

    time_ns = 1767323045500000000
    bodies = [{"status": "Operational;Idle"}, {"id": "x"}]
    records = [msgspec.msgpack.encode(EventRecord(time_ns, "", body)) for body in bodies]
    batch = Batch(
        source="obs/ocm",
        incarnation="20260102T030405-00c0ffee",
        first=7,
        topics=["std/status", "daq/status"],
        topic_of=[0, 1],
        records=OctetBlocks.of(records),
    )
    annex = Annex()
    assert encode(batch, annex) == golden("batch")["batch"]
    assert bytes(annex.joined() or b"") == octets_of(golden("batch")["annex"])


def test_the_golden_batch_is_read() -> None:
    """The channel reads the golden batch as its declared argument."""
    operation = interface_of(EventChannel).operations["publish"]
    annex = octets_of(golden("batch")["annex"])
    batch, _ = decode_arguments(operation, [golden("batch")["batch"]], {}, annex)
    assert [len(block) for block in batch.records] == [36, 17]


def test_a_lease_has_the_golden_form() -> None:
    """Request and reply of a lease are the golden values."""
    operation = interface_of(NamingContext).operations["grant_lease"]
    assert decode_arguments(operation, golden("lease")["request"], {}, None) == ["ocm", 6.0]
    reply = Lease(lease_id="L1", holder="ocm", term_s=6.0, remaining_s=6.0)
    assert to_plain(reply) == golden("lease")["reply"]


def test_an_interface_has_the_golden_form() -> None:
    """An object tells its interface as plain values; the digest is that of the page's rule."""
    told = to_plain(describe(interface_of(DpmControl)))
    expected = golden("interface")
    assert told == expected
    for each in expected["signatures"]:
        each.pop("role", None)
    digest = expected.pop("digest")
    text = json.dumps(expected, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == digest
