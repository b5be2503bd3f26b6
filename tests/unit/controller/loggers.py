"""Loggers and runs to draw in tests."""

from __future__ import annotations

from datetime import timedelta

from controller.dashboard.snapshot import LoggerLine
from idl_like_interfaces.event_logger import (
    FileState,
    LoggerRun,
    LoggerState,
    LoggerStatus,
    RunState,
    SenderStatus,
    StreamStatus,
    VolumeStatus,
    WrittenFile,
)
from idl_like_interfaces.run_configuration import RunBegin, WriterKind
from idl_like_interfaces.run_control import (
    Control,
    Phase,
    Run,
    RunControlStatus,
    RunWriter,
    WriterPhase,
)
from tests.unit.controller.pictures import NOON

GIB = 1 << 30
BEFORE = NOON - timedelta(minutes=7)


def stream(name: str, id: int, **changes: object) -> StreamStatus:
    """A stream that writes its fourth file."""
    file = WrittenFile(
        path=f"/data/{name}.raw.part", stream=name, state=FileState.OPEN, events=800, size_bytes=GIB
    )
    values: dict[str, object] = {
        "name": name, "id": id, "events": 12345, "bytes": 3 * GIB, "events_s": 50.0,
        "bytes_s": 12.5e6, "files": [file], "files_total": 4,
    }  # fmt: skip
    return StreamStatus(**(values | changes))  # type: ignore[arg-type]  # fields of the struct


def logger(number: int = 0, **changes: object) -> LoggerLine:
    """A logger with a run on two streams, one of them held up."""
    run = LoggerRun(
        run=1042, state=RunState.ACTIVE, started=BEFORE, events=20000, events_s=100.0,
        bytes_s=25e6, gap_count=3,
        streams=[
            stream("physics", 1),
            stream("bhabha", 2, queue_bytes=GIB, blocked_s=7.0, problem="disk full on /data"),
        ],
    )  # fmt: skip
    values: dict[str, object] = {
        "name": f"logger{number}", "state": LoggerState.RUNNING, "time": NOON, "runs": [run],
        "senders": [SenderStatus(name="cr1", incarnation=5, is_connected=True, last_heard=NOON)],
        "volumes": [VolumeStatus(path="/data", free_bytes=4 * GIB, size_bytes=100 * GIB,
                                 full_in_s=2520.0, fullest_stream="physics", level="pause")],
        "links": {"run_control": "connected", "alarms": "disconnected since 11:52"},
    }  # fmt: skip
    status = LoggerStatus(**(values | changes))  # type: ignore[arg-type]  # fields of the struct
    rates = tuple(float(each % 17) for each in range(120))
    return LoggerLine(name=f"obs/logger/{number}/control", status=status, rates=rates)


def run_control() -> RunControlStatus:
    """Anna commands; run 1042 is paused."""
    writer = RunWriter(
        name="logger0", kind=WriterKind.LOGGER, reference="obs/logger/0/control",
        phase=WriterPhase.PAUSED, events_s=100.0, bytes_s=25e6, since=BEFORE,
    )  # fmt: skip
    run = Run(
        run=1042, phase=Phase.PAUSED, begin=RunBegin(shifter="Anna", comment="first beam"),
        started=BEFORE, configuration_digest="sha256:0", writers=[writer], events=20000,
        gap_count=3, pause_reason="crate 7/fan 2: too hot",
    )  # fmt: skip
    control = Control(holder="Anna", place="console pts/3", fence=7)
    return RunControlStatus(
        control=control, active=[run], last_run=1042, pause_conditions=["crate 7/fan 2: too hot"]
    )
