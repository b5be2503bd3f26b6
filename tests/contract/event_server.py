"""What every implementation of ``EventServer`` does, whatever carries it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.event_server import (
    EventServer,
    Gap,
    OutOfSequence,
    SenderIdentity,
    Superseded,
    UnknownSender,
)
from idl_like_interfaces.octets import OctetBlocks
from tests.support.event_batches import SENDER, batch, damaged, event, events, other

PATIENCE_S = 20.0


def blocks(octets: bytes) -> OctetBlocks:
    """Return a batch as one block."""
    return OctetBlocks.of([octets])


def greet(server: EventServer, incarnation: int = SENDER, name: str = "cr1") -> None:
    """Say hello."""
    server.hello(SenderIdentity(name=name, incarnation=incarnation))


class EventServerContract:
    """Inherit it and give the fixture ``server``: run 1 takes the streams 1 and 2.

    What is accepted must become durable by itself.
    """

    @pytest.fixture
    def server(self) -> EventServer:
        """Return a server that has met nobody."""
        raise NotImplementedError

    def test_who_has_not_said_hello_is_refused(self, server: EventServer) -> None:
        """By each operation, with the word what to do."""
        with pytest.raises(UnknownSender) as refused:
            server.send(SENDER, 1, blocks(events(1, 2)))
        assert refused.value.sender == SENDER
        assert "hello" in refused.value.remedy
        with pytest.raises(UnknownSender):
            server.await_durable(SENDER, 0, 0.0)
        with pytest.raises(UnknownSender):
            server.declare_gap(SENDER, Gap(first=1, last=2, reason="spool full"))

    def test_a_batch_is_accepted_and_becomes_durable(self, server: EventServer) -> None:
        """Both marks are told, and a repeated hello tells them again."""
        greet(server)
        answer = server.send(SENDER, 1, blocks(events(1, 5)), PATIENCE_S)
        assert (answer.accepted, answer.is_busy, answer.refused) == (5, False, 0)
        assert server.await_durable(SENDER, 4, PATIENCE_S).durable == 5
        again = server.hello(SenderIdentity(name="cr1", incarnation=SENDER))
        assert (again.accepted, again.durable) == (5, 5)

    def test_a_repeated_batch_changes_nothing(self, server: EventServer) -> None:
        """Nor does one that overlaps what is known."""
        greet(server)
        server.send(SENDER, 1, blocks(events(1, 5)), PATIENCE_S)
        assert server.send(SENDER, 1, blocks(events(1, 5)), PATIENCE_S).accepted == 5
        assert server.send(SENDER, 3, blocks(events(3, 6)), PATIENCE_S).accepted == 8

    def test_several_blocks_of_several_messages_are_one_batch(self, server: EventServer) -> None:
        """However the messages are cut into blocks."""
        greet(server)
        parts = OctetBlocks.of([events(1, 2), events(3, 1), events(4, 3)])
        assert server.send(SENDER, 1, parts, PATIENCE_S).accepted == 6

    def test_a_hole_is_refused(self, server: EventServer) -> None:
        """Nothing is taken; the awaited number is told."""
        greet(server)
        server.send(SENDER, 1, blocks(events(1, 2)), PATIENCE_S)
        with pytest.raises(OutOfSequence) as refused:
            server.send(SENDER, 5, blocks(events(5, 2)), PATIENCE_S)
        assert (refused.value.expected, refused.value.found) == (3, 5)
        assert server.await_durable(SENDER, 1, PATIENCE_S).accepted == 2

    def test_a_declared_gap_closes_a_hole(self, server: EventServer) -> None:
        """Declaring it again is harmless; one that does not begin at the mark is refused."""
        greet(server)
        server.send(SENDER, 1, blocks(events(1, 2)), PATIENCE_S)
        with pytest.raises(OutOfSequence):
            server.declare_gap(SENDER, Gap(first=4, last=6, reason="spool full"))
        for _ in range(2):
            assert server.declare_gap(SENDER, Gap(first=3, last=6, reason="full")).accepted == 6
        assert server.send(SENDER, 7, blocks(events(7, 1)), PATIENCE_S).accepted == 7
        with pytest.raises(BadParam):
            server.declare_gap(SENDER, Gap(first=9, last=8, reason="backwards"))

    def test_a_sender_may_say_how_far_it_is_durable(self, server: EventServer) -> None:
        """A logger that has forgotten believes it, and goes on behind."""
        answer = server.hello(SenderIdentity(name="cr1", incarnation=SENDER, acknowledged=41))
        assert (answer.accepted, answer.durable) == (41, 41)
        assert server.send(SENDER, 42, blocks(events(42, 1)), PATIENCE_S).accepted == 42

    @pytest.mark.parametrize("number", [(1 << 53) + 1, (1 << 64) - 1])
    def test_numbers_beyond_reason_are_refused(self, server: EventServer, number: int) -> None:
        """Nothing is believed of them: what comes is no duplicate, and nothing is missing."""
        plain = SenderIdentity(name="cr1", incarnation=SENDER)
        for field in ("acknowledged", "last"):
            with pytest.raises(BadParam) as refused:
                server.hello(msgspec.structs.replace(plain, **{field: number}))
            assert refused.value.field == f"sender.{field}"
        greet(server)
        with pytest.raises(BadParam) as refused:
            server.declare_gap(SENDER, Gap(first=1, last=number, reason="full"))
        assert refused.value.field == "gap.last"
        assert server.send(SENDER, 1, blocks(events(1, 2)), PATIENCE_S).accepted == 2

    @pytest.mark.spec("D28")
    def test_messages_of_other_types_are_skipped(self, server: EventServer) -> None:
        """They count as accepted, and the events around them are taken."""
        greet(server)
        mixed = batch([event(1), other(), event(3), other(b"\x00\xff12"), event(5)])
        answer = server.send(SENDER, 1, blocks(mixed), PATIENCE_S)
        assert (answer.accepted, answer.refused) == (5, 2)

    def test_damaged_messages_are_taken_out(self, server: EventServer) -> None:
        """A wrong bit costs one message, not its batch."""
        greet(server)
        mixed = batch([event(1), damaged(event(2)), event(3), b"D0EV", b"", event(9), event(7)])
        answer = server.send(SENDER, 1, blocks(mixed), PATIENCE_S)
        assert (answer.accepted, answer.refused) == (7, 4)

    @pytest.mark.parametrize(
        ("octets", "found"),
        [
            (b"\0\0\0\x05abc", "the last 7 bytes"),
            (b"\0\0\1\0" + bytes(20), "tells 256 bytes, only 16 are there"),
            (b"\xff\xff\xff\xff" + bytes(20), "4294967295 bytes, a message has"),
            (events(1, 1)[:-1] + b"\x01", "by the frame before it"),
            (events(1, 2) + b"x", "the last 1 bytes"),
        ],
    )
    def test_garbage_is_refused_as_a_whole(
        self, server: EventServer, octets: bytes, found: str
    ) -> None:
        """With what was found where; nothing is taken."""
        greet(server)
        with pytest.raises(BadParam) as refused:
            server.send(SENDER, 1, blocks(octets))
        assert found in refused.value.message
        assert refused.value.field == "messages"
        assert server.await_durable(SENDER, 0, 0.0).accepted == 0

    @pytest.mark.spec("D34")
    def test_a_later_start_ends_the_one_before(self, server: EventServer) -> None:
        """The name goes on under the new incarnation; the old one is told that it is over."""
        greet(server)
        server.send(SENDER, 1, blocks(events(1, 2)), PATIENCE_S)
        greet(server, SENDER + 1)
        with pytest.raises(Superseded) as refused:
            server.send(SENDER, 3, blocks(events(3, 1)), PATIENCE_S)
        assert refused.value.successor == SENDER + 1
        with pytest.raises(Superseded):
            greet(server, SENDER)
        later = events(1, 2, sender=SENDER + 1)
        assert server.send(SENDER + 1, 1, blocks(later), PATIENCE_S).accepted == 2

    def test_an_incarnation_has_one_name(self, server: EventServer) -> None:
        """Another sender cannot speak for it by mistake."""
        greet(server)
        with pytest.raises(BadParam):
            greet(server, SENDER, "cr2")

    def test_an_older_call_gives_way_to_a_newer_one(self, server: EventServer) -> None:
        """Many senders, and several calls of one at the same time, take nothing twice."""
        greet(server)
        octets = blocks(events(1, 50))
        with ThreadPoolExecutor(4) as pool:
            answers = [pool.submit(server.send, SENDER, 1, octets, PATIENCE_S) for _ in range(8)]
            for each in answers:
                each.result(PATIENCE_S)
        assert server.send(SENDER, 1, octets, PATIENCE_S).accepted == 50

    def test_a_mark_that_is_reached_is_told_at_once(self, server: EventServer) -> None:
        """And what is not reached is told when the time is over."""
        greet(server)
        assert server.await_durable(SENDER, 0, 0.05).durable == 0
