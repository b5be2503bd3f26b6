"""Brings a workspace into order after a crash at any moment."""

from __future__ import annotations

import logging
from datetime import datetime

from msgspec.structs import replace

from idl_like_interfaces.errors import BadParam
from objects.products import alerts
from objects.products.job import Job, retried
from objects.products.workspace import QUEUE, STATUS, Workspace

log = logging.getLogger("daq.dpm")


def recover(workspace: Workspace, now: datetime) -> list[Job]:
    """Return the acquisitions in progress in the order of the queue.

    What was stuck goes on. An acquisition that ended just before the crash is
    returned too: it has to be put away. The queue is written anew.

    Raises:
        BadParam: Something in the workspace is damaged beyond that.
    """
    folders = workspace.folders_in_progress()
    jobs = {id: _revive(workspace, id, now) for id in folders}
    queued = _read_queue(workspace)
    lost = sorted(set(folders) - set(queued), key=lambda each: (jobs[each].queued_at, each))
    if lost:
        log.warning("acquisitions %s were not in %s: appended", ", ".join(lost), QUEUE)
    order = [id for id in queued if id in jobs] + lost
    if order != queued:
        workspace.write_queue(order)
    return [jobs[id] for id in order]


def _read_queue(workspace: Workspace) -> list[str]:
    try:
        return list(dict.fromkeys(workspace.read_queue()))
    except ValueError as error:
        # Everything that matters stands in the folders; only the order is guessed.
        log.warning("%s; the order is taken from the times of queueing", error)
        return []


def _revive(workspace: Workspace, id: str, now: datetime) -> Job:
    job = workspace.read_job(id)
    if job is None:
        job = _made_again(workspace, id, now)
    elif job.stuck:
        job = retried(job, now)
    else:
        return job
    workspace.write_job(job)
    return job


def _made_again(workspace: Workspace, id: str, now: datetime) -> Job:
    folder = workspace.job_folder(id)
    try:
        specification, _files = workspace.read_documents(folder)
    except (OSError, ValueError) as error:
        raise BadParam(
            f"acquisition {id} cannot be recovered: {error}",
            cause="its documents were removed or damaged",
            remedy=f"move {folder} out of the workspace and queue it again",
            field="settings.workspace",
        ) from error
    log.warning("%s of %s is damaged or missing: it begins again", STATUS, id)
    again = Job(id=id, file_id=specification.target.file_id, queued_at=now, changed_at=now)
    lost = alerts.warning(
        "recovery/status",
        f"{STATUS} was damaged or missing; the acquisition begins again in Scheduled",
        cause="a fault of the disk, or a file removed by hand",
    )
    return replace(again, alerts=alerts.replaced([], "recovery/", [lost], now))
