"""Hears the heartbeats of all components, and knows whether it hears."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from typing_extensions import override

from idl_like_interfaces.announcements import HEARTBEAT_TOPIC, Heartbeat
from idl_like_interfaces.clients import Event, EventConsumer
from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.events import EventChannel

log = logging.getLogger(__name__)

_READ_S = 1.0
_UNKNOWN = "new"


class Listener(Closing):
    """Reads heartbeats in a thread of its own until it is closed.

    Args:
        channel: Carries them.
        name: As the channel's statistics show it.
        hear: Gets each heartbeat.
    """

    def __init__(self, channel: EventChannel, name: str, hear: Callable[[Heartbeat], None]) -> None:
        self._consumer = EventConsumer(channel, [HEARTBEAT_TOPIC], name=name, cursor=_UNKNOWN)
        self._hear = hear
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"heartbeats to {name}")
        self._thread.start()

    @property
    def sees(self) -> bool:
        """Tell whether heartbeats come through: the channel answers, and did so before."""
        return self._consumer.cursor != _UNKNOWN and not self._consumer.is_blind

    @property
    def consumer(self) -> EventConsumer:
        """Reads the channel; for its accounts."""
        return self._consumer

    @override
    def close(self) -> None:
        self._closed.set()
        self._consumer.close()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                for item in self._consumer.read(_READ_S):
                    if isinstance(item, Event):
                        self._hear(item.as_(Heartbeat))
            except BadParam as error:
                log.warning("a heartbeat cannot be read: %s", error)
            except Exception:
                log.exception("listening to heartbeats failed unexpectedly; it goes on")
                self._closed.wait(_READ_S)
