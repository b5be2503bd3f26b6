"""The writer's side of the project service: present information, always at hand."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from typing_extensions import override

from idl_like_interfaces.clients.consumer import EventConsumer
from idl_like_interfaces.clients.records import Event
from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import BadParam, RemoteError
from idl_like_interfaces.events import EventChannel
from idl_like_interfaces.project import PROJECT_TOPIC, ProjectInformation, ProjectService

log = logging.getLogger(__name__)

ASK_EVERY_S = 5.0
"""How often the service is asked, beside what the channel says."""

CURRENT_S = 3 * ASK_EVERY_S
"""What was confirmed so long ago is still taken for present."""

_LISTEN_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownProject:
    """What is known of the project.

    Attributes:
        information: The newest version that was heard of.
        age_s: How long ago it was known to be the newest.
    """

    information: ProjectInformation
    age_s: float

    @property
    def is_current(self) -> bool:
        """Tell whether it is the present information, for all that one can know."""
        return self.age_s <= CURRENT_S

    def remark(self) -> str:
        """Say how old it is, for a file; empty when it is current."""
        if self.is_current:
            return ""
        return f"project information of {self.age_s:.0f} s ago: the project service is away"


class ProjectReader(Closing):
    """Follows the project information in a thread of its own; a context manager.

    ``known`` never waits. While the service is away it gives what was known last, and says how
    old that is; a change that comes over the channel is there at once.

    Args:
        service: The project service; ``close`` may have to wait for its deadline.
        channel: The event channel.
        name: Who reads, as the channel's statistics show it.
        monotonic: Clock for ages.
    """

    def __init__(
        self,
        service: ProjectService,
        channel: EventChannel,
        *,
        name: str,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service = service
        self._consumer = EventConsumer(channel, [PROJECT_TOPIC], name=name)
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._information: ProjectInformation | None = None
        self._confirmed_at = 0.0
        self._is_asked_for = False
        self._is_closed = False
        self._threads = [
            threading.Thread(target=each, name=f"{name}: project {what}")
            for what, each in (("listener", self._listen), ("reader", self._ask_again))
        ]
        for thread in self._threads:
            thread.start()

    def known(self) -> KnownProject | None:
        """Return what is known now; None: the service has not been heard yet."""
        with self._changed:
            if self._information is None:
                return None
            age_s = max(0.0, self._monotonic() - self._confirmed_at)
            return KnownProject(information=self._information, age_s=age_s)

    def await_known(self, timeout_s: float) -> KnownProject | None:
        """As ``known``; waits for the first answer, for at most ``timeout_s``."""
        with self._changed:
            self._changed.wait_for(lambda: self._information or self._is_closed, timeout_s)
        return self.known()

    @override
    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._consumer.close()
        for thread in self._threads:
            thread.join()

    def _listen(self) -> None:
        while not self._is_closed:
            try:
                items = self._consumer.read(_LISTEN_S)
            except RemoteError as error:
                log.error("changes of the project cannot be heard: %s", error)
                return
            for item in items:
                if isinstance(item, Event):
                    self._hear(item)
                else:
                    self._ask_soon()

    def _hear(self, event: Event) -> None:
        try:
            self._take(event.as_(ProjectInformation))
        except BadParam as error:
            log.debug("no project information: %s", error)

    def _ask_soon(self) -> None:
        """Something may have been missed."""
        with self._changed:
            self._is_asked_for = True
            self._changed.notify_all()

    def _ask_again(self) -> None:
        while not self._is_closed:
            self._is_asked_for = False
            before = self._version()
            try:
                self._take(self._service.get(), least=before)
            except (RemoteError, OSError) as error:
                log.debug("the project service is away: %s", error)
            with self._changed:
                self._changed.wait_for(lambda: self._is_closed or self._is_asked_for, ASK_EVERY_S)

    def _version(self) -> int:
        with self._changed:
            return self._information.version if self._information is not None else 0

    def _take(self, found: ProjectInformation, least: int = 0) -> None:
        """Take what is newer; one older than ``least`` is of a service that began anew."""
        with self._changed:
            known = self._information
            # An answer may be overtaken by what comes over the channel.
            if known is None or found.version >= known.version or found.version < least:
                self._information = found
                self._confirmed_at = self._monotonic()
                self._changed.notify_all()
