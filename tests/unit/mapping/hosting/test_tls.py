"""With TLS calls are what they are without."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from idl_like_interfaces.errors import DeadlineExpired, OutcomeUnknown, Transient
from idl_like_interfaces.mapping import (
    ObjectAdapter,
    aio,
    aio_release,
    batch,
    narrow,
    release,
    use_tls,
)
from idl_like_interfaces.octets import Octets
from tests.hostile.certificates import client_context, server_context, write_all
from tests.support.deadlines import deadline_of
from tests.support.desk import Desk, DeskServant

LARGE = bytes(range(256)) * 12_000


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an authority and certificates."""
    folder = tmp_path_factory.mktemp("certificates")
    write_all(folder)
    return folder


@pytest.fixture
def trusting(certificates: Path) -> Iterator[None]:
    """Connect with TLS."""
    use_tls(client_context(certificates))
    yield
    use_tls(None)


@pytest.fixture
def servant() -> Iterator[DeskServant]:
    servant = DeskServant()
    yield servant
    servant.gate.set()


@pytest.fixture
def secured(certificates: Path, servant: DeskServant) -> Iterator[str]:
    """The URI of an object that is served with TLS."""
    with ObjectAdapter(tls=server_context(certificates)) as adapter:
        yield adapter.activate(servant, Desk, "desk")
        servant.gate.set()


@pytest.mark.usefixtures("trusting")
def test_calls_octets_and_batches_travel(secured: str) -> None:
    """Short and long messages, both ways, on one connection."""
    desk = narrow(secured, Desk)
    assert [desk.hand_in(number) for number in range(20)] == list(range(1, 21))
    assert desk.double(Octets(LARGE)) == Octets(LARGE * 2)
    with batch(desk) as calls:
        counted = calls.count()
    assert counted.get() == 20
    release(desk)


@pytest.mark.usefixtures("trusting")
def test_oneway_calls_keep_their_order(secured: str, servant: DeskServant) -> None:
    """And are executed when the stub is released."""
    desk = narrow(secured, Desk)
    for number in range(2000):
        desk.drop(number)
    release(desk)
    assert servant.taken == list(range(2000))


@pytest.mark.usefixtures("trusting")
def test_the_deadline_holds(secured: str) -> None:
    """The time limit of a connection with TLS is Python's."""
    desk = narrow(secured, Desk)
    assert desk.count() == 0
    with deadline_of(desk, 0.5), pytest.raises(DeadlineExpired):
        desk.hold()
    assert desk.count() == 0
    release(desk)


@pytest.mark.usefixtures("trusting")
def test_a_peer_that_takes_no_data_is_told(secured: str, servant: DeskServant) -> None:
    """Within the deadline of the call that is held up."""
    desk = narrow(secured, Desk, deadline_s=2.0)
    with pytest.raises(OutcomeUnknown):
        throw_on_and_on(desk)
    servant.gate.set()
    release(desk)


def throw_on_and_on(desk: Desk) -> None:
    """Send octets until it is refused."""
    for _ in range(400):
        desk.throw(Octets(LARGE))


@pytest.mark.usefixtures("trusting")
def test_event_loops_speak_it_too(secured: str, servant: DeskServant) -> None:
    """Calls, octets and oneway calls."""

    async def work() -> None:
        stub = narrow(secured, Desk)
        desk: Any = aio(stub)
        replies = await asyncio.gather(*(desk.hand_in(number) for number in range(20)))
        assert sorted(replies) == list(range(1, 21))
        assert await desk.double(Octets(LARGE)) == Octets(LARGE * 2)
        for number in range(100):
            await desk.drop(number)
        await aio_release(stub)

    asyncio.run(work())
    assert servant.taken[20:] == list(range(100))


def test_an_object_with_tls_refuses_who_has_none(secured: str) -> None:
    """Nothing is executed; thread and loop say the same."""
    refused_everywhere(secured)


@pytest.mark.usefixtures("trusting")
def test_an_object_without_tls_is_not_trusted(servant: DeskServant) -> None:
    """Who wants TLS does not call without."""
    with ObjectAdapter() as adapter:
        refused_everywhere(adapter.activate(servant, Desk, "desk"))


@pytest.mark.usefixtures("trusting")
def test_another_host_is_not_trusted(secured: str) -> None:
    """The certificate is for the name by which the object is called."""
    refused_everywhere(secured.replace("@localhost", "@127.0.0.2"))


def refused_everywhere(uri: str) -> None:
    """See that a call is refused before it is executed."""
    desk = narrow(uri, Desk)
    with pytest.raises(Transient) as caught:
        desk.count()
    assert caught.value.remedy

    async def work() -> None:
        with pytest.raises(Transient) as awaited:
            await aio(desk).count()
        assert awaited.value.remedy == caught.value.remedy

    asyncio.run(work())
