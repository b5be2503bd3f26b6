"""What every server does that implements ``StdCmds``, whatever carries the calls."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.logs import LogLevel
from idl_like_interfaces.stdif import ExceptionErr, LogInfo, StdCmds


class StdCmdsContract:
    """Inherit it and give the fixture."""

    @pytest.fixture
    def std(self) -> Iterator[StdCmds]:
        """Yield a server without work in NotOperational;NotReady."""
        raise NotImplementedError

    def test_it_is_led_up_and_down(self, std: StdCmds) -> None:
        """Every command that is legal answers OK, and the state follows."""
        path = [
            (std.init, "NotOperational;Ready"),
            (std.enable, "Operational;Idle"),
            (std.disable, "NotOperational;Ready"),
            (std.enable, "Operational;Idle"),
            (std.stop, "NotOperational;NotReady"),
            (std.reset, "NotOperational;NotReady"),
        ]
        for command, state in path:
            assert command() == "OK"
            assert std.get_state() == state

    def test_an_illegal_command_changes_nothing(self, std: StdCmds) -> None:
        """The error has the state, and says where the command is possible."""
        for command in (std.enable, std.disable, std.stop):
            with pytest.raises(ExceptionErr) as refused:
                command()
            assert refused.value.state == "NotOperational;NotReady"
            assert "possible" in refused.value.remedy
        assert std.get_state() == "NotOperational;NotReady"

    def test_it_tells_of_itself(self, std: StdCmds) -> None:
        """The status begins with the state; there is a version."""
        assert std.get_status().startswith("NotOperational;NotReady")
        assert std.get_version()

    def test_log_levels(self, std: StdCmds) -> None:
        """A logger that exists is set, one that does not is refused by its field."""
        assert std.set_log_level(LogInfo(level=LogLevel.INFO, logger="objects")) == "OK"
        with pytest.raises(BadParam) as refused:
            std.set_log_level(LogInfo(level=LogLevel.INFO, logger="nobody"))
        assert refused.value.field == "info.logger"

    def test_exit_answers(self, std: StdCmds) -> None:
        """Before anything ends."""
        assert std.exit() == "OK"
