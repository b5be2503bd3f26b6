"""A story in which there is everything that can be told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from idl_like_interfaces.daq_contributions import (
    StoryCollision,
    StoryFile,
    StoryReceiver,
    StorySide,
    StorySource,
)
from idl_like_interfaces.daqif import (
    AlertSeverity,
    DaqAlert,
    DaqState,
    DaqStatus,
    DaqStory,
    DaqSubstate,
    ProductStory,
    StoryAlert,
    StoryState,
)
from tests.unit.controller.pictures import NOON

SECOND = timedelta(seconds=1)


def alert(id: str, severity: AlertSeverity = AlertSeverity.ERROR, seconds: int = 0) -> DaqAlert:
    return DaqAlert(
        id=id,
        severity=severity,
        description=f"{id} is\nwrong",
        cause="a cable",
        remedy="plug it in",
        time=NOON + seconds * SECOND,
    )


def making(**changes: Any) -> ProductStory:
    values: dict[str, Any] = {
        "status": status(DaqState.MERGING, DaqSubstate.RELEASING),
        "alerts": [StoryAlert(alert=alert("release/0", seconds=9))],
        "collisions": [
            StoryCollision(
                keyword="EXPTIME",
                winner=StorySide(source="dcs1", value="30.0"),
                losers=[StorySide(source="host1", value="29.9")],
                more_losers=2,
            )
        ],
        "more_collisions": 4,
        "receivers": [
            StoryReceiver(place="/olas/F.fits", is_delivered=True, detail="hard link"),
            StoryReceiver(place="far:/in/F.fits", is_delivered=False, detail="it is full"),
        ],
        "product": StoryFile(path="/dpm/result/F.fits", size_bytes=2048),
        "digest": "sha256:00",
        "picture": "/dpm/result/F.png",
    }
    return ProductStory(**(values | changes))


def status(state: DaqState, substate: DaqSubstate, **changes: Any) -> DaqStatus:
    values: dict[str, Any] = {
        "id": "d1",
        "file_id": "F",
        "state": state,
        "substate": substate,
        "timestamp": NOON.timestamp(),
        "error": True,
        "alerts": [alert("release/0", seconds=9)],
    }
    return DaqStatus(**(values | changes))


def story(**changes: Any) -> DaqStory:
    """A story of an acquisition that cannot be released to one of its receivers."""
    lost = StoryAlert(alert=alert("source:dcs1:wait"), cleared=NOON + SECOND)
    values: dict[str, Any] = {
        "status": status(DaqState.MERGING, DaqSubstate.RELEASING),
        "coordinator": "ocm",
        "created": NOON,
        "states": [
            StoryState(
                state=DaqState.ACQUIRING,
                substate=DaqSubstate.ACQUIRING,
                entered=NOON,
                duration_s=2.5,
            ),
            StoryState(
                state=DaqState.MERGING,
                substate=DaqSubstate.MERGING,
                entered=NOON + SECOND,
                duration_s=0.0001,
            ),
            StoryState(
                state=DaqState.MERGING, substate=DaqSubstate.RELEASING, entered=NOON + 2 * SECOND
            ),
        ],
        "sources": [
            StorySource(
                name="dcs1",
                kind="primarySource",
                reference="obs/sources/dcs1/rec",
                state="ended",
                answer="ended well",
                files=[StoryFile(path="/data/dcs1.fits", size_bytes=3 << 20)],
                more_files=7,
                keywords=3,
            ),
            StorySource(
                name="old",
                kind="fitsFile",
                files=[StoryFile(path="far:/data/old.fits")],
            ),
            StorySource(
                name="bad", kind="metadataSource", state="failed", answer="it does not answer"
            ),
        ],
        "keywords": 2,
        "alerts": [lost, StoryAlert(alert=alert("release/0", seconds=9))],
        "making": making(),
    }
    return DaqStory(**(values | changes))
