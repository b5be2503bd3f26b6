"""An event logger follows commands: what they change, and what becomes of events meanwhile."""

from __future__ import annotations

import errno
import logging
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from idl_like_interfaces.alarms import AlarmBatch, ReportReply, Severity
from idl_like_interfaces.announcements import FileFinished
from idl_like_interfaces.errors import BadParam, PersistStore
from idl_like_interfaces.event_logger import (
    LOGGER_TOPIC,
    UNASSIGNED,
    CommandRefused,
    DebugLevel,
    FileState,
    GapNote,
    LoggerConfiguration,
    LoggerInit,
    LoggerRunStart,
    LoggerState,
    LoggerStatus,
    RunState,
    StreamConfiguration,
    StreamParameters,
)
from idl_like_interfaces.events import Batch, PublishReply
from idl_like_interfaces.waiting import News
from objects.logger_stream.files.reader import EventFile
from tests.support.event_batches import SENDER
from tests.support.event_logger import QUICK, TestedLogger, plain, streams
from tests.support.eventually import eventually
from tests.support.failing_disk import FailingDisk


@pytest.fixture
def logger(tmp_path: Path) -> Iterator[TestedLogger]:
    with TestedLogger(tmp_path) as tested:
        yield tested


def events_in(path: str) -> list[int]:
    """Return the numbers of the events in a file."""
    with EventFile(Path(path)) as file:
        return [event.header.event for event in file]


