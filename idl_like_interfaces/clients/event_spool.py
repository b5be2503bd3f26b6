"""A copy on disk of the messages that are not durable, so that a kill -9 of the sender loses none."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from idl_like_interfaces.clients.disk_spool import DiskSpool
from idl_like_interfaces.clients.event_backlog import Backlog
from idl_like_interfaces.clients.parcels import Bounds

_ROOM = 4
"""The sender keeps to its bounds by itself; files hold more, since they go as a whole."""


class EventSpool:
    """The spool of one sender; any thread may call it.

    Args:
        folder: Below it each sender has a folder.
        name: The sender's.
        incarnation: Of this start.
        most_events: That are kept at most.
        most_bytes: And bytes of their messages.

    Attributes:
        heritage: What earlier starts have left, oldest first.
    """

    def __init__(
        self, folder: Path, name: str, incarnation: int, most_events: int, most_bytes: int
    ) -> None:
        bounds = Bounds(
            spool_items=_ROOM * most_events,
            spool_bytes=_ROOM * most_bytes,
            batch_items=4096,
            batch_bytes=1 << 20,
            window_s=0.0,
        )
        self._disk = DiskSpool(folder, name, str(incarnation), bounds)
        self.heritage = _backlogs(self._disk)

    @property
    def problem(self) -> str:
        """Why messages are not on disk although they should be; empty when all is well."""
        return self._disk.problem

    def append(self, message: bytes) -> None:
        """Keep the next message; on return it survives a kill -9, if the disk takes it."""
        self._disk.append(("", message))

    def skip(self) -> None:
        """Leave out the next message: it was dropped."""
        self._disk.skip()

    def durable(self, incarnation: int, sequence: int) -> None:
        """Note that the messages of a start up to one need not be kept any more."""
        self._disk.acknowledge(str(incarnation), sequence)

    def close(self) -> None:
        """Write no more; what is not durable stays for the next start."""
        self._disk.close()


def _backlogs(disk: DiskSpool) -> list[Backlog]:
    """Return what earlier starts have left; of one that left nothing, where it had ended."""
    left: dict[str, Backlog] = {}
    for incarnation, parcels in groupby(disk.heritage, lambda parcel: parcel.incarnation):
        backlog = left.get(incarnation)
        for parcel in parcels:
            if backlog is None:
                known = parcel.first - 1 - parcel.lost
                backlog = Backlog(incarnation=int(incarnation), produced=known)
                backlog.accepted = backlog.durable = known
                left[incarnation] = backlog
            for number, (_, message) in enumerate(parcel.items):
                backlog.put(parcel.first + number, message)
    made = []
    for incarnation, last in disk.before.items():
        backlog = left.get(incarnation)
        if backlog is None:
            backlog = Backlog(
                incarnation=int(incarnation), produced=last, accepted=last, durable=last
            )
        backlog.last = backlog.produced
        made.append(backlog)
    return made
