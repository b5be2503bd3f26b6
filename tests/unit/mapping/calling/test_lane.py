"""Oneway calls are executed in their order, and who sends too many waits."""

from __future__ import annotations

import threading

import pytest

from idl_like_interfaces.errors import DeadlineExpired, OutcomeUnknown, TimeIsUp, Transient
from idl_like_interfaces.mapping import ObjectAdapter, narrow, release
from idl_like_interfaces.mapping.calling.stub import caller_of
from idl_like_interfaces.octets import Octets
from tests.support.desk import Desk, DeskServant
from tests.support.relay import Relay


def test_ten_thousand_oneway_calls_are_executed_in_order(desk: Desk, servant: DeskServant) -> None:
    """And releasing the stub waits until they are."""
    for number in range(10_000):
        desk.drop(number)
    release(desk)
    assert servant.taken == list(range(10_000))


def test_oneway_calls_may_be_overtaken_by_any_number_of_others(
    desk: Desk, servant: DeskServant
) -> None:
    """They wait at the object while other threads go on with the stub."""
    desk.throw(Octets(b"who waits for the gate"))
    for number in range(50):
        desk.drop(number)
    for number in range(1000, 2000):
        desk.hand_in(number)
    servant.gate.set()
    release(desk)
    assert sorted(servant.taken) == [*range(50), *range(1000, 2000)]


def test_who_sends_too_much_is_held_up(uri: str, servant: DeskServant) -> None:
    """A full connection stops the sender within its deadline; nothing overtakes the rest."""
    desk = narrow(uri, Desk, deadline_s=2.0)
    sent: list[int] = []
    with pytest.raises(DeadlineExpired):
        throw_on_and_on(desk, sent)
    with pytest.raises(DeadlineExpired):
        desk.throw(Octets(b"later"))
    servant.gate.set()
    caller_of(desk).target.deadline_s = 20.0
    desk.throw(Octets(b"last"))
    release(desk)
    assert servant.thrown == [*sent, 4]


def throw_on_and_on(desk: Desk, sent: list[int]) -> None:
    """Send octets until it is refused; note the size of those that were sent."""
    for size in range(1_000_000, 1_000_400):
        desk.throw(Octets(bytes(size)))
        sent.append(size)


def test_a_lost_connection_is_told_once(servant: DeskServant, uri: str) -> None:
    """The next call says that earlier ones may be lost; the one after it goes on."""
    with Relay(uri) as relay:
        desk = narrow(relay.uri, Desk)
        desk.drop(1)
        assert desk.await_count(1, 20.0) == 1
        relay.cut()
        with pytest.raises(OutcomeUnknown, match="connection of the oneway calls"):
            desk.drop(2)
        desk.drop(3)
        assert desk.await_count(2, 20.0) == 2
        release(desk)
    assert servant.taken == [1, 3]


def test_a_restarted_object_is_found_again(servant: DeskServant) -> None:
    """By its name, when nothing was sent to the one before."""
    uris: list[str] = []
    desk = narrow("obs/desk", Desk, resolve=lambda _: uris[-1])
    with ObjectAdapter() as first:
        uris.append(first.activate(servant, Desk, "desk"))
        desk.count()
    with ObjectAdapter() as second:
        uris.append(second.activate(servant, Desk, "desk"))
        desk.drop(1)
        assert desk.await_count(1, 20.0) == 1
        release(desk)


def test_a_call_waits_for_its_turn_within_its_time(uri: str, servant: DeskServant) -> None:
    """Behind one that is held up; it is not sent then."""
    desk = narrow(uri, Desk, deadline_s=2.0)
    ends: list[Exception] = []

    def work() -> None:
        try:
            throw_on_and_on(desk, [])
        except (DeadlineExpired, TimeIsUp) as error:
            ends.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    servant.gate.set()
    release(desk)
    assert len(ends) == 3


def test_an_object_that_is_away_is_told(uri: str) -> None:
    """A oneway call is not silent about what it knows."""
    with ObjectAdapter() as adapter:
        gone = adapter.activate(DeskServant(), Desk, "desk")
    desk = narrow(gone, Desk)
    with pytest.raises(Transient, match="cannot be reached"):
        desk.drop(1)
    release(desk)
