"""Batches: one round trip, an outcome for each call."""

from __future__ import annotations

from typing import Any, cast

import msgspec
import pytest

from idl_like_interfaces.declare import interface_of
from idl_like_interfaces.errors import (
    BadOperation,
    BadParam,
    Internal,
    OutcomeUnknown,
    RemoteError,
    Transient,
)
from idl_like_interfaces.mapping import ObjectAdapter, batch, narrow, release
from idl_like_interfaces.mapping.calling.batches import Item, Outcome, read_items
from idl_like_interfaces.octets import Octets
from tests.support.desk import Desk, DeskServant, Rejected
from tests.support.echo import Echo, EchoServant, Sample
from tests.support.relay import Relay


def test_each_call_has_its_outcome(desk: Desk, servant: DeskServant) -> None:
    """All are executed, in order, whatever becomes of one."""
    with batch(desk) as calls:
        first = calls.hand_in(1)
        refused = calls.hand_in(-7)
        last = calls.hand_in(number=3)
    assert (first.get(), last.get()) == (1, 2)
    assert servant.taken == [1, 3]
    with pytest.raises(Rejected) as caught:
        refused.get()
    assert caught.value.number == -7
    assert "in hand_in" in caught.value.remote_traceback
    assert [each.error for each in calls] == [None, caught.value, None]


def test_octets_and_structs_travel() -> None:
    """All octets of a batch are in one annex, there and back."""
    with ObjectAdapter() as adapter:
        echo = narrow(adapter.activate(EchoServant(), Echo, "echo"), Echo)
        samples = [Sample(number=n, octets=Octets(bytes([n]) * 1000)) for n in range(5)]
        with batch(echo) as calls:
            outcomes = [calls.echo(each) for each in samples]
            failed = calls.fail()
        release(echo)
    assert [each.get() for each in outcomes] == samples
    assert isinstance(failed.error, Internal)


def test_a_batch_takes_one_round_trip(desk: Desk, servant: DeskServant) -> None:
    """A thousand calls are executed in order; the reply is one message."""
    with batch(desk) as calls:
        for number in range(1000):
            calls.hand_in(number)
    assert servant.taken == list(range(1000))
    assert [each.get() for each in calls] == list(range(1, 1001))
    assert len(calls) == 1000


def test_a_block_that_raises_sends_nothing(desk: Desk, servant: DeskServant) -> None:
    """And the outcome of a call that was not sent is none."""
    calls = batch(desk)
    outcome = calls.hand_in(1)
    with pytest.raises(ZeroDivisionError), calls:
        calls.hand_in(1 // 0)
    assert servant.taken == []
    with pytest.raises(RuntimeError, match="not sent yet"):
        outcome.get()


def test_an_empty_batch_sends_nothing() -> None:
    """Nobody has to be there."""
    desk = narrow("PYRO:x@localhost:1", Desk)
    with batch(desk) as calls:
        pass
    assert list(calls) == []


@pytest.mark.parametrize(
    ("name", "args"), [("await_count", (1, 1.0)), ("drop", (1,))], ids=["long-poll", "oneway"]
)
def test_what_has_no_outcome_at_once_is_refused(
    desk: Desk, name: str, args: tuple[Any, ...]
) -> None:
    """Long-polls and oneway calls are no part of a batch, and the refusal says what to do."""
    with pytest.raises(BadOperation, match="cannot be part of a batch") as caught, batch(desk) as c:
        getattr(c, name)(*args)
    assert caught.value.remedy


def test_what_cannot_travel_is_refused_where_it_is_called(desk: Desk, servant: DeskServant) -> None:
    """Nothing of the batch is sent then."""
    calls = batch(desk)
    calls.hand_in(1)
    with pytest.raises(BadParam, match="hand_in cannot travel"), calls:
        calls.hand_in(object())
    assert servant.taken == []


def test_a_wrong_argument_is_refused_by_itself(desk: Desk) -> None:
    """The refusal names the field; the others are executed."""
    with batch(desk) as calls:
        wrong = calls.hand_in("one")
        right = calls.hand_in(1)
    assert right.get() == 1
    assert isinstance(wrong.error, BadParam)
    assert wrong.error.field == "number"


def test_a_lost_reply_is_the_outcome_of_all(uri: str, servant: DeskServant) -> None:
    """The block raises, and each outcome too; nothing is repeated."""
    with Relay(uri) as relay:
        desk = narrow(relay.uri, Desk)
        desk.count()
        relay.lose(1)
        calls = batch(desk)
        calls.count()
        with pytest.raises(OutcomeUnknown), calls:
            calls.hand_in(1)
        release(desk)
    assert servant.taken == [1]
    assert all(isinstance(each.error, OutcomeUnknown) for each in calls)


def test_a_batch_of_idempotent_calls_is_repeated(uri: str) -> None:
    """After a lost reply, as each of them would be."""
    with Relay(uri) as relay:
        desk = narrow(relay.uri, Desk)
        desk.count()
        relay.lose(1)
        with batch(desk) as calls:
            calls.count()
        assert [each.get() for each in calls] == [0]
        release(desk)


def test_an_object_that_is_away_is_told() -> None:
    """Nothing was executed."""
    with ObjectAdapter() as adapter:
        gone = narrow(adapter.activate(DeskServant(), Desk, "desk"), Desk)
    with pytest.raises(Transient), batch(gone) as calls:
        calls.count()


def test_a_wrong_number_of_outcomes_is_told(desk: Desk) -> None:
    """Whoever makes such replies is not one of ours."""
    calls = batch(desk)
    outcome = calls.count()
    with pytest.raises(Internal, match="0 outcomes of 1"):
        calls._settle([], None)
    with pytest.raises(RuntimeError, match="not sent yet"):
        outcome.get()
    with pytest.raises(Internal, match="not as declared"):
        read_items(b"\x01")


def test_a_reply_that_is_none_is_the_outcome_of_its_call() -> None:
    """The others are not touched."""
    outcome = Outcome(interface_of(Desk).operations["count"])
    outcome.settle(Item(value=msgspec.Raw(b"\xa1x")), None)
    with pytest.raises(Internal, match="not as declared"):
        outcome.get()


def test_an_unknown_operation_is_no_attribute(desk: Desk) -> None:
    """As with the stub itself."""
    with pytest.raises(AttributeError, match="no_such"), batch(desk) as calls:
        calls.no_such()


def test_only_a_stub_has_batches() -> None:
    """A servant is called directly."""
    with pytest.raises(TypeError, match="is no stub"):
        batch(DeskServant())


def test_the_operations_of_every_object_are_part_of_it(desk: Desk) -> None:
    """``ping`` and the like."""
    with batch(desk) as calls:
        answer = calls.ping()
    assert cast("Any", answer.get()).object_id.startswith("desk~")
    assert not isinstance(answer.error, RemoteError)
