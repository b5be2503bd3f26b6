"""The coordinator as a server: every verb of the standard interface in every state, with real work."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from msgspec.structs import replace

from idl_like_interfaces.daqif import DaqException, DaqStatus
from idl_like_interfaces.stdif import ExceptionErr
from objects.acquisition.component import OcmComponent, OcmSettings
from objects.acquisition.states import Phase
from objects.component.std import ServerState
from tests.support.daq import Bench, ScriptedDpm, ScriptedMeta
from tests.support.eventually import eventually
from tests.support.site import FakeSite

VERBS = ("init", "enable", "disable", "stop", "reset")

#             init, enable, disable, stop, reset; -: refused
TABLE: dict[ServerState, tuple[ServerState | None, ...]] = {
    ServerState.NOT_READY: (ServerState.READY, None, None, None, ServerState.NOT_READY),
    ServerState.READY: (None, ServerState.IDLE, None, ServerState.NOT_READY, ServerState.NOT_READY),
    ServerState.IDLE: (None, None, ServerState.READY, ServerState.NOT_READY, ServerState.NOT_READY),
    ServerState.ACTIVE: (None, None, None, None, None),
}


def enter(bench: Bench, state: ServerState) -> None:
    """Lead the server, which is Idle, into a state."""
    match state:
        case ServerState.NOT_READY:
            bench.component.std.reset()
        case ServerState.READY:
            bench.component.std.disable()
        case ServerState.ACTIVE:
            bench.start("", "m")
        case ServerState.IDLE:
            pass
    assert bench.component.std.state is state


@pytest.mark.parametrize(("state", "verb"), list(product(ServerState, VERBS)), ids=str)
def test_every_verb_in_every_state(bench: Bench, state: ServerState, verb: str) -> None:
    """What leads on answers OK; the rest is refused, with the state and where it is possible."""
    enter(bench, state)
    wanted = TABLE[state][VERBS.index(verb)]
    command = getattr(bench.component.std, verb)
    if wanted is None:
        with pytest.raises(ExceptionErr, match=verb) as refused:
            command()
        assert refused.value.state == state
        assert "possible in" in refused.value.remedy
        if state is ServerState.ACTIVE:
            assert "acquisitions are in progress" in refused.value.cause
            assert "stop or abort" in refused.value.remedy
    else:
        assert command() == "OK"
    assert bench.component.std.state is (wanted or state)


COMMANDS: dict[str, Callable[[Bench], object]] = {
    "start_daq": lambda bench: bench.start("", "m"),
    "start_daq_v2": lambda bench: bench.daq.start_daq_v2("{}"),
    "stop_daq": lambda bench: bench.daq.stop_daq("x"),
    "force_stop_daq": lambda bench: bench.daq.force_stop_daq("x"),
    "abort_daq": lambda bench: bench.daq.abort_daq("x"),
    "force_abort_daq": lambda bench: bench.daq.force_abort_daq("x"),
    "update_keywords": lambda bench: bench.daq.update_keywords("x", "[]"),
    "retry_merge_daq": lambda bench: bench.daq.retry_merge_daq("x"),
}


@pytest.mark.spec("ESO-027", "ESO-028")
@pytest.mark.parametrize("state", [ServerState.NOT_READY, ServerState.READY])
@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_is_taken_before_enable(bench: Bench, state: ServerState, command: str) -> None:
    """After a reset, a stop or a disable; the refusal says which verbs are missing."""
    enter(bench, state)
    with pytest.raises(DaqException, match="not Operational") as refused:
        COMMANDS[command](bench)
    assert state in refused.value.message
    assert "enable" in refused.value.remedy


@pytest.mark.spec("ESO-083", "ESO-152")
def test_recovered_acquisitions_go_on_before_enable(bench: Bench) -> None:
    """They need no operator; enable leads to Active at once, and their end to Idle."""
    id = bench.start("a", properties='{"awaitInterval": 0.1}')
    bench.settings = replace(bench.settings, autostart=False)
    bench.restart()
    std = bench.component.std
    assert std.state is ServerState.NOT_READY
    std.init()
    std.enable()
    assert std.get_state() == "Operational;Active"
    bench.a.end()
    bench.queued(id)
    bench.dpm.go(id, Phase.COLLECTING, Phase.COMPLETED)
    eventually(lambda: std.get_state() == "Operational;Idle")
    assert std.stop() == "OK"


def test_two_coordinators_with_a_dpm_each_do_not_mix(tmp_path: Path) -> None:
    """On one host, with equal ids: each hears both DPMs, and believes its own acquisitions only."""
    site = FakeSite(tmp_path, name="ocm")
    journal: list[tuple[str, str]] = []
    source = ScriptedMeta("m", journal)
    site.bind("obs/m", source)
    pairs = []
    for name in ("one", "two"):
        dpm = ScriptedDpm(journal)
        site.bind(f"obs/dpm/{name}/daq", dpm)
        settings = OcmSettings(
            instrument_id=name.upper(),
            dpm=f"obs/dpm/{name}/daq",
            workspace=name,
            dpm_retry_s=0.05,
            autostart=True,
        )
        component = OcmComponent(site, settings)
        component.recover()
        component.start()
        pairs.append((component, dpm))

    def tell_both(news: DaqStatus) -> None:
        for component, _ in pairs:
            component.coordinator.adopt(news)

    try:
        for component, dpm in pairs:
            dpm.tell = tell_both
            component.daq.start_daq(id="x", meta_sources="m@obs/m")
            component.daq.stop_daq("x")
        (first, its_dpm), (second, _) = pairs
        eventually(lambda: second.daq.get_status("x").substate == "Scheduled")
        eventually(lambda: first.daq.get_status("x").substate == "Scheduled")
        its_dpm.go("x", Phase.COLLECTING, Phase.COMPLETED, result="/one.fits")
        eventually(lambda: first.daq.get_status("x").substate == "Completed")
        assert second.daq.get_status("x").substate == "Scheduled"
        assert first.daq.get_status("x").file_id.startswith("ONE.")
    finally:
        for component, _ in pairs:
            component.stop()
