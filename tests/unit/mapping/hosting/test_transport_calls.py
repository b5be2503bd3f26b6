"""The hybrid server and single calls: of stock clients, oneway, in batches, refused, counted."""

from __future__ import annotations

from contextlib import ExitStack

import Pyro5.api
import Pyro5.errors
import pytest

from idl_like_interfaces.errors import (
    DependencyFailed,
    OutcomeUnknown,
    Overloaded,
    RemoteError,
    TimeIsUp,
    Transient,
)
from tests.hostile.wire import BATCH, annotation, invocation, mark
from tests.support.halls import connected, hall, object_id, statistics, stub_of


class TestStock:
    """Unmodified clients of Pyro5."""

    def test_a_stock_batch_ends_at_the_first_error(self) -> None:
        """The results before it arrive, the error is raised, what follows is not executed."""
        with hall() as (_, servant, uri), Pyro5.api.Proxy(uri) as proxy:
            batch = Pyro5.api.BatchProxy(proxy)
            batch.enter("one")
            batch.enter(2)
            batch.enter("three")
            results = iter(batch())
            assert next(results) == 1
            with pytest.raises(Pyro5.errors.PyroError, match="who"):
                next(results)
            assert servant.came == ["one"]

    def test_our_batch_executes_all_and_tells_each_outcome(self) -> None:
        """An error does not stop what follows it."""
        with hall() as (adapter, servant, uri), ExitStack() as opened:
            (peer,) = connected(adapter, uri, 1, opened)
            calls = [["enter", ["one"]], ["enter", [2]], ["enter", ["three"]], ["no", []]]
            message = invocation(
                object_id(uri), "<batch>", *calls, flags=BATCH, annotations=mark(1, 1)
            )
            peer.send(message)
            assert peer.answer() == "served"
            assert servant.came == ["one", "three"]
            peer.send(message)
            assert peer.answer() == "DuplicateCall"
            assert servant.came == ["one", "three"]

    def test_a_stock_client_calls_oneway_in_order(self) -> None:
        """What is declared oneway is sent so, and executed before the next call."""
        with hall() as (_, servant, uri), Pyro5.api.Proxy(uri) as proxy:
            for number in range(500):
                assert proxy.leave(number) is None
            assert proxy.look() == []
            assert servant.left == list(range(500))

    def test_a_stock_batch_executes_no_undeclared_oneway(self) -> None:
        """The flag of the batch makes none of its calls one that is not waited for."""
        with hall() as (_, servant, uri), Pyro5.api.Proxy(uri) as proxy:
            batch = Pyro5.api.BatchProxy(proxy)
            batch.leave(1)
            batch.enter("nobody waits")
            batch(oneway=True)
            assert proxy.look() == []
            assert servant.left == [1]

    def test_an_error_in_a_oneway_call_ends_nothing(self) -> None:
        """Nobody is told; the next call is served."""
        with hall() as (_, servant, uri), Pyro5.api.Proxy(uri) as proxy:
            proxy.leave("no number")
            assert proxy.look() == []
            assert servant.left == []


def test_the_numbers_of_an_object_add_up() -> None:
    """Every call is in the histogram, refusals and failures are counted apart."""
    with hall() as (_, servant, uri), stub_of(uri) as stub:
        for _ in range(5):
            stub.enter("x")
        servant.came = None  # type: ignore[assignment]
        with pytest.raises(RuntimeError, match="enter failed"):
            stub.enter("y")
        found = statistics(uri, "enter")
        assert (found.calls, found.refused, found.failed) == (6, 0, 1)
        assert sum(found.counts) == 6
        assert found.total_s > 0


def test_a_deadline_that_has_passed_is_told_as_such() -> None:
    """The error of a dropped call is one that a client knows."""
    assert issubclass(TimeIsUp, TimeoutError)


@pytest.mark.parametrize("error", [Transient, TimeIsUp, Overloaded, OutcomeUnknown])
def test_what_an_inner_call_says_of_itself_is_not_said_of_the_outer_one(
    error: type[RemoteError],
) -> None:
    """That an inner call was not executed does not mean that the outer one was not."""
    with hall() as (_, servant, uri), stub_of(uri) as stub:

        def enter(who: str) -> int:
            servant.came.append(who)
            raise error("the other one is away", cause="a test", remedy="none")

        servant.enter = enter  # type: ignore[method-assign]
        with pytest.raises(DependencyFailed, match="the other one is away") as caught:
            stub.enter("x")
        assert (caught.value.cause, caught.value.remedy) == ("a test", "none")
        assert servant.came == ["x"]


def test_annotations_that_do_not_add_up_end_the_connection() -> None:
    """A length beyond the end is no message."""
    with hall() as (adapter, _, uri), ExitStack() as opened:
        (peer,) = connected(adapter, uri, 1, opened)
        peer.send(invocation(object_id(uri), "look", annotations=annotation(b"ABCD", b"x", 99)))
        assert peer.until_closed() == "closed"
