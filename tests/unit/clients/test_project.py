"""What a writer knows of the project, whatever is away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from idl_like_interfaces.clients.project import CURRENT_S, ProjectReader
from idl_like_interfaces.clients.supplier import EventSupplier
from idl_like_interfaces.errors import Transient
from idl_like_interfaces.events import EventChannel
from idl_like_interfaces.project import PROJECT_TOPIC, ProjectChange, ProjectService
from objects.component.clock import SystemClock
from objects.messaging.channel import EventChannelServant
from objects.project.master import MasterFile, Values
from objects.project.project_servant import ProjectServant
from objects.project.store import ProjectStore
from tests.support.clock import ManualClock
from tests.support.eventually import eventually


class Peer:
    """A stub whose servant may be away."""

    def __init__(self, servant: object) -> None:
        self.servant: object = servant
        self.calls = 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: object) -> object:
            self.calls += 1
            if self.servant is None:
                raise Transient("nobody is there")
            return getattr(self.servant, name)(*args)

        return call


class Site:
    """A project service, a channel, and one who reads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.channel = EventChannelServant("now")
        self.supplier = EventSupplier(self.channel, "obs/project", "i1")
        self.clock = ManualClock()
        self.stores: list[ProjectStore] = []
        self.project = Peer(self.new_service("first"))

    def new_service(self, name: str) -> ProjectServant:
        store = ProjectStore(self.folder / f"{name}.sqlite")
        self.stores.append(store)
        return ProjectServant(
            store,
            MasterFile(None),
            Values(project=name),
            SystemClock(),
            lambda each: self.supplier.publish(PROJECT_TOPIC, each),
        )

    def reader(self) -> ProjectReader:
        return ProjectReader(
            cast("ProjectService", self.project),
            cast("EventChannel", self.channel),
            name="writer",
            monotonic=self.clock.monotonic,
        )

    def close(self) -> None:
        self.supplier.close()
        self.channel.close()
        for store in self.stores:
            store.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.close()


def test_a_change_is_there_by_itself(site: Site) -> None:
    """Over the channel, without a question."""
    with site.reader() as reader:
        first = reader.await_known(20)
        assert first is not None
        assert (first.information.project, first.is_current, first.remark()) == ("first", True, "")
        eventually(lambda: site.channel.get_stats().consumers, "it listens")
        cast("ProjectServant", site.project.servant).set(ProjectChange(operator="Anna"))
        eventually(lambda: known_operator(reader) == "Anna", "the change is heard")


def known_operator(reader: ProjectReader) -> str:
    known = reader.known()
    return known.information.operator if known is not None else ""


def test_a_service_that_is_away_is_answered_for(site: Site) -> None:
    """With what was known last, and how old that is."""
    with site.reader() as reader:
        assert reader.await_known(20)
        site.project.servant = None
        site.clock.advance(CURRENT_S + 45)
        known = reader.known()
        assert known is not None
        assert known.information.project == "first"
        assert (known.is_current, known.age_s) == (False, CURRENT_S + 45)
        assert known.remark() == "project information of 60 s ago: the project service is away"


def test_nothing_is_known_before_the_first_answer(site: Site) -> None:
    """A writer goes on without, and has it as soon as the service is there."""
    servant, site.project.servant = site.project.servant, None
    with site.reader() as reader:
        eventually(lambda: site.project.calls, "it has asked")
        assert reader.known() is None
        assert reader.await_known(0.0) is None
        site.project.servant = servant
        reader._ask_soon()
        assert reader.await_known(20) is not None


def test_a_service_that_began_anew_is_believed(site: Site) -> None:
    """Even though its versions are lower than what was known."""
    servant = cast("ProjectServant", site.project.servant)
    for flight in "abc":
        servant.set(ProjectChange(flight=flight))
    with site.reader() as reader:
        assert reader.await_known(20)
        site.project.servant = site.new_service("second")
        reader._ask_soon()

        def is_second() -> bool:
            known = reader.known()
            return known is not None and known.information.project == "second"

        eventually(is_second, "the new service is believed")
