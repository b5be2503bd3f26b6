"""What the coordinator says, under the loggers and levels that ESO names."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import pytest

from idl_like_interfaces.daqif import DaqException, DaqState, DaqSubstate
from idl_like_interfaces.logs import LogLevel
from idl_like_interfaces.stdif import LogInfo
from tests.support.daq import Bench


@pytest.fixture(autouse=True)
def levels(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Let INFO through as in a component, and put the levels back."""
    caplog.set_level(logging.INFO)
    caplog.handler.setLevel(logging.NOTSET)
    yield
    for name in ("daq.ocm.manager.awaitstate", "daq.ocm.eventlog"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def said(caplog: pytest.LogCaptureFixture, logger: str) -> list[tuple[int, str]]:
    """Level and text of each record of a logger."""
    return [(each.levelno, each.getMessage()) for each in caplog.records if each.name == logger]


def test_an_acquisition_is_told_by_its_controller(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """Each state that it enters, as STATE."""
    id = bench.start()
    bench.daq.abort_daq(id)
    states = [
        text.rpartition("/")[2] for level, text in said(caplog, "daq.ocm.controller") if level == 27
    ]
    assert states == ["Starting", "Acquiring", "Aborting", "Aborted"]


def test_the_event_log_has_commands_and_statuses(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """ACTION for what is commanded, EVENT for what is published, as items with names."""
    id = bench.start()
    bench.daq.abort_daq(id)
    told = said(caplog, "daq.ocm.eventlog")
    commands = [text for level, text in told if level == 23]
    assert commands[-1] == f"command=abort_daq id={id}"
    statuses = [text for level, text in told if level == 25]
    assert all(
        re.search(r"^id=\S+ file_id=\S+ state=\S+ substate=\S+ error=", each) for each in statuses
    )
    assert "substate=Aborted error=false alerts=0 result=-" in statuses[-1]


def test_a_line_feed_makes_no_second_record(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever a client gives as an id."""
    with pytest.raises(DaqException):
        bench.daq.abort_daq("x\ncommand=exit id=y")
    assert "\n" not in said(caplog, "daq.ocm.eventlog")[-1][1]


@pytest.mark.spec("ESO-160")
def test_who_waits_is_told_when_that_is_wanted(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """The level of a named logger is changed at run time by the command of the server."""
    id = bench.start()
    wanted = (DaqState.ACQUIRING, DaqSubstate.STOPPED)
    assert bench.daq.await_daq_state(id, *wanted, 0.01).timeout
    logger = "daq.ocm.manager.awaitstate"
    assert said(caplog, logger) == []
    bench.component.std.set_log_level(LogInfo(level=LogLevel.DEBUG, logger=logger))
    assert bench.daq.await_daq_state(id, *wanted, 0.01).timeout
    assert [text.partition(": ")[2] for _, text in said(caplog, logger)] == [
        "somebody waits for StateAcquiring/Stopped, at most 0.01 s",
        "who waits for StateAcquiring/Stopped has waited in vain",
    ]
