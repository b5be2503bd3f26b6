"""A detector records sessions: how they end, what they leave, what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from astropy.io import fits
from typing_extensions import override

from idl_like_interfaces.announcements import FileFinished
from idl_like_interfaces.recif import RecExceptionErr, RecProperties, RecStatus, RecStatusName
from objects.data_source import recorder as recorder_module
from objects.data_source.folder_frames import FolderFrames
from objects.data_source.frame import FramePlan, FrameSource
from objects.data_source.output import OutputFolder
from objects.data_source.recorder import Recorder
from tests.support.site import FakeSite
from tests.unit.data_source.frames import HUBBLE, Gate, NumberedFrames

WAIT_S = 30.0
Make = Callable[[FrameSource], Recorder]


@pytest.fixture
def site(tmp_path: Path) -> FakeSite:
    return FakeSite(tmp_path, name="cam")


@pytest.fixture
def make(site: FakeSite) -> Iterator[Make]:
    made: list[Recorder] = []

    def factory(source: FrameSource) -> Recorder:
        made.append(Recorder(site, source, OutputFolder(site.data_root / "out")))
        return made[-1]

    yield factory
    for recorder in made:
        recorder.close()


def _ended(recorder: Recorder) -> RecStatus:
    answer = recorder.rec_wait(WAIT_S)
    assert not answer.timed_out
    return answer.status


def _await(recorder: Recorder, wanted: Callable[[RecStatus], bool]) -> None:
    changed = recorder._sessions._changed
    with changed:
        assert changed.wait_for(lambda: wanted(recorder.rec_status()), WAIT_S)


def _is_ending(recorder: Recorder) -> bool:
    session = recorder._sessions.current
    return session is not None and session.ending is not None


def _names(site: FakeSite) -> set[str]:
    return {path.name for path in (site.data_root / "out").iterdir()} - {".lock"}


def test_real_frames_are_recorded_to_the_last(make: Make, site: FakeSite) -> None:
    """A session over real files completes by itself; its file is announced and readable."""
    recorder = make(FolderFrames(HUBBLE))
    started = recorder.rec_start(RecProperties(id="s1"))
    assert (started.status, started.frames_remaining) == (RecStatusName.RECORDING, 6)
    status = _ended(recorder)
    assert (status.status, status.frames_processed) == (RecStatusName.COMPLETED, 6)
    (file,) = status.dp_files
    assert Path(file) == (site.data_root / "out" / "s1.fits").absolute()
    with fits.open(file, checksum=True) as hdus:
        assert [hdu.name for hdu in hdus[1:]] == ["SCI", "ERR", "DQ"] * 2
    ((_, body),) = site.events
    assert isinstance(body, FileFinished)
    assert (body.path, body.owner) == (file, "s1")


def test_a_frame_count_ends_the_session(make: Make) -> None:
    """The source's own default holds when none is wanted."""
    recorder = make(NumberedFrames(frames=2))
    recorder.rec_start(RecProperties())
    assert _ended(recorder).frames_processed == 2
    recorder.rec_start(RecProperties(frames=5))
    assert _ended(recorder).frames_processed == 5


def test_a_time_ends_the_session(make: Make, site: FakeSite) -> None:
    """Here each frame takes one second."""
    recorder = make(NumberedFrames(before=lambda _: site.clock.advance(1.0)))
    recorder.rec_start(RecProperties(max_duration=4.0))
    status = _ended(recorder)
    assert (status.status, status.frames_processed) == (RecStatusName.COMPLETED, 4)
    assert status.time_elapsed == 4.0


def test_a_source_without_more_frames_ends_the_session(make: Make) -> None:
    """It completes with those that there were."""
    recorder = make(NumberedFrames(last=3))
    recorder.rec_start(RecProperties())
    assert _ended(recorder).status is RecStatusName.COMPLETED
    assert recorder.rec_status().frames_processed == 3


def test_a_stop_keeps_what_was_recorded(make: Make) -> None:
    """On return the files are closed and readable."""
    gate = Gate(free=2)
    recorder = make(NumberedFrames(before=gate))
    recorder.rec_start(RecProperties())
    assert gate.reached.wait(WAIT_S)
    gate.opened.set()
    status = recorder.rec_stop()
    assert status.status is RecStatusName.STOPPED
    with fits.open(status.dp_files[0], checksum=True) as hdus:
        assert len(hdus) - 1 == status.frames_processed >= 2


def test_a_stop_before_the_first_frame_gives_a_valid_file(make: Make, site: FakeSite) -> None:
    """Also one that waits for its absolute time; the file says that it has no frames."""
    recorder = make(NumberedFrames())
    later = site.clock.utc() + timedelta(hours=1)
    assert recorder.rec_start(RecProperties(abs_time=later)).status is RecStatusName.INACTIVE
    status = recorder.rec_stop()
    assert fits.getheader(status.dp_files[0])["HIERARCH ESO DET REC NFRAMES"] == 0
    assert status.start_time is None


