"""A small installation in this process: real broker services, an OCM that only remembers."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from typing_extensions import override

from idl_like_interfaces.announcements import HEARTBEAT_TOPIC, ComponentState, Heartbeat
from idl_like_interfaces.clients import EventSupplier
from idl_like_interfaces.daqif import (
    STATUS_TOPIC,
    AlertSeverity,
    AwaitDaqReply,
    DaqAlert,
    DaqException,
    DaqReply,
    DaqState,
    DaqStatus,
    DaqStory,
    DaqSubstate,
    OcmDaqControl,
)
from idl_like_interfaces.declare import Value
from idl_like_interfaces.events import EventChannel
from idl_like_interfaces.logs import LogBatch, LogLevel, LogRecord, LogService
from idl_like_interfaces.mapping import ObjectAdapter, make_incarnation
from idl_like_interfaces.stdif import ExceptionErr, LogInfo, StdCmds
from nameserver.client import Names, Offer, Registration
from nameserver.server import NameServer
from objects.messaging.channel import EventChannelServant
from objects.messaging.log_service import LogServiceServant
from objects.messaging.log_store import SqliteLogStore

NIGHT = datetime(2026, 3, 1, 22, 0, 0, tzinfo=UTC)


def status(id: str = "d1", **changes: Any) -> DaqStatus:
    """A status of an acquisition that acquires."""
    values: dict[str, Any] = {
        "id": id,
        "file_id": f"STIS.{id}",
        "state": DaqState.ACQUIRING,
        "substate": DaqSubstate.ACQUIRING,
        "timestamp": 1.5,
    }
    return DaqStatus(**(values | changes))


class RememberingOcm(OcmDaqControl):
    """Notes each call; knows one acquisition, ``d1``."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.status = status()
        self.active = [self.status]
        self.story = DaqStory(status=self.status, coordinator="ocm", created=NIGHT)
        self.on_start: Callable[[], None] = lambda: None
        self.times_out = False
        self.await_takes_s = 0.0

    def _reply(self, *call: Any) -> DaqReply:
        self.calls.append(call)
        self._check(call[1])
        return DaqReply(id=call[1], error=False)

    def _check(self, id: str) -> None:
        if id != self.status.id:
            raise DaqException(
                f"there is no acquisition {id!r}", id=id, cause="mistyped", remedy="look again"
            )

    @override
    def start_daq(
        self,
        id: str = "",
        file_prefix: str = "",
        prim_sources: str = "",
        meta_sources: str = "",
        properties: str = "",
    ) -> DaqReply:
        self.calls.append(("start_daq", id, file_prefix, prim_sources, meta_sources, properties))
        return DaqReply(id=id or "made", error=False)

    @override
    def start_daq_v2(self, specification: str) -> DaqReply:
        self.calls.append(("start_daq_v2", specification))
        self.on_start()
        return DaqReply(id="made", error=False)

    @override
    def stop_daq(self, id: str) -> DaqReply:
        return self._reply("stop_daq", id)

    @override
    def force_stop_daq(self, id: str) -> DaqReply:
        return self._reply("force_stop_daq", id)

    @override
    def abort_daq(self, id: str) -> DaqReply:
        return self._reply("abort_daq", id)

    @override
    def force_abort_daq(self, id: str) -> DaqReply:
        return self._reply("force_abort_daq", id)

    @override
    def update_keywords(self, id: str, keywords: str) -> DaqReply:
        return self._reply("update_keywords", id, keywords)

    @override
    def await_daq_state(
        self, id: str, state: DaqState, substate: DaqSubstate, timeout_s: float
    ) -> AwaitDaqReply:
        self.calls.append(("await_daq_state", id, state, substate, timeout_s))
        threading.Event().wait(self.await_takes_s)
        return AwaitDaqReply(timeout=self.times_out, status=self.status)

    @override
    def get_status(self, id: str) -> DaqStatus:
        self._check(id)
        return self.status

    @override
    def get_daq_status(self, id: str) -> DaqStatus:
        return self.get_status(id)

    @override
    def get_story(self, id: str) -> DaqStory:
        self._check(id)
        return self.story

    @override
    def get_active_list(self) -> list[DaqStatus]:
        return self.active

    @override
    def retry_merge_daq(self, id: str) -> None:
        self._reply("retry_merge_daq", id)


