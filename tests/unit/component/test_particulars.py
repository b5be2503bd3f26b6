"""What a component says of itself in the online database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from idl_like_interfaces.announcements import ComponentState, Heartbeat
from idl_like_interfaces.clients.oldb_values import as_component
from idl_like_interfaces.errors import Transient
from idl_like_interfaces.logs import LogLevel
from idl_like_interfaces.oldb import KeyNode, NoSuchKey
from objects.component.acquisitions_shown import AcquisitionsShown, among
from objects.component.common_settings import CommonSettings
from objects.component.particulars import Particulars, configuration
from tests.support.site import FakeSite
from tests.support.small import status


class Limits(msgspec.Struct, kw_only=True, frozen=True):
    """Nested settings."""

    merge: int = 1
    by_name: dict[str, float] = msgspec.field(default_factory=lambda: {"a b": 1.5})


class Settings(msgspec.Struct, kw_only=True):
    """Settings of every kind."""

    folder: Path = Path("/data")
    limits: Limits = Limits()
    dictionaries: list[str] = msgspec.field(default_factory=lambda: ["a", "b"])
    callback: Any = len


def beat(state: ComponentState, detail: str = "") -> Heartbeat:
    return Heartbeat(
        component="ocm", kind="ocm", incarnation="i1", state=state, detail=detail, pid=7, host="h"
    )


def test_settings_are_flattened() -> None:
    """Lists stay whole; what may not stand in a key is replaced, and objects are passed over."""
    assert dict(configuration(Settings())) == {
        "folder": "/data",
        "limits/merge": 1,
        "limits/by_name/a_b": 1.5,
        "dictionaries": ["a", "b"],
    }


def test_everything_is_told_once_then_what_changes(tmp_path: Path) -> None:
    """Who it is, where, with which settings, how it is."""
    site = FakeSite(tmp_path)
    told = Particulars(site, Settings())
    told.tell(beat(ComponentState.STARTED))
    assert site.recorded["state"] == "started"
    assert site.recorded["cfg/limits/merge"] == 1
    assert {"version", "incarnation", "host", "pid", "kind", "detail"} <= site.recorded.keys()
    site.recorded.clear()
    told.tell(beat(ComponentState.RUNNING, "busy"))
    assert site.recorded == {"state": "running", "detail": "busy"}
    site.recorded.clear()
    told.tell(beat(ComponentState.RUNNING, "busy"))
    assert site.recorded == {}


def test_the_settings_that_all_components_have_are_told_beside_its_own(tmp_path: Path) -> None:
    """As they are in force."""
    site = FakeSite(tmp_path)
    told = Particulars(site, Settings(), CommonSettings(log_level=LogLevel.STATE))
    told.tell(beat(ComponentState.STARTED))
    assert site.recorded["cfg/log_level"] == "STATE"
    assert site.recorded["cfg/request_port"] == 0
    assert site.recorded["cfg/limits/merge"] == 1


def test_what_cannot_be_recorded_stops_nothing(tmp_path: Path) -> None:
    """A detail that is too long, a setting that is too large."""
    site = FakeSite(tmp_path)
    told = Particulars(site, Settings(dictionaries=["x" * 70_000]))
    told.tell(beat(ComponentState.RUNNING, "y" * 70_000))
    assert "cfg/dictionaries" not in site.recorded
    assert "detail" not in site.recorded
    assert site.recorded["state"] == "running"


def test_acquisitions_are_shown_and_forgotten(tmp_path: Path) -> None:
    """Each with its state; an id that cannot be shown stops nothing."""
    site = FakeSite(tmp_path)
    shown = AcquisitionsShown(site)
    shown.count(1)
    shown.show(status("STIS.2026-03-01T22:00:00.123"))
    own = "daq/STIS.2026-03-01T22:00:00.123/"
    assert site.recorded[own + "state"] == "StateAcquiring"
    assert site.recorded[own + "error"] is False
    shown.forget("STIS.2026-03-01T22:00:00.123")
    assert site.recorded == {"daq/active_count": 1}
    shown.show(status("x" * 300))
    shown.forget("x" * 300)
    assert site.recorded == {"daq/active_count": 1}


class _Database:
    """Knows what stands below a key; nobody answers until it is up."""

    def __init__(self, *nodes: KeyNode) -> None:
        self.nodes = list(nodes)
        self.is_up = False
        self.asked: list[str] = []

    def children(self, prefix: str = "") -> list[KeyNode]:
        """As the interface says."""
        if not self.is_up:
            raise Transient("it is away")
        self.asked.append(prefix)
        if not self.nodes:
            raise NoSuchKey("nothing there", key=prefix)
        return self.nodes


def _shown_acquisition(name: str) -> KeyNode:
    return KeyNode(name=name, is_value=False, below=7)


def test_what_an_earlier_start_has_left_is_removed(tmp_path: Path) -> None:
    """As soon as the database answers, once; what is in progress stays."""
    site = FakeSite(tmp_path, "ocm")
    database = _Database(
        _shown_acquisition("over"),
        _shown_acquisition(as_component("a b")),
        KeyNode(name="active_count", is_value=True, below=0),
    )
    site.bind("obs/oldb", database)
    for id in ("over", "a b"):
        AcquisitionsShown(site).show(status(id))
    site.record("daq/active_count", 1)
    AcquisitionsShown(site).tidy(among(lambda: ["a b"]))
    site.tick()
    assert "daq/over/state" in site.recorded
    database.is_up = True
    site.tick()
    site.tick()
    assert database.asked == ["ocm/daq"]
    left = {key.split("/")[1] for key in site.recorded}
    assert left == {as_component("a b"), "active_count"}


def test_there_may_be_nothing_to_tidy(tmp_path: Path) -> None:
    """In a new database; and a server that ends before it could look leaves it."""
    site, database = FakeSite(tmp_path, "ocm"), _Database()
    database.is_up = True
    site.bind("obs/oldb", database)
    shown = AcquisitionsShown(site)
    shown.tidy(lambda _: False)
    site.tick()
    shown.tidy(lambda _: False)
    shown.close()
    shown.close()
    site.tick()
    assert database.asked == ["ocm/daq"]


def test_a_queue_is_shown(tmp_path: Path) -> None:
    """Its length, and how many wait for a retry."""
    site = FakeSite(tmp_path, "dpm")
    AcquisitionsShown(site).queue(3, 1)
    assert site.recorded == {"queue/length": 3, "queue/stuck": 1}