def test_an_absolute_time_is_waited_for(make: Make, site: FakeSite) -> None:
    """Recording begins then, not before."""
    recorder = make(NumberedFrames(frames=1))
    later = site.clock.utc() + timedelta(seconds=100)
    recorder.rec_start(RecProperties(abs_time=later))
    assert recorder.rec_wait(0.0).timed_out
    site.clock.advance(100.0)
    assert _ended(recorder).start_time == later


def test_an_abort_leaves_nothing(make: Make, site: FakeSite) -> None:
    """Neither a file nor an announcement."""
    source = NumberedFrames()
    recorder = make(source)
    recorder.rec_start(RecProperties(id="s1"))
    assert "s1 aborted" in recorder.rec_abort()
    status = recorder.rec_status()
    assert (status.status, status.dp_files) == (RecStatusName.ABORTED, [])
    assert _names(site) == set()
    assert site.events == []
    assert source.stopped == 1


def test_no_frame_is_taken_while_paused(make: Make) -> None:
    """They come again after continue, and the end is counted over both parts."""
    gate = Gate(free=2)
    recorder = make(NumberedFrames(frames=4, before=gate))
    recorder.rec_start(RecProperties())
    assert gate.reached.wait(WAIT_S)
    assert recorder.rec_pause().status is RecStatusName.PAUSED
    gate.opened.set()
    # The frame that was being read out when the pause came is kept, no other is taken.
    _await(recorder, lambda status: status.frames_processed == 3)
    assert recorder.rec_wait(0.1).timed_out
    assert recorder.rec_status().frames_processed == 3
    assert recorder.rec_continue().status is RecStatusName.RECORDING
    assert _ended(recorder).frames_processed == 4


def test_a_paused_session_can_be_stopped(make: Make) -> None:
    """Its data are kept."""
    recorder = make(NumberedFrames())
    recorder.rec_start(RecProperties())
    recorder.rec_pause()
    assert recorder.rec_stop().status is RecStatusName.STOPPED


def _break_at_third(number: int) -> None:
    if number == 3:
        raise RuntimeError("the shutter is stuck")


def test_a_failing_source_fails_the_session(make: Make, site: FakeSite) -> None:
    """With its reason; nothing half-written is visible, the good frames are put aside."""
    source = NumberedFrames(before=_break_at_third)
    recorder = make(source)
    recorder.rec_start(RecProperties(id="s1"))
    status = _ended(recorder)
    assert (status.status, status.dp_files) == (RecStatusName.FAILED, [])
    assert status.info.startswith("the shutter is stuck")
    assert _names(site) == {"s1.fits.broken"}
    assert source.stopped == 1
    assert site.events == []


def test_after_a_failure_the_next_session_can_start(make: Make) -> None:
    """The failed one stays in the history."""
    fail = [True]
    recorder = make(NumberedFrames(frames=3, before=lambda n: _break_at_third(n * fail[0])))
    recorder.rec_start(RecProperties(id="s1"))
    assert _ended(recorder).status is RecStatusName.FAILED
    fail[0] = False
    recorder.rec_start(RecProperties(id="s2"))
    assert _ended(recorder).status is RecStatusName.COMPLETED
    assert recorder.rec_status("s1").status is RecStatusName.FAILED


def test_a_stop_of_a_session_that_fails_says_so(make: Make) -> None:
    """The client learns that there are no data."""
    made: list[Recorder] = []

    def break_when_stopped(number: int) -> None:
        if number == 3:
            changed = made[0]._sessions._changed
            with changed:
                assert changed.wait_for(lambda: _is_ending(made[0]), WAIT_S)
        _break_at_third(number)

    recorder = make(NumberedFrames(before=break_when_stopped))
    made.append(recorder)
    recorder.rec_start(RecProperties())
    _await(recorder, lambda status: status.frames_processed == 2)
    with pytest.raises(RecExceptionErr, match="is Failed") as refused:
        recorder.rec_stop()
    assert "shutter" in refused.value.cause


