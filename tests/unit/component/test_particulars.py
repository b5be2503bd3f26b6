"""What a component says of itself in the online database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from idl_like_interfaces.announcements import ComponentState, Heartbeat
from objects.component.acquisitions_shown import AcquisitionsShown
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