class TakesAlarms:
    """An alarm service that keeps the texts of what it gets."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def report(self, batch: AlarmBatch) -> ReportReply:
        """See ``AlarmService.report``."""
        self.texts += [getattr(each, "text", "") for each in batch.reports]
        return ReportReply(taken=len(batch.reports), is_complete=True)


class TakesEvents:
    """A channel that keeps the topics of what it gets."""

    def __init__(self) -> None:
        self.topics: list[str] = []

    def publish(self, batch: Batch) -> PublishReply:
        """See ``EventChannel.publish``."""
        self.topics += batch.topics
        count = len(batch.topics)
        return PublishReply(epoch="one", accepted=count, duplicates=0, last=len(self.topics))


class TestInit:
    """INIT."""

    @pytest.mark.spec("D04")
    @pytest.mark.spec("D06")
    def test_it_sets_what_the_status_shows(self, logger: TestedLogger) -> None:
        """Port, services, defaults, debug level; the event server is there."""
        assert "logger/0/events" not in logger.site.offered
        logger.control.init(
            LoggerInit(
                event_port=4242,
                defaults=StreamParameters(max_bytes=1 << 21),
                debug_level=DebugLevel.ERROR,
            )
        )
        assert "logger/0/events" in logger.site.offered
        shown = logger.status.parameters
        assert (shown.event_port, shown.debug_level) == (4242, DebugLevel.ERROR)
        assert (shown.alarm_service, shown.event_channel) == ("obs/alarms", "obs/events")
        assert (shown.defaults.max_bytes, shown.defaults.queue_events) == (1 << 21, 20_000)

    def test_a_port_that_is_taken_is_refused(self, logger: TestedLogger) -> None:
        """It stays PRE-INITIALIZED."""
        logger.site.busy_ports.add(4242)
        with pytest.raises(CommandRefused, match=r"4242.*in use"):
            logger.control.init(LoggerInit(event_port=4242))
        assert logger.state is LoggerState.PRE_INITIALIZED

    @pytest.mark.spec("D05")
    def test_it_speaks_with_the_services_that_are_named(self, logger: TestedLogger) -> None:
        """Alarms, notes and status go there; after RESET to those of the installation."""
        alarms, channel = TakesAlarms(), TakesEvents()
        logger.site.bind("obs/other/alarms", alarms)
        logger.site.bind("obs/other/events", channel)
        logger.control.init(
            LoggerInit(alarm_service="obs/other/alarms", event_channel="obs/other/events")
        )
        before = len(logger.site.notes)
        eventually(lambda: any("initialized" in text for text in alarms.texts), "the note")
        eventually(lambda: channel.topics, "the status")
        assert len(logger.site.notes) == before
        assert logger.status.parameters.alarm_service == "obs/other/alarms"
        assert logger.status.links["alarms"] == "connected"
        logger.control.reset()
        logger.control.init(LoggerInit())
        assert any("initialized" in text for text in logger.site.notes)

    @pytest.mark.spec("D07")
    def test_events_are_not_accepted_before_a_run(self, logger: TestedLogger) -> None:
        """They are taken out and counted."""
        logger.control.init(LoggerInit())
        assert logger.send(1, 3).refused == 3
        assert logger.status.not_accepted == 3


class TestConfigure:
    """CONFIG."""

    @pytest.mark.spec("D08")
    @pytest.mark.spec("D09")
    @pytest.mark.spec("D10")
    def test_streams_inherit_what_they_do_not_say(self, logger: TestedLogger) -> None:
        """From their configuration, then INIT, then the settings and what is built in."""
        logger.control.init(
            LoggerInit(defaults=StreamParameters(max_events=10, flush_period_s=0.5))
        )
        own = StreamParameters(max_events=99)
        logger.control.configure(
            LoggerConfiguration(
                streams=[
                    StreamConfiguration(name="own", id=1, parameters=own),
                    StreamConfiguration(name="other", id=2),
                ],
                defaults=StreamParameters(flush_period_s=0.25),
                debug_level=DebugLevel.WARNING,
            )
        )
        first, second = (each.parameters for each in logger.status.streams)
        assert (first.max_events, second.max_events) == (99, 10)
        assert first.flush_period_s == second.flush_period_s == 0.25
        assert second.volumes == ["logger0/runs"]
        assert logger.status.parameters.debug_level is DebugLevel.WARNING

    @pytest.mark.spec("D09")
    def test_changed_defaults_stay_changed(self, logger: TestedLogger) -> None:
        """A later configuration that does not say them goes on with them."""
        logger.configured(1)
        again = LoggerConfiguration(streams=[StreamConfiguration(name="x", id=4)])
        logger.control.configure(again)
        assert logger.status.streams[0].parameters.sync_period_s == QUICK.sync_period_s

    @pytest.mark.spec("D71")
    def test_the_debug_level_changes_at_once(self, logger: TestedLogger) -> None:
        """Without a restart."""
        logger.configured(1)
        package = logging.getLogger("objects.logger_stream")
        for level in (DebugLevel.DEBUG, DebugLevel.ERROR):
            logger.control.configure(
                LoggerConfiguration(streams=streams(1).streams, debug_level=level)
            )
            assert logging.getLevelName(package.level) == level

    def test_a_volume_that_cannot_be_written_is_refused(
        self, logger: TestedLogger, tmp_path: Path
    ) -> None:
        """With the path of the field."""
        file = tmp_path / "file"
        file.write_text("no folder")
        logger.control.init(LoggerInit())
        with pytest.raises(BadParam) as caught:
            logger.control.configure(streams(1, volumes=["good", str(file)]))
        assert caught.value.field == "configuration.streams[0].parameters.volumes[1]"
        assert logger.state is LoggerState.INITIALIZED

    def test_more_streams_than_threads_are_refused(self, tmp_path: Path) -> None:
        """Thousands of streams are refused in words, not by a crash."""
        with TestedLogger(tmp_path, most_streams=100) as logger:
            logger.configured(*range(200))
            with pytest.raises(CommandRefused, match="200 of this one are more than 100"):
                logger.start(1)
            assert logger.state is LoggerState.CONFIGURED


class TestRuns:
    """Runs and their events."""

    @pytest.mark.spec("D11")
    def test_events_without_a_run_are_not_accepted(self, logger: TestedLogger) -> None:
        """In CONFIGURED as in INITIALIZED."""
        logger.configured(1)
        assert logger.send(1, 2).refused == 2
        assert logger.status.not_accepted == 2

    @pytest.mark.spec("D12")
    @pytest.mark.spec("D15")
    def test_a_configuration_is_for_later_runs(self, logger: TestedLogger) -> None:
        """A running one keeps its copy, and its events are accepted."""
        logger.configured(1)
        logger.start(1)
        logger.control.configure(streams(2))
        assert logger.send(1, 4, ids=(1,)).accepted == 4
        logger.start(2)
        assert [each.id for each in logger.run(1).streams] == [1]
        assert [each.id for each in logger.run(2).streams] == [2]
        assert logger.control.end_run(1).files[0].events == 4

    @pytest.mark.spec("D16")
    @pytest.mark.spec("D17")
    def test_two_runs_write_their_own_files(self, logger: TestedLogger) -> None:
        """One of them ends, the other one goes on."""
        logger.configured(1)
        logger.start(1)
        logger.start(2)
        logger.send(1, 3)
        logger.send(2, 2)
        first = logger.control.end_run(1)
        logger.send(2, 5)
        second = logger.control.end_run(2)
        assert (first.events, second.events) == (3, 7)
        assert events_in(first.files[0].path) == [1, 2, 3]
        assert events_in(second.files[0].path) == [4, 5, 6, 7, 8, 9, 10]
        assert logger.state is LoggerState.CONFIGURED

    @pytest.mark.spec("D21")
    def test_streams_that_nobody_configured_are_told(self, logger: TestedLogger) -> None:
        """Their events go to ``unassigned``; the status counts them by id."""
        logger.configured(1)
        logger.start(1)
        logger.send(1, 3, ids=(55,))
        certificate = logger.control.end_run(1)
        assert [(each.stream, each.events) for each in certificate.files] == [(UNASSIGNED, 3)]
        assert logger.status.unassigned == {"55": 3}

    @pytest.mark.spec("D42")
    def test_an_aborted_run_stays_readable(self, logger: TestedLogger) -> None:
        """Its files are closed, and say what was in them."""
        logger.configured(1)
        logger.start(1)
        logger.send(1, 4)
        logger.await_durable(4)
        certificate = logger.control.abort_run(1, "no beam")
        assert (certificate.state, certificate.missing) == (RunState.ABORTED, [])
        (file,) = certificate.files
        assert (file.state, file.reason_closed) == (FileState.CLOSED, "aborted: no beam")
        assert events_in(file.path) == [1, 2, 3, 4]
        assert (logger.run(1).state, logger.run(1).reason) == (RunState.ABORTED, "no beam")

    @pytest.mark.spec("D43")
    def test_a_paused_run_goes_on_in_the_same_file(self, logger: TestedLogger) -> None:
        """Nothing is accepted meanwhile, nothing is closed, nothing lost."""
        logger.configured(1)
        logger.start(1)
        logger.send(1, 2)
        logger.control.pause(1, "beam dump")
        paused = logger.send_from(3, 1, 2, timeout_s=0.05)
        assert (paused.accepted, paused.is_paused, paused.reason) == (2, True, "beam dump")
        logger.control.resume(1)
        assert logger.send_from(3, 1, 2).accepted == 4
        (file,) = logger.control.end_run(1).files
        assert events_in(file.path) == [1, 2, 3, 4]

    @pytest.mark.spec("D64")
    def test_without_recording_events_are_counted(
        self, logger: TestedLogger, tmp_path: Path
    ) -> None:
        """No file is made."""
        logger.configured(1)
        logger.start(1, recording=False)
        logger.send(1, 5)
        logger.await_durable(5)
        run = logger.run(1)
        assert (run.events, run.recording, run.streams[0].events) == (5, False, 5)
        certificate = logger.control.end_run(1)
        assert (certificate.events, certificate.files, certificate.missing) == (5, [], [])
        assert not list(tmp_path.rglob("*.raw*"))

    @pytest.mark.spec("D66")
    def test_each_closed_file_is_announced_once(self, logger: TestedLogger) -> None:
        """With digest and size, those that were full, too."""
        logger.configured(1, max_events=2, range_unit="event", range_size=1, range_grace_s=0.0)
        logger.start(1)
        logger.send(1, 7)
        certificate = logger.control.end_run(1)
        announced = [body for _, body in logger.site.events if isinstance(body, FileFinished)]
        told = sorted((each.path, each.size_bytes, each.digest) for each in announced)
        assert len(told) >= 4
        assert told == sorted(
            (each.path, each.size_bytes, each.digest) for each in certificate.files
        )
        assert {(each.kind, each.owner) for each in announced} == {("eventfile", "1")}

    @pytest.mark.spec("D60")
    def test_states_of_runs_are_told_to_everybody(self, logger: TestedLogger) -> None:
        """As a note in the history of alarms, and as an event."""
        logger.configured(1)
        logger.start(1)
        logger.control.pause(1, "tea")
        logger.control.resume(1)
        logger.control.end_run(1)
        eventually(lambda: any("ENDED" in note for note in logger.site.notes), "the last note")
        said = " ".join(logger.site.notes)
        for state in ("run 1 is ACTIVE", "run 1 is PAUSED: tea", "ACTIVE again", "is ENDING"):
            assert state in said
        states = [
            body.runs[0].state
            for topic, body in logger.site.events
            if topic == LOGGER_TOPIC and isinstance(body, LoggerStatus) and body.runs
        ]
        assert states[0] is RunState.ACTIVE
        assert states[-1] is RunState.ENDED


class TestStrays:
    """Events of runs that are not active."""

    @pytest.mark.spec("D32")
    def test_orphans_are_kept_and_told_once(self, logger: TestedLogger, tmp_path: Path) -> None:
        """A file for the run number, one MAJOR alarm, a count; nothing is started."""
        logger.configured(1)
        logger.start(1)
        for _ in range(3):
            logger.send(77, 2)
        assert logger.status.orphans == {"77": 6}
        alarm = logger.site.alarms["obs/logger0/run 77", "orphan events"]
        assert alarm.severity is Severity.MAJOR
        assert [run.run for run in logger.status.runs] == [1]
        logger.component.core.orphans.close()
        (file,) = tmp_path.rglob("orphans_*.raw")
        assert events_in(str(file)) == [1, 2, 3, 4, 5, 6]

    @pytest.mark.spec("D32")
    def test_late_events_of_a_run_that_has_ended_are_orphans(self, logger: TestedLogger) -> None:
        """Also when no other run is active."""
        logger.configured(1)
        logger.start(1)
        logger.send(1, 1)
        logger.control.end_run(1)
        logger.send(1, 2)
        assert logger.status.orphans == {"1": 2}
        assert logger.run(1).events == 1

    @pytest.mark.spec("D30")
    @pytest.mark.spec("D31")
    def test_repeated_wrong_numbers_stop_the_file(self, logger: TestedLogger) -> None:
        """Counted, not written; at the third within ten seconds the file is closed."""
        logger.configured(1)
        logger.start(1)
        logger.send(1, 2)
        logger.await_durable(2)
        logger.send(9, 2)
        assert logger.run(1).mismatches == 2
        assert logger.run(1).streams[0].files[0].state is FileState.OPEN
        logger.send(9, 1)
        eventually(
            lambda: logger.run(1).streams[0].files[0].state is FileState.CLOSED, "the closed file"
        )
        assert ("obs/logger0/run 1", "run number mismatch") in logger.site.alarms
        logger.send(1, 1)
        certificate = logger.control.end_run(1)
        assert [each.events for each in certificate.files] == [2, 1]
        assert certificate.files[0].reason_closed == "run number mismatch"


class TestFailure:
    """A journal that cannot be written."""

    @pytest.mark.spec("D52")
    def test_nothing_is_accepted_until_it_can_be_written(
        self, logger: TestedLogger, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """FATAL alarm, status, refused commands; senders wait; then it goes on by itself."""
        logger.configured(1)
        logger.start(1)
        logger.send(1, 1)

        folder = logger.component.core.safe.journal.path.parent
        with monkeypatch.context() as broken:
            disk = FailingDisk(folder, broken)
            disk.error = errno.ENOSPC
            with pytest.raises(PersistStore, match="No space left"):
                logger.control.pause(1, "x")
            assert logger.run(1).state is RunState.ACTIVE
            logger.site.tick()
            assert "No space left" in logger.status.problem
            assert logger.component.problem()
            assert logger.site.alarms["obs/logger0", "failure"].severity is Severity.FATAL
            waiting = logger.send_from(2, 1, 1, timeout_s=0.05)
            assert (waiting.accepted, waiting.is_paused) == (1, True)
        logger.site.tick()
        assert not logger.status.problem
        assert ("obs/logger0", "failure") not in logger.site.alarms
        assert logger.send_from(2, 1, 1).accepted == 2
        assert logger.control.end_run(1).events == 2

    def test_an_abort_hastens_an_end_that_hangs(
        self, logger: TestedLogger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What cannot be written is given up, and the certificate says so."""
        logger.configured(1)
        logger.start(1)
        disk = FailingDisk(tmp_path / "logger0" / "runs", monkeypatch)
        disk.error = errno.EIO
        logger.send(1, 3)
        ending = logger.control.end_run(1, timeout_s=0.2)
        assert (ending.state, bool(ending.missing)) == (RunState.ENDING, True)
        certificate = logger.control.abort_run(1, "the disk is broken", timeout_s=30.0)
        assert certificate.state is RunState.ABORTED
        assert any("3 accepted events" in text for text in certificate.missing)
        assert logger.state is LoggerState.CONFIGURED