def test_a_stop_does_not_wait_without_end(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame that takes very long does not hold the client; the end comes later."""
    monkeypatch.setattr(recorder_module, "FINISH_DEADLINE_S", 0.05)
    gate = Gate(free=0)
    recorder = make(NumberedFrames(before=gate))
    recorder.rec_start(RecProperties())
    with pytest.raises(RecExceptionErr, match="still being finished"):
        recorder.rec_stop()
    gate.opened.set()
    assert _ended(recorder).status is RecStatusName.STOPPED


def test_a_disk_that_refuses_fails_the_session(make: Make, site: FakeSite) -> None:
    """The place of the finished file is taken meanwhile by a folder."""
    gate = Gate(free=1)
    recorder = make(NumberedFrames(frames=2, before=gate))
    recorder.rec_start(RecProperties(id="s1"))
    assert gate.reached.wait(WAIT_S)
    (site.data_root / "out" / "s1.fits").mkdir()
    gate.opened.set()
    status = _ended(recorder)
    assert status.status is RecStatusName.FAILED
    assert "directory" in status.info.lower()


def test_an_unwritable_data_root_refuses_the_start(site: FakeSite) -> None:
    """The refusal names the folder, the cause and what to do; no session is made."""
    (site.data_root / "file").touch()
    source = NumberedFrames()
    recorder = Recorder(site, source, OutputFolder(site.data_root / "file" / "out"))
    with pytest.raises(RecExceptionErr, match="cannot be written") as refused:
        recorder.rec_start(RecProperties(id="s1"))
    assert refused.value.id == "s1"
    assert refused.value.cause
    assert refused.value.remedy
    assert recorder.rec_status().id == ""
    recorder.close()


def test_a_folder_that_vanished_refuses_the_start(make: Make, site: FakeSite) -> None:
    """What was writable once may not be later."""
    source = NumberedFrames(frames=1)
    recorder = make(source)
    recorder.rec_start(RecProperties())
    _ended(recorder)
    out = site.data_root / "out"
    out.rename(site.data_root / "elsewhere")
    out.touch()
    with pytest.raises(RecExceptionErr, match="cannot be written"):
        recorder.rec_start(RecProperties())
    assert source.stopped == 2


def test_a_folder_without_frames_refuses_the_start(make: Make, tmp_path: Path) -> None:
    """The refusal of the frame source reaches the client."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecExceptionErr, match="has no FITS files") as refused:
        make(FolderFrames(tmp_path / "empty")).rec_start(RecProperties())
    assert "Put FITS files there" in refused.value.remedy


class _Dead(NumberedFrames):
    @override
    def ensure_ready(self, properties: RecProperties) -> FramePlan:
        raise ConnectionError("no answer from the controller")


def test_a_source_that_breaks_at_the_start_refuses_it(make: Make) -> None:
    """Whatever an own source raises, the client gets a declared refusal."""
    source = _Dead()
    with pytest.raises(RecExceptionErr, match="cam gives no frames") as refused:
        make(source).rec_start(RecProperties())
    assert refused.value.cause == "no answer from the controller"
    assert source.stopped == 1


def test_an_id_names_one_session_even_after_a_restart(make: Make) -> None:
    """The file of the earlier one is still there."""
    first = make(NumberedFrames(frames=1))
    first.rec_start(RecProperties(id="s1"))
    _ended(first)
    with pytest.raises(RecExceptionErr, match="s1 was used before"):
        first.rec_start(RecProperties(id="s1"))
    first.close()
    with pytest.raises(RecExceptionErr, match="s1 was used before"):
        make(NumberedFrames()).rec_start(RecProperties(id="s1"))


def test_ids_of_one_moment_differ(make: Make) -> None:
    """The source makes an id of its name and the time."""
    recorder = make(NumberedFrames(frames=1))
    ids = []
    for _ in range(3):
        ids.append(recorder.rec_start(RecProperties()).id)
        _ended(recorder)
    assert ids == [f"cam.2026-01-02T03:04:05.{ms}" for ms in ("000", "001", "002")]


@pytest.mark.spec("ESO-175")
def test_at_least_a_hundred_sessions_are_remembered(make: Make) -> None:
    """The first of them can still be asked for; the last is the current one."""
    recorder = make(NumberedFrames(frames=1))
    ids = []
    for _ in range(101):
        ids.append(recorder.rec_start(RecProperties()).id)
        _ended(recorder)
    assert recorder.rec_status(ids[0]).status is RecStatusName.COMPLETED
    assert recorder.rec_status("").id == ids[-1]


def test_going_down_keeps_the_data_of_a_session(make: Make, site: FakeSite) -> None:
    """An orderly end of the process is a stop."""
    recorder = make(NumberedFrames())
    recorder.rec_start(RecProperties(id="s1"))
    recorder.close()
    assert recorder.rec_status().status is RecStatusName.STOPPED
    assert _names(site) == {"s1.fits"}


def test_a_wait_may_be_of_any_length(make: Make) -> None:
    """Also longer than the system can wait."""
    recorder = make(NumberedFrames(frames=1))
    recorder.rec_start(RecProperties())
    assert not recorder.rec_wait(1e300).timed_out


def test_it_says_what_it_is_doing(make: Make) -> None:
    """For the dashboard."""
    recorder = make(NumberedFrames(frames=9))
    assert recorder.detail() == "idle"
    recorder.rec_start(RecProperties())
    recorder.rec_pause()
    assert recorder.detail().startswith("paused, ")
    assert recorder.detail().endswith(" of 9 frames")
    recorder.rec_abort()
    assert recorder.detail() == "idle"
