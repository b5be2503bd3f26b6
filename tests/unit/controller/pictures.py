"""Snapshots to draw in tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

from rich.console import Console

from controller.dashboard.page import Page
from controller.dashboard.render import render
from controller.dashboard.snapshot import (
    AcquisitionLine,
    ChannelLine,
    ComponentLine,
    LogLine,
    Snapshot,
)
from idl_like_interfaces.announcements import ComponentState
from idl_like_interfaces.daqif import DaqState, DaqSubstate
from idl_like_interfaces.logs import LogLevel

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)

_PATHS = {
    "dcs1": ("obs/sources/dcs1/rec",),
    "dpm": ("obs/dpm/dpm/dpm", "obs/dpm/dpm/daq"),
    "events": ("obs/events",),
    "host1": ("obs/sources/host1/daq",),
    "log": ("obs/log",),
    "ocm": ("obs/ocm/std", "obs/ocm/daq"),
}


def component(name: str, **changes: Any) -> ComponentLine:
    """A component in good health."""
    values: dict[str, Any] = {
        "name": name,
        "kind": name,
        "state": ComponentState.RUNNING,
        "detail": f"{name} at work",
        "pid": 4711,
        "uptime_s": 125.0,
        "silent_s": 0.4,
        "lease_s": 5.2,
        "names": _PATHS.get(name, ()),
    }
    return ComponentLine(**(values | changes))


def acquisition(number: int, substate: DaqSubstate, **changes: Any) -> AcquisitionLine:
    """An acquisition in a substate."""
    over = substate in (DaqSubstate.COMPLETED, DaqSubstate.ABORTED)
    file_id = f"STIS.2026-03-01T11:59:{number:02}.123"
    values: dict[str, Any] = {
        "id": file_id,
        "file_id": file_id,
        "state": DaqState.COMPLETED if over else DaqState.ACQUIRING,
        "substate": substate,
        "age_s": 3.0 * number,
    }
    return AcquisitionLine(**(values | changes))


def installation(**changes: Any) -> Snapshot:
    """An installation in the middle of its work."""
    values: dict[str, Any] = {
        "time": NOON,
        "name_server": "localhost:9090",
        "root": "obs",
        "names": 8,
        "components": tuple(component(each) for each in sorted(_PATHS)),
        "acquisitions": (
            acquisition(1, DaqSubstate.ACQUIRING),
            acquisition(2, DaqSubstate.COMPLETED, result="/data/olas/STIS.fits"),
        ),
        "channel": ChannelLine(
            events=1234,
            events_per_s=7.0,
            history=tuple(float(number % 9) for number in range(120)),
            held_bytes=123456,
            consumers=3,
            topics=(("component/heartbeat", 1200), ("daq/status", 34)),
        ),
        "log": tuple(
            LogLine(
                time=NOON - timedelta(seconds=60 - number),
                level=list(LogLevel)[number % 9],
                component="ocm",
                text=f"record number {number}",
            )
            for number in range(60)
        ),
    }
    return Snapshot(**(values | changes))


def draw(
    snapshot: Snapshot, width: int, height: int, page: Page = Page.OVERVIEW, offset: int = 0
) -> str:
    """Draw a page of a snapshot as plain text."""
    console = Console(record=True, width=width, height=height, file=StringIO())
    console.print(render(snapshot, width, height, page, offset), height=height)
    return console.export_text()