class TestStatus:
    """What the logger tells of itself."""

    @pytest.mark.spec("D41")
    @pytest.mark.spec("D69")
    def test_it_describes_itself(self, logger: TestedLogger) -> None:
        """State, runs, streams, files, queues, connections, room; plain JSON."""
        logger.configured(1)
        logger.start(1)
        logger.send(1, 3)
        logger.await_durable(3)
        told = plain(logger.status)
        assert told["state"] == "RUNNING"
        (run,) = told["runs"]
        assert (run["events"], run["state"]) == (3, "ACTIVE")
        (stream,) = run["streams"]
        assert (stream["events"], stream["queue_events"]) == (3, 0)
        assert stream["files"][0]["events"] == 3
        (sender,) = told["senders"]
        assert (sender["name"], sender["accepted"], sender["durable"]) == ("cr1", 3, 3)
        (volume,) = told["volumes"]
        assert volume["free_bytes"] > 0
        assert set(told["links"]) == {"names", "channel", "alarms", "run_control"}

    @pytest.mark.spec("D69")
    def test_it_is_made_once_a_second(self, logger: TestedLogger) -> None:
        """All who ask get the same."""
        first = logger.control.get_status()
        assert logger.control.get_status() is first
        logger.site.clock.advance(1.5)
        assert logger.control.get_status() is not first

    @pytest.mark.spec("D40")
    def test_it_is_published_each_period(self, logger: TestedLogger) -> None:
        """Beside what each change publishes."""

        def published() -> int:
            return sum(topic == LOGGER_TOPIC for topic, _ in logger.site.events)

        logger.configured(1)
        before = published()
        logger.site.tick()
        logger.site.tick()
        assert published() == before + 2

    def test_rates_are_of_the_last_seconds(self, logger: TestedLogger) -> None:
        """Events and bytes a second."""
        logger.configured(1)
        logger.start(1)
        logger.run(1)
        logger.send(1, 30)
        logger.site.clock.advance(3.0)
        assert 5 < logger.run(1).events_s <= 10


