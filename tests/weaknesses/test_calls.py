"""Weaknesses of stock Pyro5 in calls, each beside what ours does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import Pyro5.api
import Pyro5.errors
import pytest
from Pyro5.callcontext import current_context

from idl_like_interfaces.errors import Internal, OutcomeUnknown
from idl_like_interfaces.mapping import ObjectAdapter, narrow, release
from tests.support.relay import Relay
from tests.weaknesses.shown import stock
from tests.weaknesses.strong import PATIENCE_S, Refusal, Strong, StrongServant


class _Served:
    """An object, a stub of it and its URI for stock proxies."""

    def __init__(self, adapter: ObjectAdapter) -> None:
        self.adapter = adapter
        self.servant = StrongServant()
        self.uri = adapter.activate(self.servant, Strong, "strong")
        self.stub: Strong = narrow(self.uri, Strong)


@pytest.fixture
def served() -> Iterator[_Served]:
    """Serve an object."""
    with ObjectAdapter() as adapter:
        ready = _Served(adapter)
        yield ready
        ready.servant.gate.set()
        release(ready.stub)


@pytest.mark.weakness(1)
def test_stock_fails_in_a_batch_in_marshal() -> None:
    """The client itself cannot write it."""
    assert stock(1) == {"single": 1, "error": "AttributeError"}


@pytest.mark.weakness(1)
def test_ours_refuses_marshal_and_takes_batches(served: _Served) -> None:
    """Marshal is refused before anything of it is read; a batch in serpent works."""
    with Pyro5.api.Proxy(served.uri) as proxy:
        proxy._pyroSerializer = "marshal"
        with pytest.raises(Pyro5.errors.CommunicationError):
            proxy.count()
    with Pyro5.api.Proxy(served.uri) as proxy:
        batch = Pyro5.api.BatchProxy(proxy)
        for _ in range(3):
            batch.count()
        assert list(batch()) == [1, 2, 3]


@pytest.mark.weakness(2)
def test_stock_executes_oneways_in_any_order_and_number() -> None:
    """The first of twenty comes last; five hundred take five hundred threads."""
    seen = stock(2)
    assert seen["order"] == [*range(1, 20), 0]
    assert seen["threads"] >= 500


@pytest.mark.weakness(2)
def test_ours_executes_oneways_in_their_order(served: _Served) -> None:
    """Ten thousand, though the first is held up; and no thread more than the workers."""
    before = threading.active_count()
    sender = threading.Thread(target=lambda: [served.stub.note(each) for each in range(10_000)])
    sender.start()
    sender.join(0.3)
    assert served.servant.noted == []
    assert threading.active_count() < before + 40
    served.servant.gate.set()
    sender.join(PATIENCE_S)
    served.stub.look()
    assert _has_noted(served, 10_000)
    assert served.servant.noted == list(range(10_000))


def _has_noted(served: _Served, number: int) -> bool:
    """Wait until so many are noted: a call with a reply may go over another connection."""
    ticks = threading.Event()
    for _ in range(int(PATIENCE_S * 100)):
        if len(served.servant.noted) >= number:
            return True
        ticks.wait(0.01)
    return False


@pytest.mark.weakness(2)
def test_ours_executes_no_undeclared_oneway(served: _Served) -> None:
    """The flag comes from the client; what is not declared so is not executed."""
    with Pyro5.api.Proxy(served.uri) as proxy:
        proxy._pyroBind()
        proxy._pyroOneway = {"count"}
        proxy.count()
    assert served.stub.look() == 0


@pytest.mark.weakness(3)
def test_stock_leaks_annotations_to_another_client() -> None:
    """Multiplex server; an annotation is set, then an error is raised."""
    assert stock(3)["leaked"] == "of another client"


@Pyro5.api.expose
class Leaking:
    """Sets an annotation and fails."""

    def leak(self) -> None:
        current_context.response_annotations = {"SCRT": b"of another client"}
        raise ValueError("after the annotation")

    def count(self) -> int:
        return 1


@pytest.mark.weakness(3)
def test_ours_leaks_no_annotation() -> None:
    """Not even those of an object that Pyro5 itself exposes; many clients, few threads."""
    with ObjectAdapter() as adapter:
        uri = adapter.activate_stock(Leaking(), "leaking")
        proxies = [Pyro5.api.Proxy(uri) for _ in range(8)]
        for _ in range(10):
            for leaking, other in pairwise(proxies):
                with pytest.raises(ValueError, match="after the annotation"):
                    leaking.leak()
                other.count()
                assert "SCRT" not in current_context.response_annotations
        for each in proxies:
            each._pyroRelease()


@pytest.mark.weakness(4)
def test_stock_repeats_side_effects() -> None:
    """With MAX_RETRIES=2 one call whose reply is lost has three effects."""
    seen = stock(4)
    assert seen == {"error": "ConnectionClosedError", "effects": 3}


@pytest.mark.weakness(4)
@pytest.mark.parametrize(
    "replies", [20, pytest.param(1000, marks=[pytest.mark.soak, pytest.mark.timeout(600)])]
)
def test_ours_has_each_effect_once(
    served: _Served, replies: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lost reply is an ``OutcomeUnknown``; MAX_RETRIES means nothing to our stubs."""
    monkeypatch.setattr(Pyro5.config, "MAX_RETRIES", 2)
    with Relay(served.uri) as relay:
        stub = narrow(relay.uri, Strong)
        stub.look()
        for number in range(replies):
            relay.lose(1)
            with pytest.raises(OutcomeUnknown):
                stub.count()
            assert served.servant.counted == number + 1
        release(stub)
    assert relay.lost == replies


