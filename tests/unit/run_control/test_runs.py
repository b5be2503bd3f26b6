"""Runs from begin to end, with whatever goes wrong on the way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from typing_extensions import override

from idl_like_interfaces.errors import BadParam, PersistStore, Transient
from idl_like_interfaces.event_logger import (
    CommandRefused,
    Fenced,
    LoggerRun,
    RunCertificate,
    RunState,
)
from idl_like_interfaces.run_configuration import PauseRule, Quality, RunBegin, WriterKind
from idl_like_interfaces.run_control import (
    LOGBOOK_TOPIC,
    RUN_TOPIC,
    LogbookMoment,
    Member,
    NotInControl,
    Phase,
    Run,
    RunRefused,
    Verdict,
    WriterPhase,
)
from objects.run_control.records import RunRecord
from tests.support.eventually import eventually
from tests.support.runs import Hall, hall, logger_writer
from tests.unit.run_control.test_pausing import alarm, condition


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Hall]:
    """Run control that is configured with two loggers."""
    with hall(tmp_path) as found:
        found.configure()
        yield found


def test_a_logger_that_came_back_with_less_flags_the_run(room: Hall) -> None:
    """Its certificate agrees with itself; run control has seen more, and says so."""
    room.start()
    room.loggers["a"].feed(1, 1000)
    room.until(1, lambda run: run.events == 1000, "the events are seen")
    logger = room.loggers["a"]
    end_run = logger.end_run

    def less(run: int, fence: int = 0, timeout_s: float = 10.0) -> RunCertificate:
        found = end_run(run, fence, timeout_s)
        files = [replace(each, events=900) for each in found.files]
        return replace(found, events=900, files=files)

    logger.end_run = less  # type: ignore[method-assign]
    ended = room.end(1)
    assert (ended.verdict, ended.missing) == (
        Verdict.FLAGGED,
        ["a: 1000 events were accepted, 900 are confirmed"],
    )


def refused(name: str) -> CommandRefused:
    return CommandRefused(f"{name} will not", command="start_run", state="CONFIGURED")


@pytest.mark.spec("D62", "D63", "D60")
def test_a_run_from_begin_to_end(room: Hall) -> None:
    """Number, what the shifter says, verdict, logbook, report, and what everybody is told."""
    begun = room.start("first light")
    assert (begun.run, begun.phase, begun.verdict) == (1, Phase.ACTIVE, Verdict.OPEN)
    room.loggers["a"].feed(1, 10)
    room.loggers["b"].feed(1, 5)
    ended = room.end(1, Quality.UNCERTAIN, "clouds")
    assert (ended.phase, ended.verdict, ended.missing) == (Phase.ENDED, Verdict.GOOD, [])
    assert (ended.events, ended.bytes) == (15, 15_000)
    assert ended.end is not None
    assert (ended.end.quality, ended.end.comment) == (Quality.UNCERTAIN, "clouds")
    first, last = room.service.get_logbook()
    assert (first.moment, last.moment) == (LogbookMoment.BEGIN, LogbookMoment.END)
    assert (first.begin.shifter, first.begin.comment, first.begin.data_type) == (
        "anna",
        "first light",
        "test",
    )
    assert (last.end, last.verdict, last.events, last.files) == (ended.end, Verdict.GOOD, 15, 2)
    assert last.configuration_digest == ended.configuration_digest
    assert last.ended == ended.ended
    assert "project information could not be asked" in last.remark
    page = Path(ended.report).read_text()
    assert "first light" in page
    assert "GOOD" in Path(ended.report).with_suffix(".txt").read_text()
    assert room.site.notes == [
        "run 1 is Starting",
        "run 1 is Active",
        "run 1 is Ending",
        "run 1 is Ended, GOOD",
    ]
    told = [
        body.phase
        for topic, body in room.site.events
        if topic == RUN_TOPIC and isinstance(body, Run)
    ]
    assert list(dict.fromkeys(told)) == [Phase.STARTING, Phase.ACTIVE, Phase.ENDING, Phase.ENDED]
    assert [topic for topic, _ in room.site.events].count(LOGBOOK_TOPIC) == 2


def test_numbers_follow_each_other_and_several_runs_are_active(room: Hall) -> None:
    """Each ends by itself; the list has the newest first and is short."""
    assert [room.start().run for _ in range(3)] == [1, 2, 3]
    assert room.end(2).verdict is Verdict.GOOD
    assert [each.run for each in room.service.get_status().active] == [1, 3]
    listed = room.service.list_runs()
    assert [each.run for each in listed] == [3, 2, 1]
    assert all(each.notes == [] and each.writers[0].files == [] for each in listed)
    assert room.service.get_run(2).writers[0].files


def test_the_order_of_start_is_that_of_the_graph_and_of_end_the_reverse(tmp_path: Path) -> None:
    """Who waits for another starts after it and is stopped before it."""
    order: list[str] = []
    with hall(tmp_path, "abc") as room:
        room.configure(
            logger_writer("a", 1, after=["c"]),
            logger_writer("b", 2),
            logger_writer("c", 3, after=["b"]),
        )
        for name, logger in room.loggers.items():
            logger.calls = Told(name, order)
        room.start()
        room.end(1)
    assert [each for each in order if "start_run" in each] == [
        "b start_run",
        "c start_run",
        "a start_run",
    ]
    assert [each for each in order if "end_run" in each] == ["a end_run", "c end_run", "b end_run"]


class Told(list[str]):
    """The calls of a logger, noted in one list for all."""

    def __init__(self, name: str, order: list[str]) -> None:
        super().__init__()
        self._name, self._order = name, order

    @override
    def append(self, call: str) -> None:
        self._order.append(f"{self._name} {call}")


def test_a_start_that_fails_half_way_is_rolled_back(room: Hall) -> None:
    """Who has started is aborted; the number stays used, and its record says why."""
    room.loggers["b"].faults["start_run"] = refused("b")
    failed = room.start()
    assert (failed.run, failed.phase, failed.verdict) == (1, Phase.ABORTED, Verdict.FLAGGED)
    assert "b: b: b will not" in " ".join(failed.missing) or "b will not" in failed.missing[0]
    assert room.loggers["a"].run(1).state == "ABORTED"
    assert failed.report
    room.loggers["b"].faults.clear()
    assert room.start().run == 2


def test_who_is_not_essential_may_fail_to_start(tmp_path: Path) -> None:
    """The run goes on without it, and is flagged."""
    with hall(tmp_path) as room:
        room.configure(logger_writer("a", 1), logger_writer("b", 2, is_essential=False))
        room.loggers["b"].faults["start_run"] = refused("b")
        begun = room.start()
        assert begun.phase is Phase.ACTIVE
        ended = room.end(1)
        assert (ended.phase, ended.verdict) == (Phase.ENDED, Verdict.FLAGGED)
        assert "b has confirmed nothing" in ended.missing[0]


@pytest.mark.spec("D70")
@pytest.mark.parametrize("trouble", ["away", "full", "fresh", "ahead"])
def test_a_start_that_cannot_succeed_uses_no_number(room: Hall, trouble: str) -> None:
    """All that stands against it is said at once; nothing has changed."""
    logger = room.loggers["b"]
    match trouble:
        case "away":
            room.go_away("b")
        case "full":
            logger.level = "close"
        case "fresh":
            logger.reset(room.service.get_status().control.fence)
        case _:
            ended = LoggerRun(run=41, state=RunState.ENDED, started=datetime.now(UTC))
            logger._kept.runs[41] = ended
    with pytest.raises(RunRefused) as refusal:
        room.start()
    assert all(each.startswith("b: ") for each in refusal.value.reasons)
    assert refusal.value.remedy
    assert room.service.get_status().last_run == 0


def test_a_repeated_request_begins_no_second_run(room: Hall) -> None:
    """The run of before is returned, also when it has ended meanwhile."""
    begin = RunBegin(shifter="anna")
    one = room.service.start(room.token, begin, "same")
    room.end(1)
    again = room.service.start(room.token, begin, "same")
    assert (one.run, again.run, again.phase) == (1, 1, Phase.ENDED)
    with pytest.raises(BadParam):
        room.service.start(room.token, begin, "")


def test_repeated_commands_change_nothing(room: Hall) -> None:
    """End, abort, pause and resume may come twice; what contradicts is refused."""
    room.start()
    room.service.pause(room.token, 1, "tea")
    before = room.service.pause(room.token, 1, "again")
    assert before.pause_reason == "tea"
    room.service.resume(room.token, 1)
    room.service.resume(room.token, 1)
    first = room.end(1)
    assert room.end(1, Quality.USELESS) == first
    with pytest.raises(RunRefused):
        room.service.abort(room.token, 1, "late")


def test_without_control_nothing_is_commanded(room: Hall) -> None:
    """Who lost it is told to whom; the writers never hear of his command."""
    room.start()
    other = room.service.take_control("bert", "there", 60.0, True)
    for command in (
        lambda: room.end(1),
        lambda: room.service.abort(room.token, 1, ""),
        lambda: room.service.pause(room.token, 1, ""),
        room.start,
        room.configure,
    ):
        with pytest.raises(NotInControl) as told:
            command()
        assert told.value.holder == "bert"
    room.token = other.token
    assert room.end(1).verdict is Verdict.GOOD
    with pytest.raises(Fenced):
        room.loggers["a"].pause(1, "", other.fence - 1)


@pytest.mark.spec("D43")
def test_pause_and_resume_reach_the_writers(room: Hall) -> None:
    """Events are taken before and after, into the same files, not between."""
    room.start()
    assert room.loggers["a"].feed(1, 1)
    paused = room.service.pause(room.token, 1, "tea")
    assert (paused.phase, paused.pause_reason) == (Phase.PAUSED, "tea")
    assert {each.phase for each in paused.writers} == {WriterPhase.PAUSED}
    assert not room.loggers["a"].feed(1, 1)
    resumed = room.service.resume(room.token, 1)
    assert {each.phase for each in resumed.writers} == {WriterPhase.ACTIVE}
    assert room.loggers["a"].feed(1, 1)
    assert room.end(1).events == 2


@pytest.mark.spec("D42")
def test_an_abort_keeps_what_is_written(room: Hall) -> None:
    """Files are closed and confirmed; the run is flagged, with the reason."""
    room.start()
    room.loggers["a"].feed(1, 3)
    aborted = room.service.abort(room.token, 1, "beam lost")
    assert (aborted.phase, aborted.verdict) == (Phase.ABORTED, Verdict.FLAGGED)
    assert aborted.missing[0] == "the run was aborted: beam lost"
    assert aborted.writers[0].files[0].size_bytes == 3000


def test_an_abort_overtakes_an_end_that_hangs(room: Hall) -> None:
    """Who ends for ever can be aborted."""
    room.start()
    room.loggers["a"].slow_ends = 10**9
    ending = threading.Thread(target=lambda: room.end(1))
    ending.start()
    room.until(1, lambda run: run.phase is Phase.ENDING, "it is ending")
    aborted = room.service.abort(room.token, 1, "enough")
    ending.join()
    assert aborted.phase is Phase.ABORTED


def test_an_end_waits_for_who_needs_time(room: Hall) -> None:
    """A logger that is not done yet is asked again."""
    room.start()
    room.loggers["a"].slow_ends = 3
    assert room.end(1).verdict is Verdict.GOOD


@pytest.mark.spec("D64")
def test_without_recording_nothing_is_missing(room: Hall) -> None:
    """Events are counted, there are no files, and that is good."""
    room.start(recording=False)
    room.loggers["a"].feed(1, 7)
    ended = room.end(1)
    assert (ended.verdict, ended.events) == (Verdict.GOOD, 7)
    assert ended.writers[0].files == []


def test_gaps_flag_a_run(room: Hall) -> None:
    """They are noted when they are found, and told at the end."""
    room.start()
    room.loggers["a"].feed(1, 10)
    room.loggers["a"].lose(1, 3)
    seen = room.until(1, lambda run: run.gap_count == 3, "the gap is seen")
    assert seen.gaps[0].sender == "router"
    ended = room.end(1)
    assert ended.verdict is Verdict.FLAGGED
    assert ended.missing == ["a: 3 messages never came"]
    assert any("3 messages never came" in each.text for each in ended.notes)


def test_a_gap_of_unknown_length_flags_a_run(room: Hall) -> None:
    """A sender that began anew without its spool; also when run control has never seen the gap."""
    room.start()
    room.loggers["a"].feed(1, 10)
    room.loggers["a"].lose(1, 0)
    ended = room.end(1)
    assert ended.verdict is Verdict.FLAGGED
    assert [each[: len("a: router was started anew at ")] for each in ended.missing] == [
        "a: router was started anew at "
    ]
    assert ended.missing[0].endswith("what it had not handed over is unknown")


def test_a_gap_in_the_last_second_flags_a_run(tmp_path: Path) -> None:
    """The certificate tells it: nobody need have looked at the run behind it."""
    with hall(tmp_path) as room:
        room.configure()
        begun = room.start()
        room.loggers["a"].lose(begun.run, 3)
        ended = room.end(begun.run)
        assert (ended.verdict, ended.gap_count) == (Verdict.FLAGGED, 3)
        assert ended.missing == ["a: 3 messages never came"]


def test_all_pages_of_a_certificate_are_read(
    room: Hall, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A run of more files than one message tells is judged by all of them."""
    monkeypatch.setattr("objects.logger_stream.certificates.MOST_FILES", 2)
    room.start()
    logger = room.loggers["a"]
    logger.feed(1, 10)
    for number in range(1, 5):
        path = logger.folder / f"{1:09d}" / f"more_{1:09d}_{number:03d}.raw"
        path.write_bytes(bytes(1000))
    ended = room.end(1)
    assert ended.verdict is Verdict.GOOD
    writer = next(each for each in ended.writers if each.name == "a")
    assert (len(writer.files), writer.files_total) == (5, 5)