def test_a_certificate_is_told_page_by_page(
    logger: TestedLogger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reply of the end is the first page; each says how many files there are."""
    monkeypatch.setattr("objects.logger_stream.certificates.MOST_FILES", 2)
    logger.configured(1, 2, 3).start(1)
    logger.send(1, 5, ids=(1, 2, 3))
    first = logger.control.end_run(1)
    second = logger.control.get_certificate(1, 2)
    told = [each.stream for each in (*first.files, *second.files)]
    assert sorted(told) == ["s1", "s2", "s3"]
    assert (first.files_total, second.files_total) == (3, 3)
    assert logger.control.get_certificate(1, 3).files == []


def test_a_certificate_tells_of_gaps_of_unknown_length(tmp_path: Path) -> None:
    """Also of one that was noticed before a restart, behind many of known length."""
    with TestedLogger(tmp_path) as before:
        before.configured(1).start(1)
        before.send(1, 3)
        before.hello(SENDER + 1)
        run = before.component.core.runs.get(1)
        for _ in range(150):
            run.note_gap(GapNote(sender="cr2", count=2, time=run.started, reason="full"))
    with TestedLogger(tmp_path) as after:
        found = after.control.end_run(1)
    assert found.gap_count == 300
    assert [each.sender for each in found.gaps if not each.count] == ["cr1"]
    assert len(found.gaps) == 101


def test_it_may_open_as_many_files_as_the_system_lets_it(tmp_path: Path) -> None:
    """Before it takes up what an earlier start has left open."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1] - 1, before[1]))
    try:
        with TestedLogger(tmp_path):
            assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == before[1]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.spec("D03")
def test_a_fresh_one_can_be_stopped(logger: TestedLogger) -> None:
    """The process is asked to end."""
    logger.control.stop()
    assert logger.site.exit_requested.is_set()


@pytest.mark.spec("D72")
def test_a_forced_stop_closes_the_files(logger: TestedLogger) -> None:
    """And begins afresh at the next start."""
    logger.configured(1)
    logger.start(1)
    logger.send(1, 3)
    logger.await_durable(3)
    logger.control.stop(is_forced=True)
    (file,) = logger.control.get_certificate(1).files
    assert (file.state, file.events) == (FileState.CLOSED, 3)
    assert logger.state is LoggerState.PRE_INITIALIZED


def test_news_of_runs_wakes_who_waits(logger: TestedLogger) -> None:
    """A sender that waits for the end of a pause is told."""
    logger.configured(1)
    logger.control.start_run(LoggerRunStart(run=1))
    told: list[bool] = []
    news: News = logger.component.core.runs.changed
    cancel = news.subscribe(lambda: told.append(True))
    logger.control.pause(1, "x")
    cancel()
    assert told
