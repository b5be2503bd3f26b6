"""``obsorb top`` and its gatherer against a small installation."""

from __future__ import annotations

import threading

from controller.dashboard.gather import Gatherer
from idl_like_interfaces.announcements import HEARTBEAT_TOPIC
from idl_like_interfaces.daqif import STATUS_TOPIC, DaqState, DaqSubstate
from idl_like_interfaces.stdif import StdStatus
from tests.support.small import SmallInstallation, status
from tests.unit.controller.running import document, obsorb, ok, refused


class Beating:
    """Publishes heartbeats as long as it is entered."""

    def __init__(self, small: SmallInstallation) -> None:
        self._small = small
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._done.is_set():
            self._small.beat()
            self._done.wait(0.1)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


def test_one_frame_goes_into_a_pipe(small: SmallInstallation) -> None:
    """Without colours, as wide as COLUMNS says, with what was gathered."""
    small.record("shutter opens")
    small.publish_status(status("d9", timestamp=3.0))
    with Beating(small):
        frame = ok("top", "--once")
    for text in ("small", "waiting for dawn", "d9", "Acquiring", "shutter opens"):
        assert text in frame, text
    assert "\x1b" not in frame
    assert len(frame.splitlines()) > 20
    assert max(map(len, frame.splitlines())) <= 100


def test_frame_as_json_has_its_content(small: SmallInstallation) -> None:
    """For programs."""
    with Beating(small):
        found = document("top")
    assert found["components"][0]["name"] == "small"
    assert found["components"][0]["state"] == "running"
    assert found["troubles"] == []


def test_dashboard_needs_a_terminal(small: SmallInstallation) -> None:
    """And says what to use without one."""
    assert "--once" in refused("top")


def test_frame_without_name_server_fails() -> None:
    """The frame is printed, and the exit code tells."""
    result = obsorb("--names", "localhost:1", "top", "--once")
    assert result.exit_code == 1
    assert "away for" in result.stdout
    assert "does not answer" in result.stderr


def test_ended_acquisitions_are_replayed(small: SmallInstallation) -> None:
    """Those that ended before the dashboard began are there too."""
    small.ocm.active = []
    small.publish_status(
        status(timestamp=1.0),
        status(timestamp=2.0, state=DaqState.COMPLETED, substate=DaqSubstate.COMPLETED),
    )
    with Beating(small), Gatherer(small.names, "obs", "obs/ocm") as gatherer:
        assert gatherer.wait_until_heard(20.0)
        (line,) = gatherer.snapshot().acquisitions
    assert line.is_over


def test_what_is_no_status_is_passed_over(small: SmallInstallation) -> None:
    """Anybody may publish on the topics; the dashboard goes on, replayed or live."""
    stray = StdStatus(status="Operational;Idle", source="stray")
    small.publish(STATUS_TOPIC, stray)
    small.publish_status(status("d7", timestamp=3.0))
    with Gatherer(small.names, "obs", "obs/ocm") as gatherer:
        small.publish(STATUS_TOPIC, stray)
        small.publish(HEARTBEAT_TOPIC, stray)
        with Beating(small):
            assert gatherer.wait_until_heard(20.0)
        assert "d7" in {line.id for line in gatherer.snapshot().acquisitions}


def test_missed_end_is_asked_for(small: SmallInstallation) -> None:
    """An acquisition that is no longer active is looked up when its last event was missed."""
    small.publish_status(status(timestamp=1.0))
    small.ocm.active = []
    small.ocm.status = status(timestamp=2.0, state=DaqState.COMPLETED, substate=DaqSubstate.ABORTED)
    reached = threading.Event()
    with Gatherer(small.names, "obs", "obs/ocm") as gatherer:
        for _ in range(200):
            lines = gatherer.snapshot().acquisitions
            if lines and lines[0].is_over:
                reached.set()
                break
            reached.wait(0.1)
    assert reached.is_set()