class RememberingStd(StdCmds):
    """Notes each call; ``init`` is refused."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def _ok(self, call: Any) -> str:
        self.calls.append(call)
        return "OK"

    @override
    def init(self) -> str:
        raise ExceptionErr("init is not possible in Operational;Idle", state="Operational;Idle")

    @override
    def enable(self) -> str:
        return self._ok("enable")

    @override
    def disable(self) -> str:
        return self._ok("disable")

    @override
    def stop(self) -> str:
        return self._ok("stop")

    @override
    def reset(self) -> str:
        return self._ok("reset")

    @override
    def get_state(self) -> str:
        return "Operational;Idle"

    @override
    def get_status(self) -> str:
        return "Operational;Idle: nothing to do"

    @override
    def get_version(self) -> str:
        return "1.2.3"

    @override
    def exit(self) -> str:
        return self._ok("exit")

    @override
    def set_log_level(self, info: LogInfo) -> str:
        return self._ok(info)


class SmallInstallation:
    """A context manager; everything is bound below ``obs`` under one lease of ``small``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open = ExitStack()
        self.ocm = RememberingOcm()
        self.std = RememberingStd()
        self._logged: dict[str, int] = {}

    def __enter__(self) -> Self:
        server = self._open.enter_context(NameServer(port=0))
        self.address = f"localhost:{server.port}"
        self.names = self._open.enter_context(Names(("localhost", server.port)))
        store = SqliteLogStore(self._folder / "log.sqlite")
        self._open.callback(store.close)
        self.log = LogServiceServant(store)
        self.channel = EventChannelServant("20260301T000000-00000001")
        self.adapter = self._open.enter_context(ObjectAdapter())
        self._open.callback(self.log.close)
        self._open.callback(self.channel.close)
        self._register()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def _register(self) -> None:
        active = {
            "obs/events": (self.channel, EventChannel),
            "obs/log": (self.log, LogService),
            "obs/ocm/daq": (self.ocm, OcmDaqControl),
            "obs/ocm/std": (self.std, StdCmds),
        }
        self.offer("small", active)

    def offer(self, holder: str, active: Mapping[str, tuple[object, type]]) -> None:
        """Bind objects, by their full names, under one lease of a holder."""
        offers = [
            Offer(name=name, uri=self.adapter.activate(servant, of, name), interface=of)
            for name, (servant, of) in active.items()
        ]
        marks = {"component": holder, "kind": "test", "pid": str(os.getpid())}
        registration = Registration(self.names, holder, offers, marks, term_s=600.0)
        registration.claim()
        self._open.callback(registration.release)

    def publish(self, topic: str, *bodies: Value) -> None:
        """Publish events and wait until the channel has them."""
        # Each supplier counts from 1: with a known incarnation its events were duplicates.
        supplier = EventSupplier(self.channel, "obs/small", make_incarnation())
        for body in bodies:
            supplier.publish(topic, body)
        supplier.close()

    def publish_status(self, *statuses: DaqStatus) -> None:
        """Publish statuses of acquisitions."""
        self.publish(STATUS_TOPIC, *statuses)

    def beat(self, component: str = "small") -> None:
        """Publish a heartbeat."""
        self.publish(
            HEARTBEAT_TOPIC,
            Heartbeat(
                component=component,
                kind="test",
                incarnation="20260301T000000-00000003",
                state=ComponentState.RUNNING,
                detail="waiting for dawn",
                uptime_s=12.0,
                pid=4711,
                host="here",
            ),
        )

    def record(self, *texts: str, level: LogLevel = LogLevel.INFO, component: str = "dpm") -> None:
        """Store log records."""
        records = [
            LogRecord(time=NIGHT, level=level, component=component, logger="daq", text=text)
            for text in texts
        ]
        incarnation = f"{component}-{level}"
        first = self._logged.get(incarnation, 0) + 1
        self._logged[incarnation] = first + len(texts) - 1
        self.log.append(
            LogBatch(component=component, incarnation=incarnation, first=first, records=records)
        )


def alert(description: str) -> DaqAlert:
    """An alert that says what to do."""
    return DaqAlert(
        id="merge_failed",
        severity=AlertSeverity.ERROR,
        description=description,
        cause="the disk is full",
        remedy="make room",
        time=NIGHT,
    )
