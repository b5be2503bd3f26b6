"""Sends each event to the loggers that write its streams."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from typing_extensions import override

from idl_like_interfaces.clients.event_sender import EventSender
from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.event_logger import LoggerStatus
from idl_like_interfaces.octets import Buffer


def routes_of(statuses: Mapping[str, LoggerStatus]) -> dict[int, str]:
    """Return which logger writes each stream id, as the loggers say it.

    Args:
        statuses: By name of the logger.

    Raises:
        BadParam: Two loggers write the same stream.
    """
    routes: dict[int, str] = {}
    for logger, status in statuses.items():
        for stream in status.streams:
            other = routes.setdefault(stream.id, logger)
            if other != logger:
                raise BadParam(
                    f"{logger} and {other} both write the stream {stream.id}",
                    field=f"{logger}.streams",
                    cause=f"{logger} has it by the name {stream.name}",
                    remedy="configure each stream in one logger only",
                )
    return routes


class EventRouter(Closing):
    """Several loggers that share the streams; used like one sender. Any thread may call it.

    An event whose streams are in several loggers is sent to each of them, with the ids that
    are its own.

    Args:
        senders: By name of the logger; the first one gets what nobody has configured.
        routes: The logger of each stream id.
    """

    def __init__(self, senders: Mapping[str, EventSender], routes: Mapping[int, str]) -> None:
        self.senders = dict(senders)
        self._first = next(iter(self.senders.values()))
        self._routes = {id: self.senders[logger] for id, logger in routes.items()}
        self._known: dict[tuple[int, ...], list[tuple[EventSender, tuple[int, ...]]]] = {}

    def send(
        self, run: int, event: int, lbn: int, streams: Sequence[int], payload: Buffer, **more: Any
    ) -> None:
        """Take an event; see ``EventSender.send``, also for what else can be said.

        Raises:
            SpoolFull: A sender has no room; it was given to those before it.
            SenderEnded: One takes nothing any more.
            BadParam: A number does not fit its field, or the payload is too long.
        """
        for sender, ids in self._shares(tuple(streams)):
            sender.send(run, event, lbn, ids, payload, **more)

    def send_raw(self, message: Buffer) -> None:
        """Send a message of another type to the first logger."""
        self._first.send_raw(message)

    def _shares(self, streams: tuple[int, ...]) -> list[tuple[EventSender, tuple[int, ...]]]:
        known = self._known.get(streams)
        if known is None:
            by_sender: dict[int, tuple[EventSender, list[int]]] = {}
            for id in streams:
                sender = self._routes.get(id, self._first)
                by_sender.setdefault(hash(sender), (sender, []))[1].append(id)
            known = [(sender, tuple(ids)) for sender, ids in by_sender.values()]
            known = known or [(self._first, ())]
            if len(self._known) < _MOST_KNOWN:
                self._known[streams] = known
        return known

    def flush(self, timeout_s: float) -> bool:
        """Wait until all loggers have accepted all events; tell whether they have."""
        return _all(sender.flush(timeout_s) for sender in self.senders.values())

    def wait_durable(self, timeout_s: float) -> bool:
        """Wait until all events are on the disks of the loggers; tell whether they are."""
        return _all(sender.wait_durable(timeout_s) for sender in self.senders.values())

    def finish(self, timeout_s: float) -> bool:
        """End all senders; tell whether everything is durable."""
        return _all(sender.finish(timeout_s) for sender in self.senders.values())

    @override
    def close(self) -> None:
        for sender in self.senders.values():
            sender.close()


_MOST_KNOWN = 65_536


def _all(answers: Iterable[bool]) -> bool:
    """Tell whether all are true; asks each of them."""
    return all(list(answers))