def test_too_many_gaps_abort_a_run(tmp_path: Path) -> None:
    """Above the limit of the configuration."""
    with hall(tmp_path) as room:
        room.configure(most_missing=0.2)
        room.start()
        room.loggers["a"].feed(1, 90)
        room.loggers["a"].lose(1, 10)
        room.until(1, lambda run: run.gap_count == 10, "the gap is seen")
        assert room.service.get_run(1).phase is Phase.ACTIVE
        room.loggers["a"].lose(1, 20)
        aborted = room.until(1, lambda run: run.phase is Phase.ABORTED, "it is aborted")
        assert "25.00% of its messages are missing" in aborted.missing[0]


def test_a_file_that_is_not_as_confirmed_flags_a_run(
    room: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk of this host is looked at."""
    room.start()
    room.loggers["a"].feed(1, 10)
    close = room.loggers["a"]._close

    def shorten(*arguments: object) -> object:
        certificate = close(*arguments)  # type: ignore[arg-type]
        Path(certificate.files[0].path).write_bytes(b"short")
        return certificate

    monkeypatch.setattr(room.loggers["a"], "_close", shorten)
    monkeypatch.setattr("objects.run_control.surroundings._is_here", lambda site, writer: True)
    ended = room.end(1)
    assert ended.verdict is Verdict.FLAGGED
    assert "has 5 bytes, 10000 were confirmed" in ended.missing[0]


@pytest.mark.spec("D38")
def test_a_logger_that_dies_and_comes_back_costs_nothing(room: Hall) -> None:
    """The run goes on, it is told as lost, and resumed when it is back with everything."""
    room.start()
    room.loggers["a"].feed(1, 5)
    room.go_away("a")
    lost = room.until(1, lambda run: run.writers[0].phase is WriterPhase.LOST, "it is lost")
    assert lost.phase is Phase.ACTIVE
    assert ("obs/run", "writer a lost") in room.site.alarms
    room.come_back("a")
    assert not room.loggers["a"].feed(1, 1)
    room.until(1, lambda run: run.writers[0].phase is WriterPhase.ACTIVE, "it goes on")
    assert room.loggers["a"].feed(1, 5)
    assert room.site.alarms == {}
    ended = room.end(1)
    assert (ended.verdict, ended.events) == (Verdict.GOOD, 10)
    texts = [each.text for each in ended.notes]
    assert any("does not answer" in each for each in texts)
    assert "a is back" in texts


def test_who_is_lost_at_the_end_flags_the_run_until_it_confirms(tmp_path: Path) -> None:
    """It is asked again later; then the run is good, and its report is made anew."""
    with hall(tmp_path) as room:
        room.configure(end_timeout_s=1.0)
        room.start()
        room.loggers["a"].feed(1, 5)
        room.go_away("a")
        ended = room.end(1)
        assert (ended.phase, ended.verdict) == (Phase.ENDED, Verdict.FLAGGED)
        assert "a has confirmed nothing: not confirmed within 1 s" in ended.missing[0]
        assert ended.writers[0].phase is WriterPhase.LOST
        room.site.tick()
        assert room.service.get_run(1).verdict is Verdict.FLAGGED
        # Somebody corrects the date of the host: the files are awaited all the same.
        room.site.clock.set_utc(room.site.clock.utc() + timedelta(days=3))
        room.come_back("a")
        member = Member(
            name="a",
            kind=WriterKind.LOGGER,
            control="obs/logger/a/control",
            incarnation="2",
            runs=[1],
            restored=[1],
        )
        assert room.service.enroll(member).ended == [1]
        room.site.tick()
        late = room.service.get_run(1)
        assert (late.verdict, late.events, late.missing) == (Verdict.GOOD, 5, [])
        assert "after all" in Path(late.report).read_text()


def test_a_logger_that_lost_its_run_aborts_it(room: Hall) -> None:
    """An essential writer that says that it does not have the run cannot come back with everything."""
    room.start()
    room.loggers["a"]._kept.runs.clear()
    aborted = room.until(1, lambda run: run.phase is Phase.ABORTED, "it is aborted")
    assert "a has left the run: it does not know the run" in aborted.missing[0]


@pytest.mark.spec("D55", "D56")
def test_a_condition_pauses_runs_and_holds_them(room: Hall) -> None:
    """Resuming is refused while it holds; when it is over somebody resumes."""
    room.start()
    room.alarms.conditions = [condition()]
    room.component._listening.check()  # type: ignore[union-attr]
    paused = room.until(1, lambda run: run.phase is Phase.PAUSED, "it pauses")
    assert "61 °C" in paused.pause_reason
    assert room.service.get_status().pause_conditions
    with pytest.raises(RunRefused) as refusal:
        room.service.resume(room.token, 1)
    assert "61 °C" in refusal.value.reasons[0]
    room.alarms.conditions = []
    room.component._listening.check()  # type: ignore[union-attr]
    assert room.service.get_run(1).phase is Phase.PAUSED
    assert room.service.resume(room.token, 1).phase is Phase.ACTIVE


def test_a_rule_may_let_a_run_resume_by_itself(tmp_path: Path) -> None:
    """When the alarm is over."""
    with hall(tmp_path) as room:
        room.configure(pause_rules=[PauseRule(object="crate *", resumes=True)])
        room.start()
        room.alarms.alarms = [alarm()]
        room.component._listening.check()  # type: ignore[union-attr]
        room.until(1, lambda run: run.phase is Phase.PAUSED, "it pauses")
        room.alarms.alarms = []
        room.component._listening.check()  # type: ignore[union-attr]
        resumed = room.until(1, lambda run: run.phase is Phase.ACTIVE, "it goes on")
        assert resumed.pause_reason == ""
        eventually(lambda: room.loggers["a"].feed(1, 1), "the logger takes events again")


def test_a_pause_by_command_outlives_the_condition(tmp_path: Path) -> None:
    """Who pauses a run that is paused by itself holds it: it waits for a command."""
    with hall(tmp_path) as room:
        room.configure(pause_rules=[PauseRule(object="crate *", resumes=True)])
        room.start()
        room.alarms.alarms = [alarm()]
        room.component._listening.check()  # type: ignore[union-attr]
        room.until(1, lambda run: run.phase is Phase.PAUSED, "it pauses")
        held = room.service.pause(room.token, 1, "crane in the beam")
        assert (held.phase, held.pause_reason) == (Phase.PAUSED, "crane in the beam")
        room.alarms.alarms = []
        room.component._listening.check()  # type: ignore[union-attr]
        resumed = room.service.resume(room.token, 1)
        told = [each.text for each in resumed.notes]
        assert "pause: crane in the beam" in told
        assert not any("by itself: the condition is over" in each for each in told)


@pytest.mark.spec("D44")
def test_a_member_may_ask_for_a_pause(room: Hall) -> None:
    """A disk that fills up: all runs that it writes pause."""
    room.start()
    member = Member(
        name="logger0",
        kind=WriterKind.LOGGER,
        control="obs/logger/a/control",
        incarnation="1",
        runs=[1],
        pause_wish="4 % free",
    )
    assert room.service.enroll(member).active == [1]
    room.until(1, lambda run: run.phase is Phase.PAUSED, "it pauses")
    assert room.service.enroll(member).paused == [1]
    with pytest.raises(RunRefused):
        room.service.resume(room.token, 1)
    room.service.enroll(replace(member, pause_wish=""))
    assert room.service.resume(room.token, 1).phase is Phase.ACTIVE


@pytest.mark.spec("D51")
def test_runs_go_on_over_a_restart_of_run_control(room: Hall) -> None:
    """The lease, the configuration and the active runs are there again; the numbers go on."""
    room.start()
    room.loggers["a"].feed(1, 5)
    room.restart()
    assert room.service.renew_control(room.token).holder == "anna"
    status = room.service.get_status()
    assert [each.run for each in status.active] == [1]
    assert status.configuration is not None
    assert room.start().run == 2
    assert room.end(1).verdict is Verdict.GOOD
    assert room.service.abort(room.token, 2, "test").phase is Phase.ABORTED


def test_an_end_goes_on_over_a_restart(room: Hall) -> None:
    """It was on disk before it was done."""
    room.start()
    room.loggers["a"].slow_ends = 10**9
    ending = threading.Thread(target=lambda: room.end(1))
    ending.start()
    room.until(1, lambda run: run.phase is Phase.ENDING, "it is ending")
    room.component.stop()
    room.loggers["a"].slow_ends = 0
    ending.join()
    room.component = room._start()
    ended = room.until(1, lambda run: run.phase is Phase.ENDED, "it has ended")
    assert ended.verdict is Verdict.GOOD


@pytest.mark.parametrize(
    ("away_s", "step", "phase"),
    [
        (0.0, timedelta(), Phase.ACTIVE),
        (60.0, timedelta(), Phase.ABORTED),
        (0.0, timedelta(days=1), Phase.ACTIVE),
        (60.0, timedelta(days=-1), Phase.ABORTED),
    ],
)
def test_a_start_that_was_interrupted_is_completed_in_time_or_rolled_back(
    room: Hall, away_s: float, step: timedelta, phase: Phase
) -> None:
    """A run never begins by surprise long after it was wanted, wherever the date is set to."""
    room.loggers["b"].faults["start_run"] = Transient("not yet")
    starting = threading.Thread(target=room.start)
    starting.start()
    eventually(lambda: "start_run" in room.loggers["b"].calls, "it starts")
    room.component.stop()
    starting.join()
    room.loggers["b"].faults.clear()
    room.site.clock.advance(away_s)
    room.site.clock.set_utc(room.site.clock.utc() + step)
    room.component = room._start()
    found = room.until(1, lambda run: run.phase is phase, f"it is {phase}")
    assert room.loggers["a"].run(1).state == ("ACTIVE" if phase is Phase.ACTIVE else "ABORTED")
    assert found.run == 1


def test_a_configuration_that_a_writer_refuses_is_not_in_force(room: Hall) -> None:
    """All reasons are told; the old one stays."""
    old = room.service.get_status().configuration
    room.loggers["a"].faults["configure"] = refused("a")
    room.go_away("b")
    with pytest.raises(RunRefused) as refusal:
        room.configure()
    assert [each[:3] for each in refusal.value.reasons] == ["a: ", "b: "]
    assert room.service.get_status().configuration == old


def test_a_run_keeps_its_configuration(room: Hall) -> None:
    """What is configured later is for later runs."""
    room.start()
    before = room.service.get_configuration(1)
    room.configure(logger_writer("a", 9), logger_writer("b", 2))
    assert room.service.get_configuration(1) == before
    assert room.end(1).verdict is Verdict.GOOD


def test_a_start_whose_failure_a_crash_has_interrupted_is_rolled_back(room: Hall) -> None:
    """That an essential writer has failed is on disk: the run does not become active without it."""
    room.loggers["b"].faults["start_run"] = refused("b")
    office = room.component._office
    assert office is not None
    begun = threading.Event()

    def crash(old: RunRecord, new: RunRecord) -> None:
        if new.run.writers[1].phase is WriterPhase.FAILED and not begun.is_set():
            begun.set()
            office._drivers[1]._stop.set()

    office._tell = crash
    starting = threading.Thread(target=room.start)
    starting.start()
    assert begun.wait(20)
    room.component.stop()
    starting.join()
    room.component = room._start()
    aborted = room.until(1, lambda run: run.phase is Phase.ABORTED, "it is aborted")
    assert "b will not" in aborted.missing[0]


def test_a_verdict_waits_for_a_disk_that_is_full(room: Hall) -> None:
    """What was confirmed must be on disk before the run is judged."""
    room.start()
    room.loggers["a"].feed(1, 5)
    store = room.component._store
    assert store is not None
    save, refusals = store.save, iter(range(3))

    def fail(record: RunRecord) -> None:
        if record.certificates and next(refusals, None) is not None:
            raise PersistStore("the disk is full")
        save(record)

    store.save = fail  # type: ignore[method-assign]
    ended = room.end(1)
    assert (ended.verdict, ended.missing) == (Verdict.GOOD, [])
