"""What became of the picture of a product, noted where an operator looks."""

from __future__ import annotations

import logging
from datetime import datetime

from msgspec.structs import replace

from objects.products import alerts
from objects.products.job import Job
from objects.products.ledger import Ledger
from objects.products.workspace import PICTURE_LOG

log = logging.getLogger("daq.dpm.quicklook")

ALERT = "quicklook"


def note_picture(ledger: Ledger, id: str, error: str, now: datetime) -> None:
    """Note that a picture is there, or why it is not: a warning at most.

    Args:
        ledger: The acquisitions.
        id: Whose picture it is; mostly it has ended by now.
        error: What went wrong; empty: nothing.
        now: The time.
    """
    if not error:
        log.debug("%s: the picture is there", id, extra={"owner": id})
        return
    log.warning("%s: there is no picture: %s", id, error, extra={"owner": id})
    with ledger.news:
        job = ledger.find(id)
        if job is None:
            return
        _write(ledger, job, error, now)
        if ledger.in_progress(id) is not None and not job.has_ended:
            ledger.change(id, lambda it: _with_note(it, error, now))


def _write(ledger: Ledger, job: Job, error: str, now: datetime) -> None:
    time = now.isoformat(timespec="milliseconds")
    try:
        with (ledger.folder_of(job) / PICTURE_LOG).open("a", encoding="utf-8") as file:
            file.write(f"{time} {error}\n")
    except OSError as failure:
        log.warning("%s: %s cannot be written: %s", job.id, PICTURE_LOG, failure)


def _with_note(job: Job, error: str, now: datetime) -> Job:
    found = alerts.warning(
        ALERT,
        f"there is no picture of the product: {error}",
        cause="see the description",
        remedy="draw it by hand with `obsorb quicklook FILE`; the product itself is whole",
    )
    new = alerts.replaced(job.alerts, ALERT, [found], now)
    return replace(job, alerts=new)
