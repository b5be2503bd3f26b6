"""Asks the services of an installation, in threads, and feeds the picture."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import msgspec
from typing_extensions import override

from controller.dashboard.chosen import Chosen
from controller.dashboard.picture import Picture
from controller.dashboard.services import Loggers, SharedServices
from controller.dashboard.snapshot import NameServerLine
from controller.statistics import ask_all, survey_of
from idl_like_interfaces.announcements import HEARTBEAT_TOPIC, Heartbeat
from idl_like_interfaces.clients import Event, EventConsumer, Item
from idl_like_interfaces.closing import Closing
from idl_like_interfaces.daqif import STATUS_TOPIC, DaqStatus, OcmDaqControl
from idl_like_interfaces.errors import BadParam, CommFailure, RemoteError
from idl_like_interfaces.events import EventChannel
from idl_like_interfaces.logs import LogQuery, LogService
from idl_like_interfaces.naming import OBJECT_ID

if TYPE_CHECKING:
    from controller.dashboard.snapshot import Snapshot
    from nameserver.client import Address, Names

PERIOD_S = 1.0
"""Of most questions; also how long a thread may take to end."""

CALLS_PERIOD_S = 2.0
"""Of the questions to all objects about their calls, and to name servers."""

_DEADLINE_S = 3.0
_STORY_S = 6.0
_FIRST_RECORDS = 100


class Gatherer(Closing):
    """Keeps a picture of an installation up to date; a context manager.

    Args:
        names: Its name service.
        root: Root context of its names.
        ocm: Context of the OCM's objects.
    """

    def __init__(self, names: Names, root: str, ocm: str) -> None:
        host, port = names.address
        self._names = names
        self._name_server = f"name server {host}:{port}"
        self._root = root
        self._addresses = names.addresses
        self.picture = Picture(f"{host}:{port}", root, time.monotonic)
        self._channel = names.narrow(f"{root}/events", EventChannel, _DEADLINE_S)
        self._log = names.narrow(f"{root}/log", LogService, _DEADLINE_S)
        self._ocm_name = f"{ocm}/daq"
        self._ocm = names.narrow(self._ocm_name, OcmDaqControl, _DEADLINE_S)
        # It asks the DPM for its part, and may have to wait for that.
        self.chosen = Chosen(
            names.narrow(self._ocm_name, OcmDaqControl, _STORY_S), self.picture.acquisition_ids
        )
        self._closing = threading.Event()
        self._consumer: EventConsumer | None = None
        steps = [
            # Each in a thread of its own: one that does not answer hides no other.
            ("names", self._poll_names, PERIOD_S),
            ("services", self._poll_services, PERIOD_S),
            ("events", self._read_events, PERIOD_S),
            ("log", self._follow_log, PERIOD_S),
            ("calls", self._poll_calls, CALLS_PERIOD_S),
            ("shared services", self._poll_shared, PERIOD_S),
            ("loggers", self._poll_loggers, PERIOD_S),
            ("story", lambda: self.chosen.ask(PERIOD_S), PERIOD_S),
        ]
        if len(names.addresses) > 1:
            steps.append(("name servers", self._poll_name_servers, CALLS_PERIOD_S))
        self._threads = [
            threading.Thread(target=self._repeat, args=(step, period_s), name=f"dashboard {what}")
            for what, step, period_s in steps
        ]
        self._survey = survey_of(names, _DEADLINE_S)
        self._shared = SharedServices(names, root)
        self._loggers = Loggers(names, root)
        self._last_record = -1
        self._has_ocm = False

    def snapshot(self) -> Snapshot:
        """Return what is known now."""
        chosen, story, note = self.chosen.state()
        known = self.picture.snapshot()
        return replace(known, chosen=chosen, story=story, story_note=note)

    def wait_until_heard(self, timeout_s: float) -> bool:
        """Wait until all services and components were heard, or the time is over."""
        services = (self._name_server, "event channel", "log service")
        return self.picture.wait_until_heard(services, timeout_s)

    @override
    def __enter__(self) -> Self:
        self.picture.watch(self._name_server)
        for thread in self._threads:
            thread.start()
        return self

    @override
    def close(self) -> None:
        self._closing.set()
        for thread in self._threads:
            thread.join()
        self._survey.close()
        self._shared.close()
        self._loggers.close()
        if self._consumer is not None:
            self._consumer.close()

    def _repeat(self, step: Callable[[], None], period_s: float) -> None:
        while not self._closing.is_set():
            started = time.monotonic()
            step()
            # A step that had to wait for news need not wait again.
            self._closing.wait(max(period_s - (time.monotonic() - started), 0.0))

    def _asked(self, what: str, question: Callable[[], None]) -> None:
        try:
            question()
        except RemoteError as error:
            self.picture.failed(what, _why(error))
        else:
            self.picture.answered(what)

    def _poll_names(self) -> None:
        self._asked(self._name_server, self._ask_names)

    def _poll_services(self) -> None:
        self._asked("event channel", self._ask_channel)
        if self._has_ocm:
            self._asked("OCM", self._ask_ocm)

    def _poll_calls(self) -> None:
        objects = [OBJECT_ID, *self.picture.await_objects(PERIOD_S)]
        self.picture.put_calls(ask_all(self._survey, objects, PERIOD_S))

    def _poll_shared(self) -> None:
        self.picture.await_objects(PERIOD_S)
        self.picture.put_shared(self._shared.ask(self.picture.bound(), _DEADLINE_S))

    def _poll_loggers(self) -> None:
        self.picture.await_objects(PERIOD_S)
        self.picture.put_loggers(self._loggers.ask(self.picture.bound(), _DEADLINE_S))

    def _poll_name_servers(self) -> None:
        self.picture.put_name_servers(map(_role_of, self._addresses))

    def _ask_names(self) -> None:
        bindings = self._names.context.list(recursive=True).bindings
        below = [each for each in bindings if each.name.startswith(f"{self._root}/")]
        self.picture.put_names(below, self._names.context.list_leases())
        # An installation may have none; one that has disappeared is a trouble.
        self._has_ocm |= any(each.name == self._ocm_name for each in below)

    def _ask_channel(self) -> None:
        self.picture.put_stats(self._channel.get_stats())

    def _ask_ocm(self) -> None:
        known = self.picture.active_ids()
        active = self._ocm.get_active_list()
        for status in active:
            self.picture.put_status(status)
        for ended in known - {each.id for each in active}:
            self.picture.put_status(self._ocm.get_status(ended))

    def _read_events(self) -> None:
        try:
            if self._consumer is None:
                self._consumer = self._open_consumer()
            for item in self._consumer.read(PERIOD_S):
                self._take(item)
        except RemoteError as error:
            self.picture.failed("event channel", _why(error))

    def _open_consumer(self) -> EventConsumer:
        """Replay the acquisitions that the channel still holds, and go on from there."""
        cursor = "oldest"
        while True:
            reply = self._channel.pull(cursor, 1000, 0.0, [STATUS_TOPIC])
            for event in reply.events:
                with suppress(msgspec.ValidationError):
                    self.picture.put_status(_status_of(event.body))
            cursor = reply.cursor
            if not reply.events:
                break
        return EventConsumer(
            self._channel, [STATUS_TOPIC, HEARTBEAT_TOPIC], name="obsorb top", cursor=cursor
        )

    def _take(self, item: Item) -> None:
        # Anybody may publish on these topics; what is of another type is not of ours.
        with suppress(BadParam):
            self._put(item)

    def _put(self, item: Item) -> None:
        match item:
            case Event(topic=topic) if topic == STATUS_TOPIC:
                self.picture.put_status(item.as_(DaqStatus))
            case Event(topic=topic) if topic == HEARTBEAT_TOPIC:
                self.picture.put_heartbeat(item.as_(Heartbeat))
            case _:
                # A gap: what was missed comes with the next poll.
                pass

    def _follow_log(self) -> None:
        self._asked("log service", self._ask_log)

    def _ask_log(self) -> None:
        if self._last_record < 0:
            records = self._log.query(LogQuery(limit=_FIRST_RECORDS))
        else:
            query = LogQuery(after=self._last_record, limit=1000, newest=False)
            records = self._log.follow(query, PERIOD_S)
        self.picture.put_records(records)
        self._last_record = max([self._last_record, 0, *(each.number for each in records)])


def _role_of(address: Address) -> NameServerLine:
    from nameserver.client import show_addresses, status_of

    try:
        role = status_of(address, PERIOD_S).role.value
    except RemoteError:
        role = "away"
    return NameServerLine(address=show_addresses(address), role=role)


def _status_of(body: Any) -> DaqStatus:
    return msgspec.convert(body, DaqStatus)


def _why(error: RemoteError) -> str:
    """Say an error in few words: of a lost peer only what the system said."""
    if isinstance(error, CommFailure):
        return error.briefly()
    return error.message