@pytest.mark.weakness(4)
def test_ours_repeats_what_is_idempotent(served: _Served) -> None:
    """There a lost reply is not even noticed."""
    with Relay(served.uri) as relay:
        stub = narrow(relay.uri, Strong)
        for number in range(20):
            stub.look()
            relay.lose(1)
            assert stub.look() == 0
            assert relay.lost == number + 1
        release(stub)


@pytest.mark.weakness(9)
def test_stock_inflates_beyond_its_limit() -> None:
    """With MAX_MESSAGE_SIZE of 1 MB it takes a text of 64 MB."""
    seen = stock(9)
    assert seen["taken"] == 64 * seen["limit"]


@pytest.mark.weakness(9)
def test_ours_inflates_no_more_than_a_message_may_have(
    served: _Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """64 MB in 64 kB are refused; the same client may go on with less."""
    with Pyro5.api.Proxy(served.uri) as proxy:
        proxy._pyroSerializer = "msgpack"
        proxy._pyroBind()
        monkeypatch.setattr(Pyro5.config, "COMPRESSION", True)
        with pytest.raises(Pyro5.errors.PyroError, match="refused"):
            proxy.size("x" * 64_000_000)
        monkeypatch.setattr(Pyro5.config, "COMPRESSION", False)
        assert proxy.size("x" * 1_000_000) == 1_000_000


@pytest.mark.weakness(13)
def test_stock_results_break_the_client() -> None:
    """An error that is not registered there, and a number of numpy in serpent."""
    assert stock(13) == {"refusal": "SerializeError", "number": "ValueError"}


@pytest.mark.weakness(13)
def test_ours_carries_every_declared_error(served: _Served) -> None:
    """To our stubs as the class, to stock proxies as text and attributes."""
    with pytest.raises(Refusal) as caught:
        served.stub.refuse("x")
    assert (caught.value.id, caught.value.cause) == ("x", "a test")
    with Pyro5.api.Proxy(served.uri) as proxy:
        with pytest.raises(Pyro5.errors.PyroError, match="there is no x") as crossed:
            proxy.refuse("x")
        assert crossed.value.fields == {"id": "x"}
        assert proxy.count() == 1


@pytest.mark.weakness(13)
@pytest.mark.parametrize(
    "what", [np.float64(1.5), np.float32(1.5), np.int64(7), np.zeros(3), 1 + 2j]
)
def test_ours_sends_no_value_that_breaks_the_client(served: _Served, what: Any) -> None:
    """What is not plain becomes plain, or an INTERNAL at the object; the connection lives on."""
    served.servant.what = what
    with Pyro5.api.Proxy(served.uri) as proxy:
        for call in (served.stub.anything, proxy.anything):
            allowed = ("refused",) if np.ndim(what) else (what, "refused")
            assert _value_or_refusal(call) in allowed
        assert proxy.count() == 1
    assert served.stub.look() == 1


@pytest.mark.weakness(13)
@pytest.mark.parametrize("what", [np.float64(1.5), np.float32(1.5), 1.5, 2])
def test_ours_converts_by_the_declaration(served: _Served, what: Any) -> None:
    """A number is declared, so a number arrives, or the object says that it has none."""
    served.servant.what = what
    assert _value_or_refusal(served.stub.number) in (what, "refused")


def _value_or_refusal(call: Callable[[], Any]) -> Any:
    """Return a plain value, or that the object has refused to send what is none."""
    try:
        value = call()
    except (Internal, Pyro5.errors.PyroError):
        return "refused"
    assert type(value) in (float, int)
    return value
