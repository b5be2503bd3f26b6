"""A monitor: follows several event channels, writes all down, and calls when there is trouble."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from typing_extensions import override

from idl_like_interfaces.clients.consumer import EventConsumer
from idl_like_interfaces.clients.records import Event
from idl_like_interfaces.clients.sight import Blindness
from idl_like_interfaces.clients.troubles import Trouble, Troubles
from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.events import EventChannel, Gap

log = logging.getLogger(__name__)

FILE_BYTES = 64 * 1024 * 1024
_READ_S = 1.0

Item: TypeAlias = Event | Gap | Blindness


class Monitor(Closing):
    """Follows event channels until it is closed; their suppliers know nothing of it.

    A channel that is away is asked again and again: that, too, is trouble. A disk that is
    full ends nothing; ``problem`` says so.

    Args:
        channels: By the names under which they are shown.
        on_trouble: Called for each trouble when it begins, from one thread at a time.
        on_item: Called for all that comes, with the name of its channel, in the same way.
        file: Everything is appended to it, a JSON document a line; ``None``: nowhere.
        topics: Filters; what does not match is neither written nor judged.
        file_bytes: A larger file is renamed to ``….1``, and a new one is begun.

    Raises:
        OSError: The file cannot be opened.
    """

    def __init__(
        self,
        channels: Mapping[str, EventChannel],
        on_trouble: Callable[[Trouble], None],
        *,
        on_item: Callable[[str, Item], None] | None = None,
        file: Path | None = None,
        topics: list[str] | None = None,
        file_bytes: int = FILE_BYTES,
    ) -> None:
        self.problem = ""
        self._on_trouble = on_trouble
        self._on_item = on_item
        self._troubles = Troubles()
        self._lock = threading.Lock()
        self._path = file
        self._file_bytes = file_bytes
        self._file: FileIO | None = None if file is None else file.open("ab", buffering=0)
        self._closed = threading.Event()
        self._consumers = {
            name: EventConsumer(channel, topics or ["**"], name="monitor")
            for name, channel in channels.items()
        }
        self._threads = [
            threading.Thread(target=self._follow, args=each, name=f"monitor of {each[0]}")
            for each in self._consumers.items()
        ]
        for thread in self._threads:
            thread.start()

    @property
    def blind(self) -> list[str]:
        """The channels that do not answer."""
        return [name for name, consumer in self._consumers.items() if consumer.is_blind]

    @override
    def close(self) -> None:
        self._closed.set()
        for consumer in self._consumers.values():
            consumer.close()
        for thread in self._threads:
            thread.join()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _follow(self, name: str, consumer: EventConsumer) -> None:
        while not self._closed.is_set():
            try:
                for item in consumer.read(_READ_S):
                    self._take(name, item)
            except RemoteError as error:
                log.error("the monitor of %s ends: %s", name, error)
                return
            except Exception:
                log.exception("the monitor of %s could not take an event", name)

    def _take(self, name: str, item: Item) -> None:
        with self._lock:
            self._write(name, item)
            if self._on_item is not None:
                self._on_item(name, item)
            for trouble in self._troubles.of(name, item):
                self._on_trouble(trouble)

    def _write(self, name: str, item: Item) -> None:
        if self._file is None or self._path is None:
            return
        try:
            # What got through before was perhaps half a line.
            begin = b"\n" if self.problem else b""
            self._file.write(begin + msgspec.json.encode(_document(name, item)) + b"\n")
            self.problem = ""
            if self._file.tell() > self._file_bytes:
                self._file.close()
                self._path.replace(self._path.with_name(f"{self._path.name}.1"))
                self._file = self._path.open("ab", buffering=0)
        except (OSError, ValueError) as error:
            if not self.problem:
                log.error("the monitor cannot write %s: %s", self._path, error)
            self.problem = f"{self._path} cannot be written: {error}"


def _document(name: str, item: Item) -> dict[str, Any]:
    """Return an item as plain values, told apart by ``type``."""
    match item:
        case Event():
            return {
                "type": "event",
                "channel": name,
                "sequence": item.sequence,
                "time": item.time,
                "topic": item.topic,
                "source": item.source,
                "body": item.body,
            }
        case Gap():
            return {"type": "gap", "channel": name, "time": datetime.now(UTC), "gap": item}
        case Blindness():
            return {"type": "blind", "channel": name, "time": datetime.now(UTC), "blind": item}
