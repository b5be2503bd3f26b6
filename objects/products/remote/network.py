"""Brings files of other hosts here, and products to other hosts."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from objects.component.atomic import PART_SUFFIX, fsync_folder
from objects.products.cancel import Cancel
from objects.products.locations import Location
from objects.products.remote.failures import ConnectionLost
from objects.products.remote.rsync import Call, Rsync, RsyncSettings, far
from objects.products.remote.slots import Slots
from objects.products.room import require_room
from objects.products.transfer import RETRY, TransferFailed, still_written

log = logging.getLogger("daq.dpm.transfer")

_TRIES = 3
"""So often a file is transferred that is another one at the end than at the begin."""

_HERE = "this DPM"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """How other hosts are reached.

    Attributes:
        rsync: The program.
        receive: Files that are received at a time; 0: no limit.
        send: Products that are sent at a time; 0: no limit.
    """

    rsync: RsyncSettings = field(default_factory=RsyncSettings)
    receive: int = 0
    send: int = 0


class Network:
    """Transfers with other hosts, as many at a time as the limits allow; thread-safe."""

    def __init__(self, settings: NetworkSettings) -> None:
        self._rsync = Rsync(settings.rsync)
        self._receiving = Slots(settings.receive)
        self._sending = Slots(settings.send)
        self._lock = threading.Lock()
        self._under_way: dict[object, str] = {}

    def describe(self) -> str:
        """Say in a few words what is under way, empty: nothing."""
        with self._lock:
            return ", ".join(self._under_way.values())

    def fetch(self, origin: Location, place: Path, cancel: Cancel) -> None:
        """Bring a file here; it appears complete, on disk, with its time, or not at all.

        What has come before a connection was lost is used the next time.

        Raises:
            TransferFailed: With cause and remedy.
            Cancelled: Asked to end.
        """
        part = place.with_name(f".{place.name}{PART_SUFFIX}")
        call = Call(
            source=far(origin.host, str(origin.path)),
            target=str(part),
            host=origin.host,
            place=_HERE,
        )
        with self._receiving.taken(cancel):
            try:
                size = self._fetch(call, part, cancel)
            except ConnectionLost:
                raise
            except TransferFailed:
                part.unlink(missing_ok=True)
                raise
            _complete(part, place)
        log.info("%s received from %s: %d bytes", place.name, origin.host, size)

    def is_current(self, origin: Location, place: Path, cancel: Cancel) -> bool:
        """Tell whether a file that was brought is as the original, by size and time.

        Raises:
            TransferFailed: The original cannot be looked at.
            Cancelled: Asked to end.
        """
        call = Call(
            source=far(origin.host, str(origin.path)),
            target=str(place),
            host=origin.host,
            place=_HERE,
        )
        with self._receiving.taken(cancel):
            return self._rsync.compare(call, 0, cancel, quickly=True).is_same

    def deliver(self, product: Path, target: Location, cancel: Cancel) -> None:
        """Bring a product to a place on another host, where it appears complete.

        What is there already and has the same content is left as it is.

        Raises:
            TransferFailed: With cause and remedy; nothing of it is at that place.
            Cancelled: Asked to end.
        """
        call = Call(
            source=str(product),
            target=f"{target.host}:{target.path}",
            host=target.host,
            place=f"host {target.host}",
        )
        size = product.stat().st_size
        with self._sending.taken(cancel):
            before = self._rsync.compare(call, size, cancel)
            if before.is_new:
                self._send(call, product, cancel)
                after = self._rsync.compare(call, size, cancel)
                if not after.is_same:
                    raise _differs(call.target)
            elif not _has_content(before.changes):
                log.info("%s is there already", call.target)
            else:
                raise _is_another(call.target)

    def _send(self, call: Call, product: Path, cancel: Cancel) -> None:
        with self._told(f"sending {product.name} to {call.host}") as tell:
            # rsync writes under a hidden name of its own and renames at the end.
            self._rsync.move(call, ["--ignore-existing"], cancel, on_progress=tell)
        log.info("%s sent as %s", product, call.target)

    def _fetch(self, call: Call, part: Path, cancel: Cancel) -> int:
        options = ["--inplace", "--perms", "--chmod=F0644"]
        with self._told(f"receiving {part.name[1 : -len(PART_SUFFIX)]} from {call.host}") as tell:
            for _ in range(_TRIES):
                size = self._rsync.move(call, options, cancel, _has_room(part), tell)
                # rsync has checked what it has sent; whether the original is still the same
                # and what stands on our disk is looked at anew.
                seen = self._rsync.compare(call, size, cancel)
                if seen.is_same and seen.size == part.stat().st_size:
                    return size
        raise still_written(f"it changed while it was received, {_TRIES} times")

    @contextmanager
    def _told(self, what: str) -> Iterator[Callable[[str], None]]:
        key = object()

        def tell(progress: str) -> None:
            with self._lock:
                self._under_way[key] = f"{what}: {progress}" if progress else what

        tell("")
        try:
            yield tell
        finally:
            with self._lock:
                del self._under_way[key]


def _complete(part: Path, place: Path) -> None:
    try:
        descriptor = os.open(part, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        part.rename(place)
        fsync_folder(place.parent)
    except OSError as error:
        raise TransferFailed.of(error) from error


def _has_room(part: Path) -> Callable[[int], None]:
    """Return what begins no transfer that can only fill the disk."""

    def require(size: int) -> None:
        require_room(part.parent, size - (part.stat().st_size if part.exists() else 0))

    return require


def _has_content(changes: str) -> bool:
    """Tell whether checksum or size differ; another time of the same content does not matter."""
    return bool(changes[:2].strip(". "))


def _is_another(target: str) -> TransferFailed:
    return TransferFailed(
        f"{target} exists and is another file",
        cause="another product of the same fileId was delivered",
        remedy=f"move that file away, {RETRY}",
    )


def _differs(target: str) -> TransferFailed:
    return TransferFailed(
        f"{target} is not as the product after the transfer",
        cause="somebody else wrote it at the same time, or the disk there has a fault",
        remedy=f"move that file away, {RETRY}",
        passing=True,
    )
