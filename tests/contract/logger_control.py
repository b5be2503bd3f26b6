"""What every implementation of ``LoggerControl`` does, whatever carries it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.event_logger import (
    CommandRefused,
    Fenced,
    LoggerConfiguration,
    LoggerControl,
    LoggerInit,
    LoggerRunStart,
    LoggerState,
    NoSuchRun,
    RunState,
    StreamConfiguration,
)

CONFIGURATION = LoggerConfiguration(
    streams=[StreamConfiguration(name="ALL", id=1), StreamConfiguration(name="muon", id=7)]
)


def configured(logger: LoggerControl) -> LoggerControl:
    """Bring a logger to CONFIGURED."""
    logger.init(LoggerInit())
    logger.configure(CONFIGURATION)
    return logger


class LoggerControlContract:
    """Inherit it and give the fixture ``logger``."""

    @pytest.fixture
    def logger(self) -> Iterator[LoggerControl]:
        """Yield a logger that was never told anything."""
        raise NotImplementedError

    @pytest.mark.spec("D01")
    @pytest.mark.spec("D02")
    @pytest.mark.spec("D70")
    @pytest.mark.parametrize(
        "command",
        [
            pytest.param(lambda it: it.configure(CONFIGURATION), id="configure"),
            pytest.param(lambda it: it.start_run(LoggerRunStart(run=1)), id="start_run"),
            pytest.param(lambda it: it.end_run(1), id="end_run"),
            pytest.param(lambda it: it.pause(), id="pause"),
            pytest.param(lambda it: it.resume(), id="resume"),
        ],
    )
    def test_a_fresh_one_takes_init_and_stop_only(
        self, logger: LoggerControl, command: Callable[[LoggerControl], object]
    ) -> None:
        """Anything else is refused with an explanation, and changes nothing."""
        with pytest.raises((CommandRefused, NoSuchRun)) as caught:
            command(logger)
        assert caught.value.remedy
        assert logger.get_status().state is LoggerState.PRE_INITIALIZED

    @pytest.mark.spec("D08")
    @pytest.mark.spec("D13")
    @pytest.mark.spec("D18")
    def test_its_states_follow_each_other(self, logger: LoggerControl) -> None:
        """INIT, CONFIG, START_RUN, END_RUN; then another run."""
        assert logger.init(LoggerInit()) is LoggerState.INITIALIZED
        assert logger.configure(CONFIGURATION) is LoggerState.CONFIGURED
        run = logger.start_run(LoggerRunStart(run=3, comment="first"))
        assert run.state is RunState.ACTIVE
        assert [each.name for each in run.streams] == ["ALL", "muon"]
        assert logger.get_status().state is LoggerState.RUNNING
        certificate = logger.end_run(3)
        assert (certificate.state, certificate.events, certificate.missing) == (
            RunState.ENDED,
            0,
            [],
        )
        assert logger.get_status().state is LoggerState.CONFIGURED
        assert logger.start_run(LoggerRunStart(run=4)).state is RunState.ACTIVE
        logger.end_run(4)

    def test_repeating_a_command_is_harmless(self, logger: LoggerControl) -> None:
        """What has taken effect is answered as before."""
        configured(logger)
        assert logger.init(LoggerInit()) is LoggerState.CONFIGURED
        assert logger.configure(CONFIGURATION) is LoggerState.CONFIGURED
        logger.start_run(LoggerRunStart(run=1))
        assert logger.start_run(LoggerRunStart(run=1)).run == 1
        first = logger.end_run(1)
        assert logger.end_run(1) == first
        assert logger.get_certificate(1) == first

    @pytest.mark.spec("D19")
    @pytest.mark.parametrize("number", [5, 4])
    def test_a_number_is_used_once_and_grows(self, logger: LoggerControl, number: int) -> None:
        """A number that was used, or a smaller one, is refused."""
        configured(logger)
        logger.start_run(LoggerRunStart(run=5))
        logger.end_run(5)
        with pytest.raises(CommandRefused) as caught:
            logger.start_run(LoggerRunStart(run=number))
        assert "5" in caught.value.remedy
        assert logger.get_status().state is LoggerState.CONFIGURED

    @pytest.mark.spec("D70")
    def test_other_arguments_of_init_are_refused(self, logger: LoggerControl) -> None:
        """It is initialized already: reset comes first."""
        logger.init(LoggerInit())
        with pytest.raises(CommandRefused, match="PRE-INITIALIZED only"):
            logger.init(LoggerInit(alarm_service="obs/other"))
        assert logger.reset() is LoggerState.PRE_INITIALIZED
        assert logger.init(LoggerInit()) is LoggerState.INITIALIZED

    @pytest.mark.parametrize(
        ("streams", "field"),
        [
            ([("ALL", 1), ("all", 2)], "configuration.streams[1].name"),
            ([("ALL", 1), ("muon", 1)], "configuration.streams[1].id"),
        ],
    )
    def test_what_stands_twice_is_refused(
        self, logger: LoggerControl, streams: list[tuple[str, int]], field: str
    ) -> None:
        """With the path of the second one; the configuration before stays in force."""
        configured(logger)
        twice = [StreamConfiguration(name=name, id=id) for name, id in streams]
        with pytest.raises(BadParam) as caught:
            logger.configure(LoggerConfiguration(streams=twice))
        assert caught.value.field == field
        assert [each.name for each in logger.get_status().streams] == ["ALL", "muon"]

    def test_thresholds_stand_in_their_order(self, logger: LoggerControl) -> None:
        """A pause before the warning makes no sense."""
        logger.init(LoggerInit())
        with pytest.raises(BadParam) as caught:
            logger.configure(LoggerConfiguration(streams=CONFIGURATION.streams, min_free_pause=0.2))
        assert caught.value.field == "configuration.minFreePause"
        assert logger.get_status().state is LoggerState.INITIALIZED

    def test_who_has_lost_control_is_refused(self, logger: LoggerControl) -> None:
        """A fence below the newest, or none while run control has a run."""
        configured(logger)
        logger.start_run(LoggerRunStart(run=1), fence=7)
        for fence in (6, 0):
            with pytest.raises(Fenced) as caught:
                logger.end_run(1, fence=fence)
            assert (caught.value.fence, caught.value.newest) == (fence, 7)
        assert logger.get_status().state is LoggerState.RUNNING
        assert logger.end_run(1, fence=8).state is RunState.ENDED
        logger.start_run(LoggerRunStart(run=2))
        logger.end_run(2)

    def test_a_run_is_paused_and_resumed(self, logger: LoggerControl) -> None:
        """Each twice: a repetition does no harm."""
        configured(logger)
        logger.start_run(LoggerRunStart(run=1))
        for _ in range(2):
            assert logger.pause(1, "beam off") is LoggerState.RUNNING
        (run,) = logger.get_status().runs
        assert (run.state, run.reason) == (RunState.PAUSED, "beam off")
        for _ in range(2):
            assert logger.resume() is LoggerState.RUNNING
        (run,) = logger.get_status().runs
        assert (run.state, run.reason) == (RunState.ACTIVE, "")
        logger.end_run(1)
        with pytest.raises(CommandRefused, match="has ended"):
            logger.pause(1)

    def test_an_aborted_run_cannot_be_ended(self, logger: LoggerControl) -> None:
        """Its certificate stays."""
        configured(logger)
        logger.start_run(LoggerRunStart(run=1))
        assert logger.abort_run(1, "no beam").state is RunState.ABORTED
        with pytest.raises(CommandRefused, match="was aborted"):
            logger.end_run(1)
        assert logger.get_certificate(1).state is RunState.ABORTED

    def test_a_run_that_nobody_knows(self, logger: LoggerControl) -> None:
        """It is refused by its number."""
        configured(logger)
        for call in (logger.end_run, logger.pause, logger.resume, logger.get_certificate):
            with pytest.raises(NoSuchRun) as caught:
                call(99)
            assert caught.value.run == 99

    @pytest.mark.spec("D72")
    def test_it_stops_with_active_runs_only_by_force(self, logger: LoggerControl) -> None:
        """Then their files are closed, and the runs aborted."""
        configured(logger)
        logger.start_run(LoggerRunStart(run=1))
        with pytest.raises(CommandRefused, match="legal in"):
            logger.stop()
        with pytest.raises(CommandRefused):
            logger.reset()
        logger.stop(is_forced=True)
        assert logger.get_certificate(1).state is RunState.ABORTED
