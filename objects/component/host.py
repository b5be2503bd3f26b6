"""Hosting a component: the order in which it boots, lives and ends."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from typing_extensions import override

from idl_like_interfaces.accounts import Account
from idl_like_interfaces.alarms import AlarmReport, AlarmService
from idl_like_interfaces.announcements import HEARTBEAT_TOPIC, ComponentState, FileFinished
from idl_like_interfaces.clients import AlarmReporter, EventSupplier, LogForwarder, OldbWriter
from idl_like_interfaces.clients.accounts import below
from idl_like_interfaces.closing import Closing
from idl_like_interfaces.declare import Value
from idl_like_interfaces.errors import CommFailure, RemoteError, TimeIsUp
from idl_like_interfaces.events import EventChannel, Priority
from idl_like_interfaces.first_use import all_ready
from idl_like_interfaces.logs import LogService
from idl_like_interfaces.mapping import ObjectAdapter, make_incarnation, use_tls
from idl_like_interfaces.naming import NamingContext
from idl_like_interfaces.oldb import OnlineDatabase, Quality
from idl_like_interfaces.security.protection import AUDIT, Protection
from idl_like_interfaces.security.settings import ABSENT, SecurityTable
from idl_like_interfaces.supervision import ComponentObject
from nameserver.client import LEASE_RENEWAL_S, Names, Offer, Registration, Where
from objects.component.clock import SystemClock
from objects.component.health import Absence, ComponentServant, Delivery, heartbeat_of
from objects.component.offered import HostedOffer
from objects.component.outbox import ATTEND_S, Outbox
from objects.component.particulars import Particulars
from objects.component.site import ActiveObject, Component, Offered, Site
from objects.component.timetable import Timetable

log = logging.getLogger(__name__)

HEARTBEAT_S = 1.0

DATA_ROOT_MODE = 0o774

LAST_WORDS_S = 0.5
"""How long an ending component tries to get rid of its last events and log records."""

_WRITE_S = 3.0
"""Deadline of a write into the online database; it is repeated."""

T = TypeVar("T")


class HostedSite(Site):
    """The site of a component that runs in this process.

    Args:
        name: The component's name.
        root: Root context of the installation.
        data_root: Folder of the installation's data; made when it is missing.
        names: Where the name server is, or both of a pair; it need not run yet.

    Raises:
        OSError: The data root cannot be made.
    """

    def __init__(self, name: str, *, root: str, data_root: Path, names: Where) -> None:
        self.name = name
        self.root = root
        self.incarnation = make_incarnation()
        self.data_root = data_root
        _make(data_root)
        self.clock = SystemClock()
        self.names = Names(names)
        self.timetable = Timetable()
        self.exit_requested = threading.Event()
        self.absences: dict[str, Absence] = {}
        self.offering: Callable[[ActiveObject, int], Offered] | None = None
        self.supplier = EventSupplier(
            self.narrow(f"{root}/events", EventChannel),
            f"{root}/{name}",
            self.incarnation,
            spool=data_root / "spool",
        )
        self.alarms = AlarmReporter(
            self.narrow(f"{root}/alarms", AlarmService), f"{root}/{name}", self.incarnation
        )
        self.values = OldbWriter(
            self.narrow(f"{root}/oldb", OnlineDatabase, _WRITE_S),
            f"{root}/{name}",
            self.incarnation,
        )
        self.outbox = Outbox(data_root / "outbox" / name, self.supplier, self.incarnation)
        self._accountants: list[Callable[[], list[Account]]] = [self.supplier.accounts]

    @override
    def narrow(self, reference: str, interface: type[T], deadline_s: float = 10.0) -> T:
        return self.names.narrow(reference, interface, deadline_s)

    @override
    def naming(self, deadline_s: float = 10.0) -> NamingContext:
        return self.names.context_within(deadline_s)

    @override
    def publish(self, topic: str, body: Value, priority: Priority = Priority.NORMAL) -> None:
        self.supplier.publish(topic, body, priority=priority)

    @override
    def record(self, key: str, value: Any, quality: Quality = Quality.OK) -> None:
        self.values.write(f"{self.name}/{key}", value, quality)

    @override
    def forget(self, key: str) -> None:
        self.values.remove(f"{self.name}/{key}")

    @override
    def raise_alarm(self, report: AlarmReport) -> None:
        self.alarms.raise_alarm(report)

    @override
    def clear_alarm(self, name: str, object: str = "", text: str = "") -> None:
        self.alarms.clear_alarm(name, object, text)

    @override
    def note(self, text: str) -> None:
        self.alarms.note(text)

    @override
    def links(self) -> dict[str, str]:
        # Who asks wants to know it before there is an alarm; quiet components ask for nothing.
        self.alarms.watch()
        return {name: absence.link() for name, absence in self.absences.items()}

    @override
    def offer(self, offered: ActiveObject, port: int = 0) -> Offered:
        assert self.offering is not None, "offered before the component's start"
        return self.offering(offered, port)

    @override
    def keeps_accounts(self, accountant: Callable[[], list[Account]]) -> None:
        self._accountants.append(accountant)

    def accounts(self) -> list[Account]:
        """Return the accounts of all hops of the component; one that fails hides no other."""
        found: list[Account] = []
        for accountant in list(self._accountants):
            try:
                found += accountant()
            except RemoteError as error:
                log.warning("accounts of %s are missing: %s", self.name, error)
        return found

    @override
    def announce(self, file: FileFinished) -> None:
        self.outbox.add(file)

    @override
    def every(self, period_s: float, action: Callable[[], None]) -> Callable[[], None]:
        return self.timetable.every(period_s, action)

    @override
    def request_exit(self) -> None:
        self.exit_requested.set()

    def close(self) -> None:
        """Send what is spooled and close all connections."""
        self.timetable.close()
        # Together: where several services are away their patience must not add up.
        until = self.clock.monotonic() + 2 * LAST_WORDS_S

        def left_s() -> float:
            return max(0.0, min(LAST_WORDS_S, until - self.clock.monotonic()))

        self.supplier.flush(left_s())
        self.outbox.attend()
        for each in (self.supplier, self.alarms, self.values):
            each.close(left_s())
        self.names.close()


class ComponentHost(Closing):
    """Runs one component in this process; a context manager.

    Args:
        component: Its class.
        settings: Its settings, as its class declares them.
        name: Its name.
        names: Where the name server is, or both of a pair.
        root: Root context of the installation.
        data_root: Folder of the installation's data.
        security: Certificates, roles, audit log.
        port: Where its objects are served; 0: any free one.
        forward_logs: Send this process's log records to the log service.
        common: Further settings, shown in the online database.

    Attributes:
        component: The component.
        site: Where it runs.
        uris: Under its names, where its objects are.

    Raises:
        RemoteError: The component refuses its settings or its store, or one of
            its names belongs to a living object; nothing is left running.
        OSError: A folder cannot be made or read.
    """

    def __init__(  # noqa: PLR0913 (each is one fact of the installation)
        self,
        component: type[Component],
        settings: Any,
        *,
        name: str,
        names: Where,
        root: str = "obs",
        data_root: Path,
        security: SecurityTable = ABSENT,
        port: int = 0,
        forward_logs: bool = False,
        common: Sequence[msgspec.Struct] = (),
    ) -> None:
        self.site = HostedSite(name, root=root, data_root=data_root, names=names)
        self._port = port
        self._forwarder = self._forward_logs() if forward_logs else None
        self._adapter: ObjectAdapter | None = None
        self._protection: Protection | None = None
        self._registration: Registration | None = None
        # Of its own: jobs of the component that hang must not hold up lease and heartbeat.
        self._pulse = Timetable()
        self._beating = threading.Lock()
        self._unbound = Absence("not bound in the name server")
        self._deliveries: list[Delivery] = []
        self.uris: dict[str, str] = {}
        self._is_made = self._is_started = False
        self._is_closed = False
        try:
            self._protection = self._protect(security)
            self.component = component(self.site, settings)
            self._is_made = True
            self._servant = self._make_servant()
            self._particulars = Particulars(self.site, self.component.settings, *common)
            self._boot(self._protection)
        except BaseException:
            self.close()
            raise

    @property
    def is_bound(self) -> bool:
        """Tell whether its names are bound."""
        return self._registration is not None and self._registration.is_held

    @override
    def close(self) -> None:
        """End it in good order: unbind, finish its work, close; harmless when repeated."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._registration is not None:
            self._registration.release()
        if self._adapter is not None:
            self._adapter.drain()
        if self._is_made:
            self.component.stop()
        if self._is_started:
            self._beat(ComponentState.STOPPED)
            log.info("%s has ended", self.site.name)
        for each in (self._adapter, self._protection):
            if each is not None:
                each.close()
        self._stop_forwarding()
        self._pulse.close()
        self.site.close()

    def _stop_forwarding(self) -> None:
        if self._forwarder is not None:
            logging.getLogger().removeHandler(self._forwarder)
            self._forwarder.close(LAST_WORDS_S)

    def _protect(self, security: SecurityTable) -> Protection:
        site = self.site
        made = Protection(security, site.name, site.incarnation, site.data_root / AUDIT)
        if made.client is not None:
            use_tls(made.client)
        return made

    def _boot(self, protection: Protection) -> None:
        all_ready()
        self.component.recover()
        self._adapter = self._make_adapter(protection, self._port)
        offered = [*self.component.objects(), self._itself()]
        offers = [self._offer_of(self._adapter, each) for each in offered]
        self.uris = {each.name: each.uri for each in offers}
        self._adapter.start()
        self._registration = Registration(
            self.site.names,
            self.site.name,
            offers,
            {"component": self.site.name, "kind": self.component.kind, "pid": str(os.getpid())},
        )
        self._claim(self._registration)
        # From the claim on: a start that takes long must not cost the names.
        self._pulse.every(LEASE_RENEWAL_S, self._keep_names)
        self._is_started = True
        self.site.offering = self._offer
        self.component.start()
        self._beat(ComponentState.STARTED)
        self._beat(ComponentState.RUNNING)
        self._pulse.every(HEARTBEAT_S, self._beat)
        self.site.outbox.recover()
        self.site.every(ATTEND_S, self.site.outbox.attend)
        log.info("%s is ready: %s", self.site.name, ", ".join(offer.name for offer in offers))

    def _offer(self, offered: ActiveObject, port: int) -> Offered:
        assert self._protection is not None
        assert self._registration is not None
        adapter = self._make_adapter(self._protection, port)
        return HostedOffer(adapter, self._registration, self._offer_of(adapter, offered))

    def _make_adapter(self, protection: Protection, port: int) -> ObjectAdapter:
        return ObjectAdapter(
            protection.host,
            port,
            incarnation=self.site.incarnation,
            tls=protection.server,
            guard=protection.guard,
            insecure=protection.insecure,
        )

    def _offer_of(self, adapter: ObjectAdapter, each: ActiveObject) -> Offer:
        name = f"{self.site.root}/{each.path}"
        uri = adapter.activate(each.servant, each.interface, name)
        return Offer(name=name, uri=uri, interface=each.interface)

    def _claim(self, registration: Registration) -> None:
        try:
            registration.claim()
        except (CommFailure, TimeIsUp) as error:
            # It works on without names, and binds them once the server is there.
            log.warning("%s starts without its names: %s", self.site.name, error)
        self._note_names(registration)

    def _itself(self) -> ActiveObject:
        path = f"components/{self.site.name}"
        return ActiveObject(path=path, interface=ComponentObject, servant=self._servant)

    def _make_servant(self) -> ComponentServant:
        clock = self.site.clock
        channel, logs = Absence("event channel away"), Absence("log service away")
        alarms = Absence("alarm service away")
        self.site.absences = {"names": self._unbound, "channel": channel, "alarms": alarms}
        reporter = self.site.alarms
        self._deliveries = [
            Delivery(channel, lambda: self.site.supplier.counters, clock),
            Delivery(alarms, lambda: self.site.alarms.counters, clock, lambda: reporter.is_away),
        ]
        if (forwarder := self._forwarder) is not None:
            self._deliveries.append(Delivery(logs, lambda: forwarder.counters, clock))
        absences = [self._unbound, channel, logs, alarms]
        return ComponentServant(self.component, self.site.accounts, absences)

    def _keep_names(self) -> None:
        assert self._registration is not None
        self._registration.keep()
        self._note_names(self._registration)

    def _note_names(self, registration: Registration) -> None:
        self._unbound.note(self.site.clock.utc(), is_away=not registration.is_held)

    def _beat(self, state: ComponentState | None = None) -> None:
        for each in self._deliveries:
            each.look()
        with self._beating:
            if self._servant.state is ComponentState.STOPPED:
                return  # nothing comes behind the last one
            if state is not None:
                self._servant.enter(state)
            beat = heartbeat_of(self._servant.get_health())
            self._particulars.tell(beat)
            self.site.publish(HEARTBEAT_TOPIC, beat)

    def _forward_logs(self) -> LogForwarder:
        forwarder = LogForwarder(
            self.site.narrow(f"{self.site.root}/log", LogService),
            self.site.name,
            self.site.incarnation,
        )
        logging.getLogger().addHandler(forwarder)
        self.site.keeps_accounts(lambda: below(self.site.root, [forwarder.account()]))
        return forwarder


def _make(data_root: Path) -> None:
    """Make the folder with its mode, whatever the umask is; one that exists stays as it is."""
    if not data_root.is_dir():
        data_root.mkdir(parents=True, exist_ok=True)
        data_root.chmod(DATA_ROOT_MODE)
