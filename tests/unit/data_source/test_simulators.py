"""Simulated sources: they say what is asked of them, and have the faults that are wanted."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from idl_like_interfaces.errors import BadParam, Transient
from idl_like_interfaces.metadaqif import MetaDaqException
from idl_like_interfaces.recif import RecExceptionErr, RecProperties, RecStatusName
from objects.data_source.bench import on_bench
from objects.data_source.faults import Faults, Trouble
from objects.data_source.simulators import (
    MetadaqifSettings,
    MetadaqifSimulator,
    RecifSettings,
    RecifSimulator,
)
from tests.support.eventually import eventually
from tests.support.site import FakeSite

ONE = RecProperties(id="one")


@pytest.fixture
def said() -> list[str]:
    """What the simulator says."""
    return []


@contextmanager
def recif(
    folder: Path, said: list[str], faults: Faults | None = None, **more: Any
) -> Iterator[RecifSimulator]:
    """Run a simulated primary source without an installation."""
    told: dict[str, Any] = {"duration_s": 0.0, "is_verbose": False} | more
    settings = RecifSettings(
        say=said.append, faults=faults or Faults(), exposure_s=0.01, shape=(8, 8), **told
    )
    with on_bench(RecifSimulator, settings, folder, "dcs") as source:
        yield source


@pytest.fixture
def dcs(tmp_path: Path, said: list[str]) -> Iterator[RecifSimulator]:
    """A simulated primary source without faults."""
    with recif(tmp_path, said) as source:
        yield source


def test_enter_ends_a_recording_as_by_itself(dcs: RecifSimulator) -> None:
    """It is Completed, and its file is there."""
    dcs.told.rec_start(ONE)
    eventually(lambda: dcs.told.rec_status().frames_processed > 1)
    assert dcs.recorder.complete() == "one"
    reply = dcs.told.rec_wait(20.0)
    assert (reply.timed_out, reply.status.status) == (False, RecStatusName.COMPLETED)
    assert Path(reply.status.dp_files[0]).is_file()


def test_enter_without_a_recording_does_nothing(dcs: RecifSimulator) -> None:
    """Neither before the first one nor behind the last."""
    assert dcs.recorder.complete() == ""
    dcs.told.rec_start(ONE)
    dcs.told.rec_stop()
    assert dcs.recorder.complete() == ""
    assert dcs.told.rec_status().status is RecStatusName.STOPPED


def test_every_command_is_told(dcs: RecifSimulator, said: list[str]) -> None:
    """With what became of it; a refused one, too. Questions are not, unless wanted."""
    dcs.told.rec_start(ONE)
    dcs.told.rec_pause()
    dcs.told.rec_continue()
    dcs.told.rec_status()
    dcs.told.rec_abort()
    with pytest.raises(RecExceptionErr):
        dcs.told.rec_stop()
    assert [each.split()[0].rstrip(":") for each in said] == [
        "start", "pause", "continue", "abort", "stop",
    ]  # fmt: skip
    assert said[0].startswith("start one: one Recording, 0 frames")
    assert "refused" in said[-1]


def test_all_is_told_when_wanted(tmp_path: Path, said: list[str]) -> None:
    """Who asks, and who waits."""
    with recif(tmp_path, said, is_verbose=True) as source:
        source.told.rec_start(ONE)
        source.told.rec_status("one")
        source.told.rec_wait(0.0)
        assert [each.split(":")[0] for each in said[1:3]] == ["status one", "wait 0 s"]


def test_a_recording_may_end_by_time(tmp_path: Path, said: list[str]) -> None:
    """Unless its client says how long."""
    with recif(tmp_path, said, duration_s=0.05) as source:
        source.told.rec_start(ONE)
        assert source.told.rec_wait(20.0).status.status is RecStatusName.COMPLETED
        source.told.rec_start(RecProperties(id="two", max_duration=3600.0))
        assert source.told.rec_wait(0.2).timed_out


def test_a_refused_command_is_not_carried_out(tmp_path: Path, said: list[str]) -> None:
    """The refusal is the declared one."""
    with recif(tmp_path, said, Faults(refuse=["stop"])) as source:
        source.told.rec_start(ONE)
        with pytest.raises(RecExceptionErr, match="stop is refused"):
            source.told.rec_stop()
        assert source.told.rec_status().status is RecStatusName.RECORDING


def test_a_command_that_hangs_is_let_go_at_the_end(tmp_path: Path, said: list[str]) -> None:
    """Nobody gets an answer before."""
    with recif(tmp_path, said, Faults(hang=["status"])) as source:
        caught: list[Exception] = []

        def ask() -> None:
            try:
                source.told.rec_status()
            except Transient as error:
                caught.append(error)

        asking = threading.Thread(target=ask)
        asking.start()
        eventually(lambda: said == ["status: is never answered, as it was told to"])
        assert not caught
        source.told.end()
        asking.join()
        assert caught


def test_the_process_dies_when_it_shall(said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """As by kill -9: before it does anything."""
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda *arguments: killed.append(arguments))
    Trouble(Faults(die=["start"]), MetaDaqException, said.append).meet("start")
    assert [number for _, number in killed] == [9]
    assert "dies now" in said[0]


def test_an_unknown_command_has_no_faults(tmp_path: Path, said: list[str]) -> None:
    """What could go wrong is said."""
    with (
        pytest.raises(BadParam, match="no command 'nonsense'") as caught,
        recif(tmp_path, said, Faults(hang=["nonsense"])),
    ):
        pass
    assert "continue" in caught.value.remedy


def test_a_metadata_source_tells_what_it_is_asked(tmp_path: Path, said: list[str]) -> None:
    """From its start to its end, with the fault that is wanted."""
    settings = MetadaqifSettings(
        say=said.append, faults=Faults(refuse=["abort"]), is_verbose=True, period_s=0.05
    )
    source = MetadaqifSimulator(FakeSite(tmp_path, "fcf"), settings)
    source.recover()
    source.told.start_daq("m1")
    source.told.get_daq_status("m1")
    with pytest.raises(MetaDaqException, match="abort is refused"):
        source.told.abort_daq("m1")
    reply = source.told.stop_daq("m1")
    source.stop()
    assert Path(reply.files[0]).is_file()
    assert said[0] == "start m1: m1 Acquiring"
    assert said[1] == "status m1: Acquiring"
    assert said[-1].startswith("stop m1: Stopped")
