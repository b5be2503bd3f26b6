"""What was found damaged in a component's workspace, told to everybody."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from idl_like_interfaces.alarms import AlarmReport, Severity
from objects.component.site import Site

log = logging.getLogger(__name__)

WORKSPACE_DAMAGED = "workspace damaged"
"""Name of the alarm of a component that could not take up everything."""

_LONGEST = 1000


def tell_faults(site: Site, faults: Sequence[str], remedy: str) -> None:
    """Raise the alarm when something was damaged, and end it when nothing was.

    Args:
        site: Of the component.
        faults: One text each.
        remedy: What to do about them.
    """
    for fault in faults:
        log.error("%s", fault)
    if not faults:
        site.clear_alarm(WORKSPACE_DAMAGED)
        return
    site.raise_alarm(
        AlarmReport(
            object=f"{site.root}/{site.name}",
            name=WORKSPACE_DAMAGED,
            severity=Severity.MAJOR,
            text="; ".join(faults)[:_LONGEST],
            cause="a fault of the disk, or somebody has changed files of the workspace",
            remedy=f"{remedy}; the alarm ends at the next start",
            time=site.clock.utc(),
        )
    )
