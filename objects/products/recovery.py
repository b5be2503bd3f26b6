"""Brings a workspace into order after a crash at any moment."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from objects.products import alerts
from objects.products.job import Job, retried
from objects.products.workspace import QUEUE, STATUS, Workspace

_LONGEST = 128

log = logging.getLogger("daq.dpm")


REMEDY = (
    "a lost acquisition: queue it again, or abort it at its coordinator; what was left of it is"
    " in the archive of the workspace"
)
"""What to do about what could not be taken up."""


def recover(workspace: Workspace, now: datetime) -> list[Job]:
    """Return the acquisitions in progress in the order of the queue.

    What was stuck goes on. An acquisition that ended just before the crash is
    returned too: it has to be put away. The queue is written anew. What is damaged
    beyond that is set aside and told in ``workspace.faults``.

    Raises:
        BadParam: Something that is not of a DPM stands among the acquisitions.
    """
    folders = workspace.folders_in_progress()
    found = {id: _revive(workspace, id, now) for id in folders}
    jobs = {id: job for id, job in found.items() if job is not None}
    queued = _read_queue(workspace)
    lost = sorted(set(jobs) - set(queued), key=lambda each: (jobs[each].queued_at, each))
    if lost:
        log.warning("acquisitions %s were not in %s: appended", ", ".join(lost), QUEUE)
    for id in queued:
        if id not in found and not workspace.was_put_away(id):
            workspace.faults.append(f"acquisition {id[:_LONGEST]} is lost: its folder is gone")
    order = [id for id in queued if id in jobs] + lost
    if order != queued:
        _write(lambda: workspace.write_queue(order), QUEUE)
    return [jobs[id] for id in order]


def _read_queue(workspace: Workspace) -> list[str]:
    try:
        return list(dict.fromkeys(workspace.read_queue()))
    except (OSError, ValueError) as error:
        # Everything that matters stands in the folders; only the order is guessed.
        workspace.faults.append(f"{error}; the order is taken from the times of queueing")
        return []


def _revive(workspace: Workspace, id: str, now: datetime) -> Job | None:
    job = workspace.read_job(id)
    if job is None:
        job = _made_again(workspace, id, now)
        if job is None:
            return None
    elif job.stuck:
        job = retried(job, now)
    else:
        return job
    _write(lambda: workspace.write_job(job), f"{STATUS} of {id}")
    return job


def _write(write: Callable[[], None], what: str) -> None:
    """Write what is true anyway: on a full disk the DPM shall start all the same."""
    try:
        write()
    except OSError as error:
        log.error("%s cannot be written: %s", what, error)


def _made_again(workspace: Workspace, id: str, now: datetime) -> Job | None:
    try:
        specification, _files = workspace.read_documents(workspace.job_folder(id))
    except (OSError, ValueError) as error:
        place = workspace.set_aside(id)
        workspace.faults.append(
            f"acquisition {id} is lost: its {STATUS} cannot be read, and {error}; moved to {place}"
        )
        return None
    log.warning("%s of %s is damaged or missing: it begins again", STATUS, id)
    again = Job(id=id, file_id=specification.target.file_id, queued_at=now, changed_at=now)
    lost = alerts.warning(
        "recovery/status",
        f"{STATUS} was damaged or missing; the acquisition begins again in Scheduled",
        cause="a fault of the disk, or a file removed by hand",
    )
    return replace(again, alerts=alerts.replaced([], "recovery/", [lost], now))
