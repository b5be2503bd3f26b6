"""What every implementation of ``RecCmds`` does, whatever carries it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from astropy.io import fits

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.recif import (
    RecCmds,
    RecExceptionErr,
    RecProperties,
    RecStatus,
    RecStatusName,
)

PATIENCE_S = 30.0


class RecCmdsContract:
    """Inherit it and give the fixture ``source``: a source that records until it is stopped.

    It must be able to take at least three frames within the time of patience.
    """

    @pytest.fixture
    def source(self) -> RecCmds:
        """Return a source without sessions."""
        raise NotImplementedError

    def _recorded(self, source: RecCmds, properties: RecProperties) -> RecStatus:
        source.rec_start(properties)
        answer = source.rec_wait(PATIENCE_S)
        assert not answer.timed_out
        return answer.status

    def test_there_is_no_session_at_first(self, source: RecCmds) -> None:
        """The empty id stands for none, any other is refused, and so is waiting."""
        status = source.rec_status()
        assert (status.id, status.status) == ("", RecStatusName.INACTIVE)
        with pytest.raises(RecExceptionErr) as refused:
            source.rec_status("unheard-of")
        assert refused.value.id == "unheard-of"
        with pytest.raises(RecExceptionErr):
            source.rec_wait(0.0)

    def test_a_start_says_what_will_come(self, source: RecCmds) -> None:
        """The given id and text are echoed, with the number of frames to come."""
        status = source.rec_start(RecProperties(id="s1", info="test", frames=1000))
        assert (status.id, status.info) == ("s1", "test")
        assert status.status is RecStatusName.RECORDING
        assert status.start_time is not None
        assert status.frames_processed + status.frames_remaining == 1000

    @pytest.mark.spec("ESO-175")
    def test_a_session_completes_by_itself(self, source: RecCmds) -> None:
        """With exactly the frames that were wanted, in FITS files that can be read."""
        status = self._recorded(source, RecProperties(frames=3))
        assert status.status is RecStatusName.COMPLETED
        assert (status.frames_processed, status.frames_remaining) == (3, 0)
        assert status.end_time is not None
        assert status.remaining_time == 0.0
        assert source.rec_status("") == source.rec_status(status.id) == status
        for file in status.dp_files:
            assert Path(file).is_absolute()
            with fits.open(file, checksum=True) as hdus:
                hdus.verify("exception")
                assert len(hdus) == 1 + 3

    def test_a_time_limit_ends_a_session(self, source: RecCmds) -> None:
        """It completes and keeps what there is."""
        status = self._recorded(source, RecProperties(max_duration=0.05))
        assert status.status is RecStatusName.COMPLETED
        assert status.time_elapsed >= 0.05

    @pytest.mark.spec("ESO-175")
    def test_past_sessions_can_be_asked_for(self, source: RecCmds) -> None:
        """By their ids; the empty id is the current or else the last one."""
        first = self._recorded(source, RecProperties(frames=1))
        running = source.rec_start(RecProperties(id="running"))
        assert source.rec_status("").id == running.id
        source.rec_stop()
        assert source.rec_status("").id == running.id
        assert source.rec_status(first.id) == first

    @pytest.mark.spec("ESO-179")
    def test_files_are_closed_and_readable_when_a_stop_returns(self, source: RecCmds) -> None:
        """Nobody writes to them any more."""
        source.rec_start(RecProperties())
        status = source.rec_stop()
        assert status.status is RecStatusName.STOPPED
        for file in status.dp_files:
            assert not _is_open(file)
            with fits.open(file, checksum=True) as hdus:
                assert len(hdus) == 1 + status.frames_processed

    def test_an_abort_discards_the_data(self, source: RecCmds) -> None:
        """It returns a text for people; the session is Aborted without files."""
        source.rec_start(RecProperties(id="s1"))
        assert source.rec_abort()
        status = source.rec_status("s1")
        assert (status.status, status.dp_files) == (RecStatusName.ABORTED, [])

    @pytest.mark.spec("ESO-176")
    def test_a_session_can_be_paused_and_continued(self, source: RecCmds) -> None:
        """Both return a status; each is refused where it makes no sense."""
        with pytest.raises(RecExceptionErr):
            source.rec_pause()
        with pytest.raises(RecExceptionErr):
            source.rec_continue()
        source.rec_start(RecProperties(id="s1"))
        with pytest.raises(RecExceptionErr) as refused:
            source.rec_continue()
        assert refused.value.id == "s1"
        assert source.rec_pause().status is RecStatusName.PAUSED
        with pytest.raises(RecExceptionErr):
            source.rec_pause()
        assert source.rec_continue().status is RecStatusName.RECORDING
        source.rec_abort()
        with pytest.raises(RecExceptionErr):
            source.rec_pause()

    @pytest.mark.spec("ESO-177")
    def test_a_stop_without_a_session_is_refused(self, source: RecCmds) -> None:
        """Also after the last one has ended, and for an abort."""
        for command in (source.rec_stop, source.rec_abort):
            with pytest.raises(RecExceptionErr) as refused:
                command()
            assert refused.value.remedy
        self._recorded(source, RecProperties(frames=1))
        for command in (source.rec_stop, source.rec_abort):
            with pytest.raises(RecExceptionErr):
                command()

    def test_one_session_at_a_time(self, source: RecCmds) -> None:
        """A second start is refused, and the first session goes on."""
        source.rec_start(RecProperties(id="s1"))
        with pytest.raises(RecExceptionErr) as refused:
            source.rec_start(RecProperties(id="s2"))
        assert refused.value.id == "s2"
        assert source.rec_status().id == "s1"
        assert source.rec_status().status is RecStatusName.RECORDING

    def test_an_id_is_used_once(self, source: RecCmds) -> None:
        """The source makes unique ones itself."""
        made = [self._recorded(source, RecProperties(frames=1)).id for _ in range(2)]
        assert made[0] != made[1]
        with pytest.raises(RecExceptionErr) as refused:
            source.rec_start(RecProperties(id=made[0]))
        assert refused.value.cause
        assert source.rec_status().id == made[1]

    def test_conditions_that_cannot_be_met_are_refused(self, source: RecCmds) -> None:
        """Nothing is started."""
        past = datetime.now(UTC) - timedelta(hours=1)
        for bad in (
            RecProperties(id="a/b"),
            RecProperties(frames=-1),
            RecProperties(abs_time=past),
        ):
            with pytest.raises(RecExceptionErr):
                source.rec_start(bad)
        assert source.rec_status().id == ""

    def test_a_wait_that_runs_out_is_no_error(self, source: RecCmds) -> None:
        """The session goes on."""
        source.rec_start(RecProperties())
        answer = source.rec_wait(0.01)
        assert answer.timed_out
        assert answer.status.status is RecStatusName.RECORDING

    def test_all_who_wait_are_told_of_the_end(self, source: RecCmds) -> None:
        """At once, not at the end of their time."""
        source.rec_start(RecProperties())
        with ThreadPoolExecutor(3) as pool:
            answers = [pool.submit(source.rec_wait, PATIENCE_S) for _ in range(3)]
            source.rec_stop()
            ends = [answer.result().status.status for answer in answers]
        assert ends == [RecStatusName.STOPPED] * 3


def _is_open(file: str) -> bool:
    descriptors = Path("/proc/self/fd")
    return any(_target(link) == file for link in descriptors.iterdir())


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # closed meanwhile
        return ""


class RecCmdsRefusesBadArguments:
    """What every way over a wire adds."""

    def test_wrong_types_are_refused_by_field(self, source: RecCmds) -> None:
        """The path of the field is named."""
        with pytest.raises(BadParam) as refused:
            source.rec_start(RecProperties(frames="three"))  # type: ignore[arg-type]
        assert "frames" in refused.value.field
