"""The metrics as a component: found objects, deadlines, and HTTP."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from idl_like_interfaces.errors import BadParam, Transient
from idl_like_interfaces.naming import OBJECT_ID, Binding, BindingType, Listing
from idl_like_interfaces.object import Statistics
from objects.metrics.component import MetricsComponent, MetricsSettings
from objects.metrics.endpoint import MOST_REQUESTS
from tests.support.site import FakeSite
from tests.support.statistics import SINCE, calls, statistics

PATIENCE_S = 30.0
DEADLINE_S = 0.5


class Directory:
    """A name service with pages of two names."""

    def __init__(self, *names: str) -> None:
        self.names = sorted(names)
        self.is_away = False

    def get_statistics(self) -> Statistics:
        """Tell of its own calls."""
        if self.is_away:
            raise Transient("no name server")
        return statistics(calls("resolve", [1, 1, 1, 0, 0]))

    def list(self, name: str = "", *, recursive: bool, how_many: int, after: str = "") -> Listing:
        """Return the next page."""
        if self.is_away:
            raise Transient("no name server")
        behind = [each for each in self.names if each > after]
        page = behind[:2]
        return Listing(
            bindings=[_binding(each) for each in page], more=page[-1] if len(behind) > 2 else ""
        )


def _binding(name: str) -> Binding:
    if name.endswith("/"):
        return Binding(name=name, type=BindingType.CONTEXT, bound_at=SINCE)
    interface = "" if name.startswith("stock") else "IDL:test/Test:1.0"
    return Binding(
        name=name,
        type=BindingType.OBJECT,
        uri="PYRO:x@h:1",
        interface=interface,
        bound_at=SINCE,
    )


class Servant:
    """Answers what it has counted."""

    def get_statistics(self) -> Statistics:
        """Tell of three calls."""
        return statistics(calls("work", [3, 0, 0, 0, 0]))


class Hung:
    """Does not answer until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def get_statistics(self) -> Statistics:
        """Take its time."""
        self.go.wait(PATIENCE_S)
        return statistics()


class Place:
    """A component that serves, and what it finds."""

    def __init__(self, folder: Path) -> None:
        self.site = FakeSite(folder, name="metrics")
        self.directory = Directory("obs/", "obs/a", "obs/b", "obs/gone", "obs/hung", "stock/x")
        self.hung = Hung()
        self.site.bind(OBJECT_ID, self.directory)
        for name, servant in (("a", Servant()), ("b", Servant()), ("hung", self.hung)):
            self.site.bind(f"obs/{name}", servant)
        self.component = MetricsComponent(self.site, MetricsSettings(port=0, deadline_s=DEADLINE_S))
        self.component.recover()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.component.url.rpartition(":")[2].partition("/")[0])

    def get(self, path: str = "/metrics", accept: str = "*/*") -> tuple[int, str, str]:
        """Return status, content type and content."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request("GET", path, headers={"Accept": accept})
            reply = connection.getresponse()
            return reply.status, reply.headers["Content-Type"], reply.read().decode()
        finally:
            connection.close()

    def samples(self, name: str) -> dict[str, float]:
        """Scrape once; return values by object."""
        return {
            each.labels.get("object", ""): each.value
            for family in text_string_to_metric_families(self.get()[2])
            for each in family.samples
            if each.name == name
        }


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Return one that serves."""
    place = Place(tmp_path)
    yield place
    place.hung.go.set()
    place.component.stop()


def test_all_objects_are_found_by_name(place: Place) -> None:
    """Page by page; contexts and objects of stock Pyro5 are none of ours."""
    place.hung.go.set()
    up = place.samples("obsorb_up")
    assert up == {"NameService": 1, "obs/a": 1, "obs/b": 1, "obs/gone": 0, "obs/hung": 1}
    assert place.component.detail().endswith("/metrics, 4 objects")


def test_who_does_not_answer_delays_nobody(place: Place) -> None:
    """A scrape takes no longer than the deadline, and the others are in it."""
    began = time.monotonic()
    assert place.samples("obsorb_calls_total") == {"NameService": 3, "obs/a": 3, "obs/b": 3}
    assert time.monotonic() - began < DEADLINE_S + 10
    assert place.samples("obsorb_up")["obs/hung"] == 0


def test_objects_are_known_while_the_name_service_is_away(place: Place) -> None:
    """They are asked as before, and that it is away is told."""
    place.hung.go.set()
    place.get()
    place.directory.is_away = True
    up = place.samples("obsorb_up")
    assert (up["obs/a"], up["NameService"]) == (1, 0)
    assert place.samples("obsorb_names_up") == {"": 0}
    place.directory.is_away = False
    assert place.samples("obsorb_names_up") == {"": 1}


def test_an_object_that_was_unbound_is_not_shown_any_more(place: Place) -> None:
    """It ended in good order."""
    place.hung.go.set()
    place.directory.names.remove("obs/gone")
    assert "obs/gone" not in place.samples("obsorb_up")


def test_openmetrics_is_spoken_when_it_is_wanted(place: Place) -> None:
    """As Prometheus asks for it."""
    place.hung.go.set()
    status, kind, content = place.get(accept="application/openmetrics-text; version=1.0.0")
    assert status == 200
    assert kind.startswith("application/openmetrics-text")
    assert content.endswith("# EOF\n")


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/else", 404), ("/metrics?x=1", 200)])
def test_other_paths_say_where_the_metrics_are(place: Place, path: str, status: int) -> None:
    """A person who looks with a browser is led there."""
    place.hung.go.set()
    found, _, content = place.get(path)
    assert found == status
    assert "metrics" in content or "obsorb_up" in content


def test_peers_that_say_nothing_have_no_more_than_their_share(place: Place) -> None:
    """Who comes when all places are taken finds the door shut; the others are served on."""
    place.hung.go.set()
    with ExitStack() as stack:
        for _ in range(MOST_REQUESTS):
            silent = stack.enter_context(socket.create_connection(("127.0.0.1", place.port)))
            silent.sendall(b"GET /met")
        more = stack.enter_context(socket.create_connection(("127.0.0.1", place.port)))
        assert _is_ended(more)
    assert _eventually_served(place)


def _is_ended(connection: socket.socket) -> bool:
    connection.settimeout(PATIENCE_S)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        # What was sent had not been read.
        return True


def _eventually_served(place: Place) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            return place.get()[0] == 200
        except OSError:
            threading.Event().wait(0.05)
    return False


def test_its_end_hangs_up(tmp_path: Path) -> None:
    """A peer that has not finished its request does not hold it up."""
    place = Place(tmp_path)
    place.hung.go.set()
    with socket.create_connection(("127.0.0.1", place.port)) as silent:
        silent.sendall(b"GET /met")
        place.component.stop()
        assert _is_ended(silent)
    assert (place.component.url, place.component.detail()) == ("", "")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.invalid"])
def test_it_is_served_on_the_loopback_interface_only(tmp_path: Path, host: str) -> None:
    """Since it goes out without TLS."""
    component = MetricsComponent(FakeSite(tmp_path), MetricsSettings(host=host, port=0))
    with pytest.raises(BadParam, match="not served at"):
        component.recover()
    component.stop()


def test_a_port_that_is_taken_is_refused(place: Place, tmp_path: Path) -> None:
    """With what to do."""
    settings: Any = MetricsSettings(port=place.port)
    other = MetricsComponent(FakeSite(tmp_path), settings)
    with pytest.raises(BadParam, match="cannot be served") as refusal:
        other.recover()
    assert "another port" in refusal.value.remedy
    other.stop()
