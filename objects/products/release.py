"""Delivers a product to its receivers."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from idl_like_interfaces.daqif import DaqAlert
from idl_like_interfaces.documents import OlasReceiver
from objects.component.atomic import PART_SUFFIX
from objects.products import alerts
from objects.products.cancel import Cancel
from objects.products.job import Job
from objects.products.locations import place
from objects.products.progress import Step
from objects.products.remote import Network, together
from objects.products.transfer import (
    RETRY,
    TransferFailed,
    Way,
    bring,
    copy,
    hard_link,
    sha256,
    symbolic_link,
)

log = logging.getLogger("daq.dpm.transfer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What came of releasing.

    Attributes:
        alerts: An error for each receiver that has not got the product.
        passing: At least one failure may be over by itself.
    """

    alerts: list[DaqAlert]
    passing: bool


class Releaser:
    """Gives products to their receivers.

    Args:
        here: Names of this host.
        network: Reaches receivers on other hosts.
        remember: Told acquisition and receiver (by its place) when one has got it.
    """

    def __init__(
        self, here: frozenset[str], network: Network, remember: Callable[[str, int], None]
    ) -> None:
        self._here = here
        self._network = network
        self._remember = remember

    def release(
        self, job: Job, product: Path, receivers: Sequence[OlasReceiver], cancel: Cancel
    ) -> Released:
        """Serve all who have not got it: those of this host in turn, then all others together.

        Raises:
            Cancelled: Asked to end.
        """
        left = {
            index: partial(self._serve, job, product, index, receiver)
            for index, receiver in enumerate(receivers)
            if index not in job.released
        }
        far = self._distinct_far([(index, receivers[index]) for index in left])
        # One that is named twice among them comes in turn, and has its file already.
        failures = {index: left[index](cancel) for index in left if self._is_near(receivers[index])}
        failures |= zip(far, together([left[index] for index in far], cancel), strict=True)
        failures |= {index: left[index](cancel) for index in left if index not in failures}
        return Released(
            alerts=[_not_released(index, it) for index, it in sorted(failures.items()) if it],
            passing=any(it.passing for it in failures.values() if it),
        )

    def _is_near(self, receiver: OlasReceiver) -> bool:
        return receiver.host in self._here

    def _distinct_far(self, receivers: Sequence[tuple[int, OlasReceiver]]) -> list[int]:
        far = {
            (receiver.host, receiver.path.rstrip("/")): index
            for index, receiver in reversed(receivers)
            if not self._is_near(receiver)
        }
        return sorted(far.values())

    def _serve(
        self, job: Job, product: Path, index: int, receiver: OlasReceiver, cancel: Cancel
    ) -> TransferFailed | None:
        try:
            deliver(product, job.file_id, receiver, self._here, self._network, cancel)
        except TransferFailed as failure:
            return failure
        self._remember(job.id, index)
        return None


def deliver(
    product: Path,
    file_id: str,
    receiver: OlasReceiver,
    here: frozenset[str],
    network: Network,
    cancel: Cancel,
) -> None:
    """Give the product to a receiver under its archive name ``{file_id}.fits``.

    It is linked where that is possible, so both names share one read-only file; to
    another host it is sent. What the receiver has already is left as it is.

    Raises:
        TransferFailed: It could not be delivered; the receiver has no part of it.
        Cancelled: Asked to end.
    """
    folder = place(receiver.host, receiver.path, here)
    name = f"{file_id}.fits"
    if not folder.is_local:
        network.deliver(product, replace(folder, path=folder.path / name), cancel)
        return
    links = (hard_link, symbolic_link) if receiver.options.allow_symlink else (hard_link,)
    _deliver_local(product, Path(folder.path) / name, (*links, copy), cancel)


def _deliver_local(product: Path, delivered: Path, ways: tuple[Way, ...], cancel: Cancel) -> None:
    folder = delivered.parent
    try:
        _require_folder(folder)
        if os.path.lexists(delivered):
            _require_same(product, delivered, cancel)
            return
        delivered.with_name(f".{delivered.name}{PART_SUFFIX}").unlink(missing_ok=True)
        bring(product, delivered, ways, cancel)
    except OSError as error:
        failure = TransferFailed.of(error, str(folder))
        failure.passing = True  # a mount may come back, a disk may be emptied
        raise failure from error
    log.info("%s released as %s", product, delivered)


def _require_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    found = "is not a folder" if os.path.lexists(folder) else "does not exist"
    if folder.is_symlink():
        found = "is a symbolic link to nothing or to a file"
    raise TransferFailed(
        f"{folder} {found}",
        cause="the receiver's path is wrong, or its file system is not mounted",
        remedy=f"make it a folder that the DPM may write, {RETRY}",
        passing=True,
    )


def _require_same(product: Path, there: Path, cancel: Cancel) -> None:
    same = there.exists() and (
        there.samefile(product)
        or (
            there.stat().st_size == product.stat().st_size
            and sha256(there, cancel) == sha256(product, cancel)
        )
    )
    if not same:
        raise TransferFailed(
            f"{there} exists and is another file",
            cause="another product of the same fileId was delivered, or a link dangles",
            remedy=f"move that file away, {RETRY}",
        )


def _not_released(index: int, failure: TransferFailed) -> DaqAlert:
    return alerts.error(
        f"{Step.RELEASE}/{index}",
        f"the product cannot be released to receiver {index}: {failure.description}",
        cause=failure.cause,
        remedy=failure.remedy,
    )
