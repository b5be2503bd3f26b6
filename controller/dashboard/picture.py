"""What is known of an installation, put together from what its services said; no I/O."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from controller.dashboard.calls import CallHistory
from controller.dashboard.loggers import LoggerHistory
from controller.dashboard.snapshot import (
    AcquisitionLine,
    ChannelLine,
    ComponentLine,
    LogLine,
    NameServerLine,
    Snapshot,
    Trouble,
)
from controller.folded import folded_note
from idl_like_interfaces.announcements import ComponentState, Heartbeat
from idl_like_interfaces.daqif import DaqState, DaqStatus
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.event_logger import LoggerStatus
from idl_like_interfaces.events import ChannelStats
from idl_like_interfaces.logs import StoredRecord
from idl_like_interfaces.naming import Binding, BindingType, Lease

BLIND_AFTER_S = 3.0
"""A service that has said nothing for so long is shown as away."""

HISTORY = 300
"""Rates of events that are kept, one a second."""

_SHARED = {
    "alarms": ("alarm service", "alarms", "alarm_stats"),
    "ledger": ("ledger", "balance"),
    "oldb": ("online database", "oldb"),
    "project": ("project service", "project"),
    "run": ("run control", "run_control"),
    "supervisor": ("supervisor", "supervisor"),
}
"""What a shared service is called, and which fields of a snapshot its answers are."""

_LOG_LINES = 200
_ENDED_KEPT = 20
_FORGET_AFTER_S = 60.0


@dataclass(slots=True)
class _Service:
    """When a service last answered, and why it did not since."""

    answered_at: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Beat:
    heartbeat: Heartbeat
    heard_at: float


class Picture:
    """Takes what is heard, from any thread, and gives snapshots.

    Args:
        name_server: Its address, for people.
        root: Root context of the installation's names.
        monotonic: Clock for ages.
        utc: Clock for the time that is shown.
    """

    def __init__(
        self,
        name_server: str,
        root: str,
        monotonic: Callable[[], float],
        utc: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._name_server = name_server
        self._root = root
        self._monotonic = monotonic
        self._utc = utc
        self._changed = threading.Condition()
        self._services: dict[str, _Service] = {}
        self._objects: list[Binding] = []
        self._leases: dict[str, Lease] = {}
        self._leases_at = 0.0
        self._beats: dict[str, _Beat] = {}
        self._acquisitions: OrderedDict[str, DaqStatus] = OrderedDict()
        self._stats: ChannelStats | None = None
        self._history: deque[float] = deque(maxlen=HISTORY)
        self._log: deque[LogLine] = deque(maxlen=_LOG_LINES)
        self._calls = CallHistory()
        self._name_servers: tuple[NameServerLine, ...] = ()
        self._shared: dict[str, object] = {}
        self._loggers = LoggerHistory()

    def watch(self, what: str) -> None:
        """Expect answers of a service from now on."""
        with self._changed:
            self._services.setdefault(what, _Service(self._monotonic()))

    def answered(self, what: str) -> None:
        """Note that a service has answered."""
        with self._changed:
            self._services[what] = _Service(self._monotonic())
            self._changed.notify_all()

    def failed(self, what: str, why: str) -> None:
        """Note that a service has not answered."""
        with self._changed:
            self._services.setdefault(what, _Service(self._monotonic())).why = why

    def put_names(self, bindings: Iterable[Binding], leases: Iterable[Lease]) -> None:
        """Take what the name service lists."""
        with self._changed:
            self._objects = [each for each in bindings if each.type is BindingType.OBJECT]
            self._leases = {each.lease_id: each for each in leases}
            self._leases_at = self._monotonic()
            self._changed.notify_all()

    def put_heartbeat(self, heartbeat: Heartbeat) -> None:
        """Take a heartbeat of a component."""
        with self._changed:
            self._beats[heartbeat.component] = _Beat(heartbeat, self._monotonic())
            self._changed.notify_all()

    def put_status(self, status: DaqStatus) -> None:
        """Take a status of an acquisition unless a newer one is known."""
        with self._changed:
            known = self._acquisitions.get(status.id)
            if known is None or known.timestamp <= status.timestamp:
                self._acquisitions[status.id] = status
                self._acquisitions.move_to_end(status.id)
            ended = [key for key, each in self._acquisitions.items() if _is_over(each)]
            for key in ended[:-_ENDED_KEPT]:
                del self._acquisitions[key]

    def put_stats(self, stats: ChannelStats) -> None:
        """Take the statistics of the channel, about once a second."""
        with self._changed:
            self._stats = stats
            self._history.append(stats.events_per_s)

    def put_records(self, records: Iterable[StoredRecord]) -> None:
        """Take log records."""
        with self._changed:
            self._log.extend(
                LogLine(
                    time=each.record.time.astimezone(UTC),
                    level=each.record.level,
                    component=each.record.component,
                    text=f"{each.record.text}{folded_note(each.record)}",
                )
                for each in records
            )

    def put_calls(self, answers: Mapping[str, object]) -> None:
        """Take the statistics of all objects; who did not answer has something else there."""
        with self._changed:
            self._calls.put(answers, self._monotonic())

    def put_name_servers(self, lines: Iterable[NameServerLine]) -> None:
        """Take the roles of several name servers."""
        with self._changed:
            self._name_servers = tuple(lines)

    def put_shared(self, answers: Mapping[str, tuple[object, ...] | RemoteError]) -> None:
        """Take what the shared services say; one that does not answer stays as it was."""
        for path, found in answers.items():
            if isinstance(found, RemoteError):
                self.failed(_SHARED[path][0], found.briefly())
                continue
            self.answered(_SHARED[path][0])
            with self._changed:
                self._shared |= zip(_SHARED[path][1:], found, strict=True)

    def put_loggers(self, answers: Mapping[str, LoggerStatus | RemoteError]) -> None:
        """Take what the event loggers say."""
        with self._changed:
            self._loggers.put(answers)

    def bound(self) -> set[str]:
        """Return the names of all objects."""
        with self._changed:
            return {each.name for each in self._objects}

    def await_objects(self, timeout_s: float) -> list[str]:
        """Return the objects that can be asked about their calls, once some are known."""
        with self._changed:
            self._changed.wait_for(lambda: self._objects, timeout_s)
            return [each.name for each in self._objects if each.interface]

    def active_ids(self) -> set[str]:
        """Return the acquisitions that have not ended as far as is known."""
        with self._changed:
            return {key for key, each in self._acquisitions.items() if not _is_over(each)}

    def acquisition_ids(self) -> list[str]:
        """Return the acquisitions in the order in which a snapshot has them."""
        with self._changed:
            return [each.id for each in self._acquisition_lines()]

    def wait_until_heard(self, services: Iterable[str], timeout_s: float) -> bool:
        """Wait until services have answered and all components have sent a heartbeat."""
        wanted = set(services)

        def is_complete() -> bool:
            answered = {what for what, each in self._services.items() if not each.why}
            holders = {each.holder for each in self._leases.values()}
            return wanted <= answered and holders <= self._beats.keys()

        with self._changed:
            return self._changed.wait_for(is_complete, timeout_s)

    def snapshot(self) -> Snapshot:
        """Return all of it as it is now."""
        with self._changed:
            now = self._monotonic()
            return Snapshot(
                time=self._utc(),
                name_server=self._name_server,
                root=self._root,
                names=len(self._objects),
                components=self._components(now),
                acquisitions=self._acquisition_lines(),
                channel=self._channel(),
                log=tuple(self._log),
                troubles=self._troubles(now),
                calls=self._calls.lines(),
                name_servers=self._name_servers,
                loggers=self._loggers.lines(),
                **self._shared,  # type: ignore[arg-type]  # the fields of _SHARED
            )

    def _components(self, now: float) -> tuple[ComponentLine, ...]:
        self._forget_the_gone(now)
        known = self._beats.keys() | {_owner(each) for each in self._objects}
        known |= {each.holder for each in self._leases.values()}
        return tuple(self._component(name, now) for name in sorted(known))

    def _component(self, name: str, now: float) -> ComponentLine:
        own = [each for each in self._objects if _owner(each) == name]
        lease = next((each for each in self._leases.values() if each.holder == name), None)
        marks = own[0].metadata if own else {}
        beat = self._beats.get(name)
        if beat is None:
            return ComponentLine(
                name=name,
                kind=marks.get("kind", ""),
                pid=_number(marks.get("pid", "")),
                lease_s=self._remaining(lease, now),
                names=tuple(each.name for each in own),
            )
        heartbeat, age_s = beat.heartbeat, now - beat.heard_at
        return ComponentLine(
            name=name,
            kind=heartbeat.kind,
            state=heartbeat.state,
            detail=heartbeat.detail,
            pid=heartbeat.pid,
            uptime_s=heartbeat.uptime_s,
            silent_s=age_s,
            lease_s=self._remaining(lease, now),
            names=tuple(each.name for each in own),
        )

    def _remaining(self, lease: Lease | None, now: float) -> float | None:
        if lease is None:
            return None
        return max(lease.remaining_s - (now - self._leases_at), 0.0)

    def _forget_the_gone(self, now: float) -> None:
        """A component without a lease that says nothing more is gone."""
        held = {each.holder for each in self._leases.values()}
        for name, beat in list(self._beats.items()):
            has_stopped = beat.heartbeat.state is ComponentState.STOPPED
            patience_s = BLIND_AFTER_S if has_stopped else _FORGET_AFTER_S
            if name not in held and now - beat.heard_at > patience_s:
                del self._beats[name]

    def _acquisition_lines(self) -> tuple[AcquisitionLine, ...]:
        newest_first = list(reversed(self._acquisitions.values()))
        now = self._utc().timestamp()
        # Stable: the order within both groups stays.
        ordered = sorted(newest_first, key=_is_over)
        return tuple(_acquisition_line(each, now) for each in ordered)

    def _channel(self) -> ChannelLine | None:
        stats = self._stats
        if stats is None:
            return None
        busiest = sorted(stats.topics.items(), key=lambda each: -each[1])
        return ChannelLine(
            events=stats.last,
            events_per_s=stats.events_per_s,
            history=tuple(self._history),
            held_bytes=stats.held_bytes,
            consumers=len(stats.consumers),
            dropped=sum(each.dropped for each in stats.consumers),
            topics=tuple(busiest),
            readers=tuple(stats.consumers),
            journal=stats.journal,
        )

    def _troubles(self, now: float) -> tuple[Trouble, ...]:
        return tuple(
            Trouble(what=what, since_s=now - each.answered_at, why=each.why or "no answer")
            for what, each in self._services.items()
            if each.why or now - each.answered_at > BLIND_AFTER_S
        )


def _is_over(status: DaqStatus) -> bool:
    return status.state is DaqState.COMPLETED


def _owner(binding: Binding) -> str:
    """Return the component of a name; a name without marks stands for itself."""
    return binding.metadata.get("component", binding.name)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _acquisition_line(status: DaqStatus, now: float) -> AcquisitionLine:
    return AcquisitionLine(
        id=status.id,
        file_id=status.file_id,
        state=status.state,
        substate=status.substate,
        error=status.error,
        message=status.message,
        result=status.result,
        age_s=max(now - status.timestamp, 0.0),
    )
