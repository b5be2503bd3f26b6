"""Scripted data sources, a scripted DPM, and a coordinator among them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from typing_extensions import override

from idl_like_interfaces.clients import Event
from idl_like_interfaces.daqif import (
    INTERNAL_STATUS_TOPIC,
    STATUS_TOPIC,
    DaqAlert,
    DaqException,
    DaqReply,
    DaqStatus,
    DpmDaqControl,
    ProductStory,
)
from idl_like_interfaces.documents import DpSpecification
from idl_like_interfaces.keywords import FitsKeyword
from idl_like_interfaces.mapping.coding import parse_json, to_plain
from idl_like_interfaces.metadaqif import (
    MetaDaq,
    MetaDaqException,
    MetaDaqReply,
    MetaDaqState,
    MetaDaqStatus,
    MetaDaqStopReply,
)
from idl_like_interfaces.recif import (
    RecCmds,
    RecExceptionErr,
    RecProperties,
    RecStatus,
    RecStatusName,
    RecWaitStatus,
)
from idl_like_interfaces.stdif import STATUS_TOPIC as STD_STATUS_TOPIC
from objects.acquisition.component import OcmComponent, OcmSettings
from objects.acquisition.states import Phase
from tests.support.site import FakeSite

PATIENCE_S = 50.0
DPM = "obs/dpm/dpm/daq"


class Scripted:
    """Notes every call; raises what the script says.

    Attributes:
        faults: By operation, what it raises; ``*`` stands for all.
        gates: By operation, what it waits for before it answers.
        calls: The operations in the order of their calls, shared by whoever shares it.
    """

    def __init__(self, name: str, journal: list[tuple[str, str]]) -> None:
        self.name = name
        self.journal = journal
        self.faults: dict[str, Exception] = {}
        self.gates: dict[str, threading.Event] = {}

    @property
    def calls(self) -> list[str]:
        """The operations that were called here."""
        return [operation for name, operation in self.journal if name == self.name]

    def note(self, operation: str) -> None:
        """Note a call; wait and fail when that is in the script."""
        self.journal.append((self.name, operation))
        if operation in self.gates:
            self.gates[operation].wait(PATIENCE_S)
        fault = self.faults.get(operation) or self.faults.get("*")
        if fault is not None:
            raise fault


class ScriptedRec(Scripted, RecCmds):
    """A primary source whose recording ends when the test says so."""

    def __init__(self, name: str, journal: list[tuple[str, str]]) -> None:
        super().__init__(name, journal)
        self.sessions: dict[str, RecStatus] = {}
        self.current = ""
        self.files = [f"/data/{name}.fits"]
        self.waits: list[float] = []
        self._changed = threading.Condition()
        self._closed = False

    def end(self, status: RecStatusName = RecStatusName.COMPLETED, info: str = "") -> None:
        """Let the current session end by itself."""
        with self._changed:
            files = self.files if status.is_good else []
            old = self.sessions[self.current]
            self.sessions[self.current] = replace(old, status=status, info=info, dp_files=files)
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @override
    def rec_start(self, properties: RecProperties) -> RecStatus:
        self.note("rec_start")
        with self._changed:
            if self.current and not self.sessions[self.current].status.is_final:
                raise RecExceptionErr("one is running", id=self.current)
            self.current = properties.id
            self.sessions[self.current] = RecStatus(
                id=properties.id, status=RecStatusName.RECORDING
            )
            return self.sessions[self.current]

    @override
    def rec_stop(self) -> RecStatus:
        self.note("rec_stop")
        self._check_running()
        self.end(RecStatusName.STOPPED)
        return self.sessions[self.current]

    @override
    def rec_abort(self) -> str:
        self.note("rec_abort")
        self._check_running()
        self.end(RecStatusName.ABORTED)
        return "aborted"

    @override
    def rec_pause(self) -> RecStatus:
        self.note("rec_pause")
        return self.sessions[self.current]

    @override
    def rec_continue(self) -> RecStatus:
        self.note("rec_continue")
        return self.sessions[self.current]

    @override
    def rec_status(self, id: str = "") -> RecStatus:
        self.note("rec_status")
        found = self.sessions.get(id or self.current)
        if found is None:
            raise RecExceptionErr(f"no session {id}", id=id)
        return found

    @override
    def rec_wait(self, timeout_s: float) -> RecWaitStatus:
        self.note("rec_wait")
        self.waits.append(timeout_s)
        with self._changed:
            ended = self._changed.wait_for(
                lambda: self._closed or self.sessions[self.current].status.is_final, timeout_s
            )
            status = self.sessions[self.current]
            return RecWaitStatus(timed_out=not ended or self._closed, status=status)

    def _check_running(self) -> None:
        if not self.current or self.sessions[self.current].status.is_final:
            raise RecExceptionErr("none is running", id=self.current)


class ScriptedMeta(Scripted, MetaDaq):
    """A metadata source."""

    def __init__(self, name: str, journal: list[tuple[str, str]]) -> None:
        super().__init__(name, journal)
        self.states: dict[str, MetaDaqState] = {}
        self.files: list[str] = [f"/data/{name}.fits"]
        self.keywords: list[FitsKeyword] = []

    @override
    def start_daq(self, id: str = "") -> MetaDaqReply:
        self.note("start_daq")
        if id in self.states:
            raise MetaDaqException("used before", id=id)
        self.states[id] = MetaDaqState.ACQUIRING
        return MetaDaqReply(id=id)

    @override
    def stop_daq(self, id: str) -> MetaDaqStopReply:
        self.note("stop_daq")
        self._check_acquiring(id)
        self.states[id] = MetaDaqState.STOPPED
        return MetaDaqStopReply(id=id, files=self.files, keywords=self.keywords)

    @override
    def abort_daq(self, id: str) -> MetaDaqReply:
        self.note("abort_daq")
        self._check_acquiring(id)
        self.states[id] = MetaDaqState.ABORTED
        return MetaDaqReply(id=id)

    @override
    def get_daq_status(self, id: str) -> MetaDaqStatus:
        self.note("get_daq_status")
        if id not in self.states:
            raise MetaDaqException("unknown", id=id)
        state = self.states[id]
        if state is MetaDaqState.STOPPED:
            return MetaDaqStatus(id=id, state=state, files=self.files, keywords=self.keywords)
        return MetaDaqStatus(id=id, state=state)

    def _check_acquiring(self, id: str) -> None:
        if self.states.get(id) is not MetaDaqState.ACQUIRING:
            raise MetaDaqException("not active", id=id)


class ScriptedDpm(Scripted, DpmDaqControl):
    """A DPM that goes on when the test says so."""

    def __init__(self, journal: list[tuple[str, str]]) -> None:
        super().__init__("dpm", journal)
        self.specifications: dict[str, DpSpecification] = {}
        self.statuses: dict[str, DaqStatus] = {}
        self.tell: Callable[[DaqStatus], object] = lambda _: None

    def go(
        self, id: str, *phases: Phase, result: str = "", alerts: list[DaqAlert] | None = None
    ) -> None:
        """Let an acquisition enter states, and say so."""
        for phase in phases:
            self.statuses[id] = replace(
                self.statuses[id],
                state=phase.state,
                substate=phase.substate,
                timestamp=self.statuses[id].timestamp + 1,
                result=result,
                alerts=alerts or [],
                error=bool(alerts),
            )
            self.tell(self.statuses[id])

    @override
    def queue_daq(self, specification: str) -> DaqReply:
        self.note("queue_daq")
        read = parse_json(DpSpecification, specification)
        self.specifications[read.id] = read
        self.statuses[read.id] = DaqStatus(
            id=read.id,
            file_id=read.target.file_id,
            state=Phase.SCHEDULED.state,
            substate=Phase.SCHEDULED.substate,
            timestamp=1.0,
        )
        return DaqReply(id=read.id, error=False)

    @override
    def abort_daq(self, id: str) -> DaqReply:
        self.note("abort_daq")
        self._find(id)
        self.go(id, Phase.ABORTING_MERGE, Phase.ABORTED)
        return DaqReply(id=id, error=False)

    @override
    def get_daq_status(self, id: str) -> DaqStatus:
        self.note("get_daq_status")
        return self._find(id)

    @override
    def get_story(self, id: str) -> ProductStory:
        self.note("get_story")
        return ProductStory(status=self._find(id))

    @override
    def get_active_daqs(self) -> list[DaqStatus]:
        self.note("get_active_daqs")
        return list(self.statuses.values())

    @override
    def retry_merge_daq(self, id: str) -> None:
        self.note("retry_merge_daq")
        self._find(id)

    def _find(self, id: str) -> DaqStatus:
        if id not in self.statuses:
            raise DaqException(f"{id} was never queued", id=id)
        return self.statuses[id]


def event_of(body: object) -> Event:
    """Make the event by which the DPM would tell something."""
    return Event(
        epoch="e",
        sequence=1,
        topic=INTERNAL_STATUS_TOPIC,
        source="obs/dpm",
        incarnation="1",
        source_sequence=1,
        time_ns=0,
        repository_id="",
        body=to_plain(body),
    )


class Bench:
    """A coordinator with two primary sources a, b, two metadata sources m, n, and a DPM."""

    def __init__(
        self,
        data_root: Path,
        dpm_retry_s: float = 0.05,
        site: FakeSite | None = None,
        source_timeout_s: float = 10.0,
    ) -> None:
        self.data_root = data_root
        self.journal: list[tuple[str, str]] = []
        self.site = site or FakeSite(data_root, name="ocm")
        self.a, self.b = ScriptedRec("a", self.journal), ScriptedRec("b", self.journal)
        self.m, self.n = ScriptedMeta("m", self.journal), ScriptedMeta("n", self.journal)
        self.dpm = ScriptedDpm(self.journal)
        for source in (self.a, self.b, self.m, self.n):
            self.site.bind(f"obs/{source.name}", source)
        self.site.bind(DPM, self.dpm)
        self.settings = OcmSettings(
            instrument_id="TEST",
            dpm_retry_s=dpm_retry_s,
            source_timeout_s=source_timeout_s,
            autostart=True,
        )
        self.component = OcmComponent(self.site, self.settings)
        self.boot()

    def boot(self) -> None:
        """Start the component."""
        self.dpm.tell = self.component.coordinator.adopt
        self.component.recover()
        self.component.start()

    def restart(self) -> None:
        """End the component as a crash does, and start a new one on the same workspace."""
        self.component.stop()
        self.component = OcmComponent(self.site, self.settings)
        self.boot()

    def close(self) -> None:
        """End everything."""
        self.a.close()
        self.b.close()
        self.component.stop()

    @property
    def daq(self) -> Any:
        """The servant under test."""
        return self.component.daq

    def start(self, prim: str = "a", meta: str = "", id: str = "", properties: str = "") -> str:
        """Start an acquisition of sources by their letters and return its id."""
        reply = self.daq.start_daq(
            id=id,
            prim_sources=" ".join(f"{each}@obs/{each}" for each in prim),
            meta_sources=" ".join(f"{each}@obs/{each}" for each in meta),
            properties=properties,
        )
        return str(reply.id)

    def phase(self, id: str) -> Phase:
        """Return where an acquisition is."""
        status = self.daq.get_status(id)
        return Phase((status.state, status.substate))

    def await_phase(self, id: str, phase: Phase) -> DaqStatus:
        """Return the status at the first entry of a state, as it was published."""
        body = self.site.await_event(
            lambda topic, body: (
                topic == STATUS_TOPIC
                and body.id == id
                and (body.state, body.substate) == phase.value
            ),
            PATIENCE_S,
        )
        assert isinstance(body, DaqStatus)
        return body

    def published(self, id: str) -> list[Phase]:
        """Return the published states of an acquisition in order, without repetitions."""
        phases: list[Phase] = []
        for topic, body in self.site.events:
            if topic == STATUS_TOPIC and isinstance(body, DaqStatus) and body.id == id:
                phase = Phase((body.state, body.substate))
                if not phases or phases[-1] is not phase:
                    phases.append(phase)
        return phases

    def std_published(self) -> list[str]:
        """Return the published states of the server."""
        return [body.status for topic, body in self.site.events if topic == STD_STATUS_TOPIC]  # type: ignore[attr-defined]

    def queued(self, id: str) -> DpSpecification:
        """Return what was handed to the DPM, when it has come."""
        self.await_phase(id, Phase.SCHEDULED)
        return self.dpm.specifications[id]
