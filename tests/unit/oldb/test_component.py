"""The component: hears heartbeats through a real channel, works while the channel is away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from idl_like_interfaces.announcements import HEARTBEAT_TOPIC, ComponentState, Heartbeat
from idl_like_interfaces.clients import EventSupplier
from idl_like_interfaces.errors import BadParam, PersistStore
from idl_like_interfaces.oldb import DataPoint, OnlineDatabase, Quality
from objects.messaging.channel import EventChannelServant
from objects.oldb.component import OldbComponent, OldbSettings
from tests.contract.oldb import write
from tests.support.eventually import eventually
from tests.support.site import FakeSite
from tests.unit.oldb.test_store import fill, make_room


@pytest.fixture
def site(tmp_path: Path) -> FakeSite:
    return FakeSite(tmp_path, name="oldb")


@pytest.fixture
def channel(site: FakeSite) -> Iterator[EventChannelServant]:
    made = EventChannelServant("now")
    site.bind("obs/events", made)
    yield made
    made.close()


@pytest.fixture
def component(site: FakeSite) -> Iterator[OldbComponent]:
    made = OldbComponent(site, OldbSettings())
    made.recover()
    yield made
    made.stop()


def served(component: OldbComponent) -> OnlineDatabase:
    """Return its servant."""
    (active,) = component.objects()
    assert (active.path, active.interface) == ("oldb", OnlineDatabase)
    servant: OnlineDatabase = active.servant
    return servant


def test_it_hears_that_a_source_stops(
    site: FakeSite, channel: EventChannelServant, component: OldbComponent
) -> None:
    """Through the channel; what else is said there does not disturb it."""
    component.start()
    database = served(component)
    database.write("obs/ocm", "i1", [write("ocm/state", "running")])
    supplier = EventSupplier(channel, "obs/ocm", "i1")
    for state in (ComponentState.RUNNING, ComponentState.STOPPED):
        supplier.publish(HEARTBEAT_TOPIC, {"no": "heartbeat"})
        beat = Heartbeat(component="ocm", kind="ocm", incarnation="i1", state=state)

        def is_heard(beat: Heartbeat = beat) -> bool:
            supplier.publish(HEARTBEAT_TOPIC, beat)
            site.tick()
            is_over = beat.state is ComponentState.STOPPED
            wanted = Quality.SUSPECT if is_over else Quality.OK
            return database.read("ocm/state").quality is wanted

        eventually(is_heard)
    supplier.close()
    assert component.detail() == "1 keys"
    assert len(site.accountants) == 1


def test_it_works_while_the_channel_is_away(site: FakeSite, component: OldbComponent) -> None:
    """And judges nobody then."""
    component.start()
    database = served(component)
    database.write("obs/ocm", "i1", [write("a")])
    site.clock.advance(100)
    site.tick()
    assert database.read("a").quality is Quality.OK


def test_it_goes_on_where_it_ended(site: FakeSite, channel: EventChannelServant) -> None:
    """And tells everybody again what there is."""
    for number in range(2):
        component = OldbComponent(site, OldbSettings())
        component.recover()
        component.start()
        told = [body for _, body in site.events if isinstance(body, DataPoint)]
        assert len(told) == number
        served(component).write("obs/ocm", "i1", [write("a")])
        site.events.clear()
        component.stop()


def test_a_store_that_cannot_be_used_is_refused(site: FakeSite) -> None:
    """The component can be stopped all the same."""
    (site.data_root / "oldb").write_text("in the way")
    component = OldbComponent(site, OldbSettings())
    with pytest.raises(BadParam):
        component.recover()
    component.stop()
    assert component.detail() == ""


def test_with_a_full_disk_it_is_not_ready(
    channel: EventChannelServant, site: FakeSite, component: OldbComponent
) -> None:
    """It says why, until there is room again."""
    component.start()
    store = component._store
    assert store is not None
    fill(store)
    with pytest.raises(PersistStore):
        served(component).write("obs/ocm", "i1", [write(f"b/{n}", "x" * 5000) for n in range(100)])
    assert "changes cannot be stored: " in component.problem()
    make_room(store)
    site.tick()
    assert component.problem() == ""
