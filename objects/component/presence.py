"""The supervisor as a component: found by name, heard, its alarms reported.

Nothing here may hold up the supervision itself: it runs in a thread of its own, and when it
fails (no certificate of that name, another supervisor has the name) it is tried again later.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, ClassVar

import msgspec
from typing_extensions import override

from idl_like_interfaces.alarms import AlarmReport
from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.supervision import Supervisor
from nameserver.client import Where
from objects.component.host import ComponentHost
from objects.component.installation import SUPERVISOR, Installation
from objects.component.site import ActiveObject, Component, Site

log = logging.getLogger(__name__)

RETRY_S = 15.0


class SupervisorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the component of a supervisor is given.

    Attributes:
        servant: Answers for it.
        detail: Says in a few words how it stands.
        problem: Says what is wrong with it.
    """

    servant: Supervisor
    detail: Callable[[], str]
    problem: Callable[[], str]


class SupervisorComponent(Component):
    """Who started an installation and keeps it running."""

    kind: ClassVar[str] = SUPERVISOR
    Settings: ClassVar[type[msgspec.Struct]] = SupervisorSettings

    def __init__(self, site: Site, settings: Any) -> None:
        super().__init__(site, settings)

    @override
    def objects(self) -> list[ActiveObject]:
        servant = self.settings.servant
        return [ActiveObject(path="supervisor", interface=Supervisor, servant=servant)]

    @override
    def detail(self) -> str:
        said: str = self.settings.detail()
        return said

    @override
    def problem(self) -> str:
        said: str = self.settings.problem()
        return said


class Presence(Closing):
    """Hosts the component of a supervisor, however often that fails; a context manager.

    Args:
        installation: The installation.
        names: Where the name servers are.
        settings: Of the component.
    """

    def __init__(
        self, installation: Installation, names: Where, settings: SupervisorSettings
    ) -> None:
        self._installation = installation
        self._names = names
        self._settings = settings
        self._changed = threading.Condition()
        self._alarms: dict[str, AlarmReport] = {}
        self._host: ComponentHost | None = None
        self._has_tried = self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="supervisor's presence")
        self._thread.start()

    def await_attempt(self, timeout_s: float) -> None:
        """Wait until it was tried once to make it known."""
        with self._changed:
            self._changed.wait_for(lambda: self._has_tried, timeout_s)

    def raise_alarm(self, report: AlarmReport) -> None:
        """Report a condition that holds, as soon as that is possible."""
        with self._changed:
            self._alarms[report.object] = report
            if self._host is not None:
                self._host.site.raise_alarm(report)

    def clear_alarm(self, object: str, text: str) -> None:
        """Report that the condition of an object is over."""
        with self._changed:
            report = self._alarms.pop(object, None)
            if self._host is not None and report is not None:
                self._host.site.clear_alarm(report.name, object, text)

    @override
    def close(self) -> None:
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_closing:
            host = self._host_it()
            with self._changed:
                self._host, self._has_tried = host, True
                self._changed.notify_all()
                self._raise_all()
                patience_s = RETRY_S if host is None else None
                self._changed.wait_for(lambda: self._is_closing, patience_s)
                self._host = None
            if host is not None:
                host.close()

    def _raise_all(self) -> None:
        if self._host is not None:
            for report in self._alarms.values():
                self._host.site.raise_alarm(report)

    def _host_it(self) -> ComponentHost | None:
        try:
            return ComponentHost(
                SupervisorComponent,
                self._settings,
                name=SUPERVISOR,
                names=self._names,
                root=self._installation.root,
                data_root=self._installation.data_root,
                security=self._installation.security,
                forward_logs=True,
            )
        except (RemoteError, OSError) as error:
            log.warning("the supervisor is not found by its name for now: %s", error)
            return None
