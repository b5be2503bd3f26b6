"""Collects the source files of an acquisition into its folder."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from idl_like_interfaces.daqif import DaqAlert
from objects.component.atomic import PART_SUFFIX
from objects.component.clock import Clock
from objects.products import alerts
from objects.products.cancel import Cancel
from objects.products.locations import Location, parse_location
from objects.products.originals import Mark, is_current, mark, regular
from objects.products.progress import Step
from objects.products.remote import Network, together
from objects.products.sources import SourceFile
from objects.products.transfer import (
    TransferFailed,
    bring,
    copy,
    hard_link,
    reflink,
    still_written,
)
from objects.products.whole import require_fits
from objects.products.workspace import MERGE_LOG

log = logging.getLogger("daq.dpm.transfer")

REST_S = 3.0
"""A file that was modified after the stop must have been left alone for so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What came of collecting.

    Attributes:
        alerts: An error for each file that could not be brought, a warning for each
            that is suspicious.
        passing: At least one failure may be over by itself.
    """

    alerts: list[DaqAlert]
    passing: bool = False

    @property
    def has_failed(self) -> bool:
        """Tell whether a file is missing."""
        return alerts.has_error(self.alerts)


class Collector:
    """Brings files; of this host by link or copy, of others by the network."""

    def __init__(self, here: frozenset[str], network: Network, clock: Clock) -> None:
        self._here = here
        self._network = network
        self._clock = clock

    def collect(
        self, files: Sequence[SourceFile], folder: Path, stopped_at: datetime, cancel: Cancel
    ) -> Collected:
        """Bring every file that is not there yet, or has changed since.

        Args:
            files: What is needed.
            folder: Folder of the acquisition.
            stopped_at: A file that was modified later is suspicious.
            cancel: Ends it.

        Raises:
            Cancelled: Asked to end.
        """
        actions: dict[SourceFile, Callable[[Cancel], Collected]] = {
            file: partial(self._collect, file, folder, stopped_at) for file in files
        }
        far = [file for file in files if not self._origin(file).is_local]
        done = {file: actions[file](cancel) for file in files if file not in far}
        done |= zip(far, together([actions[file] for file in far], cancel), strict=True)
        return Collected(
            alerts=[alert for file in files for alert in done[file].alerts],
            passing=any(each.passing for each in done.values()),
        )

    def marks(self, files: Sequence[SourceFile], folder: Path) -> dict[SourceFile, Mark]:
        """Note the state of files that were collected: that of their originals."""
        return {file: mark(folder / file.path) for file in files}

    def changes(self, marks: dict[SourceFile, Mark]) -> Collected:
        """Tell which originals on this host have changed since they were collected.

        What was merged is then not what the source delivers: it has to be done again.
        """
        changed = [file for file, before in marks.items() if self._has_changed(file, before)]
        failure = still_written("it changed while it was merged")
        return Collected(
            alerts=[_not_collected(file, failure) for file in changed], passing=bool(changed)
        )

    def _origin(self, file: SourceFile) -> Location:
        return parse_location(file.origin, self._here)

    def _has_changed(self, file: SourceFile, before: Mark) -> bool:
        origin = self._origin(file)
        if not origin.is_local:
            return False
        try:
            return mark(Path(origin.path)) != before
        except OSError:
            return False  # nobody has to keep the original

    def _collect(
        self, file: SourceFile, folder: Path, stopped_at: datetime, cancel: Cancel
    ) -> Collected:
        place = folder / file.path
        try:
            self._bring(file, folder, stopped_at, cancel)
            require_fits(place)
        except TransferFailed as failure:
            return _failed(file, failure)
        except OSError as error:
            return _failed(file, TransferFailed.of(error))
        return Collected(alerts=_suspicions(file, place.stat().st_mtime, stopped_at))

    def _bring(self, file: SourceFile, folder: Path, stopped_at: datetime, cancel: Cancel) -> None:
        origin, place = self._origin(file), folder / file.path
        if origin.is_local:
            self._bring_local(Path(origin.path), place, file, stopped_at, cancel)
        elif not (place.exists() and self._is_current_far(origin, place, file, cancel)):
            place.unlink(missing_ok=True)
            self._network.fetch(origin, place, cancel)
            self._require_rest(place, stopped_at, then=place.unlink)

    def _bring_local(
        self, origin: Path, place: Path, file: SourceFile, stopped_at: datetime, cancel: Cancel
    ) -> None:
        if os.path.exists(origin):  # noqa: PTH110 (a loop of links does not exist, either)
            self._require_rest(origin, stopped_at)
        may_have_changed = file.is_target and _was_merged(place)
        if is_current(origin, place, may_have_changed=may_have_changed):
            return
        place.unlink(missing_ok=True)
        place.with_name(f".{place.name}{PART_SUFFIX}").unlink(missing_ok=True)
        real = regular(origin)
        # The merger changes its target: a hard link would let it change the original.
        ways = (reflink, copy) if file.is_target else (hard_link, reflink, copy)
        bring(real, place, ways, cancel)

    def _is_current_far(
        self, origin: Location, place: Path, file: SourceFile, cancel: Cancel
    ) -> bool:
        if not _was_merged(place):
            return True  # just collected, and nothing was merged yet
        try:
            return self._network.is_current(origin, place, cancel)
        except TransferFailed as failure:
            if file.is_target:  # a merger may have changed it
                raise
            log.warning("%s is taken as it was collected: %s", place.name, failure.description)
            return True

    def _require_rest(
        self, path: Path, stopped_at: datetime, then: Callable[[], None] = lambda: None
    ) -> None:
        """Wait for a file that somebody seems to write to, although all had stopped."""
        modified = path.stat().st_mtime
        age_s = self._clock.utc().timestamp() - modified
        if modified > stopped_at.timestamp() and 0 <= age_s < REST_S:
            then()
            raise still_written(f"it was modified {age_s:.1f} s ago, after the stop")


def _was_merged(place: Path) -> bool:
    return (place.parent.parent / MERGE_LOG).exists()


def _failed(file: SourceFile, failure: TransferFailed) -> Collected:
    return Collected(alerts=[_not_collected(file, failure)], passing=failure.passing)


def _not_collected(file: SourceFile, failure: TransferFailed) -> DaqAlert:
    return alerts.error(
        f"{Step.COLLECT}/{Path(file.path).name}",
        f"file {file.origin} of source {file.source_name} cannot be collected: "
        f"{failure.description}",
        cause=failure.cause,
        remedy=failure.remedy,
    )


def _suspicions(file: SourceFile, modified: float, stopped_at: datetime) -> list[DaqAlert]:
    found = [_twice(file)] if file.named_by else []
    if modified > stopped_at.timestamp():
        found.append(_late(file, modified, stopped_at))
    return found


def _late(file: SourceFile, modified: float, stopped_at: datetime) -> DaqAlert:
    when = datetime.fromtimestamp(modified, UTC)
    return alerts.warning(
        f"{Step.COLLECT}/time/{Path(file.path).name}",
        f"file {file.origin} of source {file.source_name} was modified at "
        f"{when:%Y-%m-%dT%H:%M:%S}Z, after the acquisition had stopped "
        f"({stopped_at:%Y-%m-%dT%H:%M:%S}Z)",
        cause="the source still wrote, its clock is wrong, or somebody edited the file",
        remedy="check that the file is complete",
    )


def _twice(file: SourceFile) -> DaqAlert:
    return alerts.warning(
        f"{Step.COLLECT}/twice/{Path(file.path).name}",
        f"file {file.origin} of source {file.source_name} was named again by "
        f"{', '.join(file.named_by)}; it is merged once",
        cause="two sources deliver the same file, or one names it twice",
        remedy="correct what the sources deliver",
    )
