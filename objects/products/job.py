"""One acquisition in the DPM: what ``status.json`` holds, and how it changes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from msgspec import field
from msgspec.structs import replace

from idl_like_interfaces.daqif import DaqAlert, DaqStatus, DaqSubstate, StoryAlert
from idl_like_interfaces.declare import UtcTime, Value
from objects.component.alert_texts import as_text
from objects.products import alerts
from objects.products.progress import FINAL, STAGES, Step, state_of


class Product(Value, frozen=True, kw_only=True):
    """The finished data product.

    Attributes:
        name: File name below ``result/``.
        size_bytes: Its size.
        digest: ``sha256:`` and 64 hexadecimal digits.
    """

    name: str
    size_bytes: int = field(name="sizeBytes")
    digest: str


class Entered(Value, frozen=True, kw_only=True):
    """When a substate was entered."""

    substate: DaqSubstate
    time: UtcTime


class Job(Value, frozen=True, kw_only=True):
    """An acquisition; immutable, every change gives a new one.

    Attributes:
        id: The acquisition.
        file_id: Basis of the names of its product.
        substate: Where it is.
        queued_at: When it came; takes the place of the time when the sources stopped.
        changed_at: Last change.
        stuck: The step failed and waits for a retry.
        alerts: The active alerts.
        product: Set before the file appears in ``result/``, so that a start after a
            crash knows its own file again.
        announced: ``FileFinished`` was sent for the product.
        released: Receivers (by place in the specification) that have it.
        entered: The substates in which it was, oldest first.
        past_alerts: Those that are over.
    """

    id: str
    file_id: str = field(name="fileId")
    substate: DaqSubstate = DaqSubstate.SCHEDULED
    queued_at: UtcTime = field(name="queuedAt")
    changed_at: UtcTime = field(name="changedAt")
    stuck: bool = False
    alerts: list[DaqAlert] = []
    product: Product | None = None
    announced: bool = False
    released: list[int] = []
    entered: list[Entered] = []
    past_alerts: list[StoryAlert] = field(name="pastAlerts", default_factory=list)

    @property
    def has_ended(self) -> bool:
        """Tell whether nothing more will happen."""
        return self.substate in FINAL

    @property
    def has_result(self) -> bool:
        """Tell whether the product stands in ``result/``, to stay."""
        in_place = self.announced or self.substate in _WITH_RESULT
        return self.product is not None and in_place


_WITH_RESULT = (DaqSubstate.RELEASING, DaqSubstate.COMPLETED)


def entered(job: Job, substate: DaqSubstate, now: datetime) -> Job:
    """Go to another substate; nothing is stuck there yet."""
    return replace(job, substate=substate, stuck=False, changed_at=now)


def succeeded(job: Job, step: Step, found: Iterable[DaqAlert], now: datetime) -> Job:
    """Go on after a step; ``found`` are the alerts that it leaves."""
    new = alerts.replaced(job.alerts, f"{step}/", found, now)
    return entered(replace(job, alerts=new), STAGES[job.substate].next, now)


def failed(job: Job, step: Step, found: Iterable[DaqAlert], now: datetime) -> Job:
    """Stay and wait for a retry; one that failed in the same way again has not changed."""
    new = alerts.replaced(job.alerts, f"{step}/", found, now)
    changed_at = job.changed_at if new and new == job.alerts else now
    return replace(job, alerts=new, stuck=True, changed_at=changed_at)


def retried(job: Job, now: datetime) -> Job:
    """Let it go on; what was wrong is found again if it still is."""
    kept = alerts.without_errors(job.alerts)
    return replace(job, stuck=False, alerts=kept, changed_at=now)


def aborting(job: Job, now: datetime) -> Job:
    """Begin to discard it (again)."""
    return entered(retried(job, now), DaqSubstate.ABORTING, now)


def status_of(job: Job, results: Path) -> DaqStatus:
    """Say it to the outside; ``results`` is the folder of the products."""
    product = job.product
    return DaqStatus(
        id=job.id,
        file_id=job.file_id,
        state=state_of(job.substate),
        substate=job.substate,
        timestamp=job.changed_at.timestamp(),
        error=alerts.has_error(job.alerts),
        message=as_text(job.alerts),
        result=str(results / product.name) if product and job.has_result else "",
        alerts=job.alerts,
    )
