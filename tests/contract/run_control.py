"""What every implementation of ``RunControl`` does, whatever carries it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.event_logger import NoSuchRun
from idl_like_interfaces.run_configuration import (
    Quality,
    RunBegin,
    RunConfiguration,
    RunEnd,
    WriterKind,
)
from idl_like_interfaces.run_control import (
    ControlHeld,
    LogbookMoment,
    Member,
    NotInControl,
    Orders,
    Phase,
    RunControl,
    RunRefused,
    Verdict,
)

BEGIN = RunBegin(shifter="anna", comment="première lumière", data_type="test")
END = RunEnd(quality=Quality.GOOD, comment="enough")


class RunControlContract:
    """Inherit it and give the fixtures ``service`` and ``configuration``."""

    @pytest.fixture
    def service(self) -> Iterator[RunControl]:
        """Yield a run control that has never been used."""
        raise NotImplementedError

    @pytest.fixture
    def configuration(self) -> RunConfiguration:
        """Return a configuration whose writers are there."""
        raise NotImplementedError

    @pytest.fixture
    def token(self, service: RunControl) -> str:
        """Take control."""
        return service.take_control("anna", "desk", 600.0).token

    def test_a_fresh_one_has_nothing(self, service: RunControl) -> None:
        """Nobody commands, nothing is configured, there are no runs."""
        status = service.get_status()
        assert (status.control.holder, status.configuration, status.active, status.last_run) == (
            "",
            None,
            [],
            0,
        )
        assert service.list_runs() == []
        assert service.get_logbook() == []

    def test_control_is_taken_renewed_and_given_back(self, service: RunControl) -> None:
        """The status says who has it, and never the token."""
        taken = service.take_control("anna", "desk", 60.0)
        assert (taken.holder, taken.place, taken.fence) == ("anna", "desk", 1)
        assert service.renew_control(taken.token).until is not None
        shown = service.get_status().control
        assert (shown.holder, shown.token) == ("anna", "")
        with pytest.raises(ControlHeld) as held:
            service.take_control("bert")
        assert (held.value.holder, held.value.place) == ("anna", "desk")
        service.release_control(taken.token)
        service.release_control(taken.token)
        assert service.take_control("bert").fence == 2

    def test_control_is_taken_away_by_force_only(self, service: RunControl, token: str) -> None:
        """Who had it is told so at the next command."""
        service.take_control("bert", is_forced=True)
        with pytest.raises(NotInControl) as lost:
            service.renew_control(token)
        assert lost.value.holder == "bert"

    def test_a_run(self, service: RunControl, configuration: RunConfiguration, token: str) -> None:
        """From its configuration to its verdict."""
        assert service.init(token, configuration).initialized
        assert service.configure(token, configuration).configuration == configuration
        begun = service.start(token, BEGIN, "request 1")
        assert (begun.run, begun.phase, begun.begin) == (1, Phase.ACTIVE, BEGIN)
        assert service.start(token, BEGIN, "request 1").run == 1
        assert service.pause(token, 1, "tea").phase is Phase.PAUSED
        assert service.resume(token, 1).phase is Phase.ACTIVE
        ended = service.end(token, 1, END)
        assert (ended.phase, ended.verdict, ended.end) == (Phase.ENDED, Verdict.GOOD, END)
        assert service.get_run(1) == ended
        assert service.get_configuration(1) == configuration
        assert [each.run for each in service.list_runs(10)] == [1]
        moments = [each.moment for each in service.get_logbook(10)]
        assert moments == [LogbookMoment.BEGIN, LogbookMoment.END]

    def test_an_aborted_run_is_flagged(
        self, service: RunControl, configuration: RunConfiguration, token: str
    ) -> None:
        """It cannot be ended any more."""
        service.configure(token, configuration)
        service.start(token, BEGIN, "request 1")
        aborted = service.abort(token, 1, "beam lost")
        assert (aborted.phase, aborted.verdict) == (Phase.ABORTED, Verdict.FLAGGED)
        assert service.abort(token, 1, "again") == aborted
        with pytest.raises(RunRefused) as refused:
            service.end(token, 1, END)
        assert refused.value.command == "end"

    def test_a_start_without_a_configuration_is_refused(
        self, service: RunControl, token: str
    ) -> None:
        """No number is used."""
        with pytest.raises(RunRefused) as refused:
            service.start(token, BEGIN, "request 1")
        assert refused.value.reasons
        assert service.get_status().last_run == 0

    @pytest.mark.parametrize("run", [0, 1, -1, 2**40])
    def test_a_run_that_there_is_not(self, service: RunControl, token: str, run: int) -> None:
        """The refusal says which."""
        for ask in (
            lambda: service.get_run(run),
            lambda: service.get_configuration(run),
            lambda: service.end(token, run, END),
            lambda: service.abort(token, run, ""),
            lambda: service.pause(token, run, ""),
            lambda: service.resume(token, run),
        ):
            with pytest.raises(NoSuchRun) as refused:
                ask()
            assert refused.value.run == run

    def test_commands_need_the_token(
        self, service: RunControl, configuration: RunConfiguration
    ) -> None:
        """Nobody has control: nothing is done."""
        for command in (
            lambda: service.configure("", configuration),
            lambda: service.init("guess", configuration),
            lambda: service.start("guess", BEGIN, "request"),
            lambda: service.end("guess", 1, END),
        ):
            with pytest.raises(NotInControl):
                command()

    def test_a_configuration_that_contradicts_itself_is_refused(
        self, service: RunControl, configuration: RunConfiguration, token: str
    ) -> None:
        """With the path of the field."""
        twice = RunConfiguration(writers=[*configuration.writers, configuration.writers[0]])
        with pytest.raises(BadParam) as refused:
            service.configure(token, twice)
        assert refused.value.field == f"configuration.writers[{len(configuration.writers)}].name"

    @pytest.mark.parametrize("limit", [0, 10_001])
    def test_pages_that_are_none_are_refused(self, service: RunControl, limit: int) -> None:
        """The refusal names the argument."""
        for ask in (service.list_runs, service.get_logbook):
            with pytest.raises(BadParam) as refused:
                ask(limit)
            assert refused.value.field == "limit"

    def test_members_are_known_and_get_orders(self, service: RunControl) -> None:
        """A run that run control does not know stands in no list."""
        member = Member(
            name="logger9",
            kind=WriterKind.LOGGER,
            control="obs/logger/9/control",
            incarnation="1",
            runs=[7],
            restored=[7],
        )
        assert service.enroll(member) == Orders()
        assert [each.name for each in service.get_status().members] == ["logger9"]
