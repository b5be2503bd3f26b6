"""The standard state machine: its table, its hooks, its events, its log levels."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.logs import LogLevel
from idl_like_interfaces.stdif import STATUS_TOPIC, ExceptionErr, LogInfo, StdCmds, StdStatus
from objects.component.std import TRANSITIONS, Cause, ServerState, StdHooks, StdServant
from tests.support.site import FakeSite

COMMANDS = [Cause.INIT, Cause.ENABLE, Cause.DISABLE, Cause.STOP, Cause.RESET]


@pytest.fixture
def site(tmp_path: Path) -> FakeSite:
    """Return a site."""
    return FakeSite(tmp_path, "ocm")


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """Yield a logger whose level is put back."""
    found = logging.getLogger("tested.std")
    yield found
    found.setLevel(logging.NOTSET)


def published(site: FakeSite) -> list[str]:
    """Return the published states."""
    return [body.status for _, body in site.events if isinstance(body, StdStatus)]


def test_the_declared_table_is_the_table() -> None:
    """Every row of the interface's docstring is a transition, and there are no others."""
    rows = [
        line.split("  ") for line in (StdCmds.__doc__ or "").splitlines() if "Operational;" in line
    ]
    described = set()
    for row in rows:
        begin, cause, end = (part.strip() for part in row if part.strip())
        described.add((begin, cause.strip("()"), end))
    coded = {(str(b), str(c), str(e)) for (b, c), e in TRANSITIONS.items() if c is not Cause.RESET}
    coded.add(("any", "reset", "NotOperational;NotReady"))
    assert described == coded


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(COMMANDS), max_size=12))
def test_any_sequence_follows_the_table(tmp_path: Path, commands: list[Cause]) -> None:
    """What the table has is done, what it has not is refused and changes nothing."""
    std = StdServant(FakeSite(tmp_path, "ocm"))
    for command in commands:
        before = std.state
        target = TRANSITIONS.get((before, command))
        if target is None:
            with pytest.raises(ExceptionErr) as refused:
                getattr(std, command)()
            assert refused.value.state == before
            assert std.state is before
        else:
            assert getattr(std, command)() == "OK"
            assert std.state is target


def test_every_change_is_published(site: FakeSite) -> None:
    """On std/status, with the server's name."""
    std = StdServant(site)
    std.announce()
    std.init()
    std.enable()
    assert published(site) == [
        "NotOperational;NotReady",
        "NotOperational;Ready",
        "Operational;Idle",
    ]
    assert site.events[0] == (
        STATUS_TOPIC,
        StdStatus(status="NotOperational;NotReady", source="ocm"),
    )


def test_work_makes_it_active(site: FakeSite) -> None:
    """Active while there is work, Idle after; disable, stop and reset are refused meanwhile."""
    work: list[int] = []
    std = StdServant(site, StdHooks(is_active=lambda: bool(work)))
    std.init()
    std.enable()
    work.append(1)
    std.refresh_activity()
    std.refresh_activity()
    assert std.get_state() == "Operational;Active"
    for command in (std.disable, std.stop, std.reset):
        with pytest.raises(ExceptionErr, match="Operational;Active") as refused:
            command()
        assert "acquisitions are in progress" in refused.value.cause
    work.clear()
    std.refresh_activity()
    assert published(site)[-2:] == ["Operational;Active", "Operational;Idle"]


def test_work_that_was_recovered_makes_it_active_at_once(site: FakeSite) -> None:
    """Enable leads on to Active; before it nothing changes."""
    std = StdServant(site, StdHooks(is_active=lambda: True))
    std.refresh_activity()
    assert std.state is ServerState.NOT_READY
    std.init()
    std.enable()
    assert published(site)[-2:] == ["Operational;Idle", "Operational;Active"]


def test_a_hook_that_fails_keeps_the_state(site: FakeSite) -> None:
    """The reason is told."""

    def fail() -> None:
        raise BadParam("instrument_id is missing", field="instrument_id", remedy="set it")

    std = StdServant(site, StdHooks(on_init=fail))
    with pytest.raises(ExceptionErr, match="instrument_id is missing") as refused:
        std.init()
    assert refused.value.remedy == "set it"
    assert std.state is ServerState.NOT_READY


def test_every_command_has_its_hook(site: FakeSite) -> None:
    """In the order of the commands; a reset does what a stop does."""
    done: list[str] = []
    std = StdServant(
        site,
        StdHooks(
            on_init=lambda: done.append("init"),
            on_enable=lambda: done.append("enable"),
            on_disable=lambda: done.append("disable"),
            on_stop=lambda: done.append("stop"),
        ),
    )
    for command in (std.init, std.enable, std.disable, std.stop, std.reset):
        command()
    assert done == ["init", "enable", "disable", "stop", "stop"]


def test_exit_is_asked_of_the_site(site: FakeSite) -> None:
    """It answers first."""
    assert StdServant(site).exit() == "OK"
    assert site.exit_requested.is_set()


def test_the_status_says_what_it_does(site: FakeSite) -> None:
    """State, and a few words."""
    std = StdServant(site, StdHooks(describe=lambda: "2 acquisitions in progress"))
    assert std.get_status() == "NotOperational;NotReady: 2 acquisitions in progress"
    assert StdServant(site).get_status() == "NotOperational;NotReady"


@pytest.mark.spec("ESO-160")
def test_the_level_of_a_logger_is_changed(site: FakeSite, logger: logging.Logger) -> None:
    """At run time, with ESO's own levels too."""
    std = StdServant(site)
    assert std.set_log_level(LogInfo(level=LogLevel.TRACE, logger=logger.name)) == "OK"
    assert logger.isEnabledFor(5)
    std.set_log_level(LogInfo(level=LogLevel.STATE, logger=logger.name))
    assert (logger.isEnabledFor(27), logger.isEnabledFor(25)) == (True, False)


def test_the_root_logger_has_no_name(site: FakeSite) -> None:
    """An empty name means all of them."""
    root = logging.getLogger()
    before = root.level
    try:
        StdServant(site).set_log_level(LogInfo(level=LogLevel.ERROR))
        assert root.level == logging.ERROR
    finally:
        root.setLevel(before)


def test_an_unknown_logger_is_refused(site: FakeSite) -> None:
    """It is not made by the question."""
    with pytest.raises(BadParam, match=r"no logger 'nobody\.there'"):
        StdServant(site).set_log_level(LogInfo(level=LogLevel.INFO, logger="nobody.there"))
    assert "nobody.there" not in logging.Logger.manager.loggerDict
