"""What the driver of a run needs beside the run itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from idl_like_interfaces.alarms import AlarmReport, Severity
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.event_logger import WrittenFile
from idl_like_interfaces.hosts import is_loopback
from idl_like_interfaces.places import split_place
from idl_like_interfaces.run_configuration import Writer, WriterKind
from objects.component.site import Site
from objects.run_control.acquisition_link import AcquisitionLink
from objects.run_control.conditions import Cause
from objects.run_control.links import WriterLink
from objects.run_control.logger_link import LoggerLink
from objects.run_control.records import RunRecord
from objects.run_control.store import RunStore

LOST_AFTER_S = 3.0

_ADDRESS = re.compile(r"PYRO(?:NAME)?:[^@]+@(?P<host>\[[^\]]+\]|[^:]+):\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the driver of a run needs.

    Attributes:
        site: Where run control runs.
        store: Its store.
        link: Returns the link to a writer.
        causes: Returns for what a run must pause now.
        fence: Returns the newest fence.
        begun: Makes the begin entry of the logbook; harmless when it is there.
        settle: Makes the end entry and the report; returns the report's path.
        lost_after_s: Who has not answered for so long is lost.
    """

    site: Site
    store: RunStore
    link: Callable[[Writer], WriterLink]
    causes: Callable[[RunRecord], list[Cause]]
    fence: Callable[[], int]
    begun: Callable[[RunRecord], None]
    settle: Callable[[RunRecord], str]
    lost_after_s: float = LOST_AFTER_S


def make_link(site: Site, writer: Writer) -> WriterLink:
    """Return the link to a writer."""
    if writer.kind is WriterKind.LOGGER:
        return LoggerLink(site, writer.reference)
    return AcquisitionLink(site, writer.reference)


def lost_alarm(site: Site, run: int, writer: Writer, problem: str) -> AlarmReport:
    """Return the alarm of a writer that does not answer in a run."""
    return AlarmReport(
        object=f"{site.root}/run",
        name=lost_name(writer.name),
        severity=Severity.MAJOR,
        text=f"{writer.name} ({writer.reference}) does not answer in run {run}: {problem}",
        cause="its process has ended, its host or the network is away, or its disk hangs",
        remedy="see that it runs again (obsorb supervisor); the run goes on without it meanwhile, "
        "and is flagged unless it comes back with everything",
        time=site.clock.utc(),
        subsystem="run control",
    )


def lost_name(writer: str) -> str:
    """Return the name of that alarm."""
    return f"writer {writer} lost"


def look_at_disk(site: Site, writer: Writer, file: WrittenFile) -> str:
    """Say what is wrong with a file when it is on this host; empty: nothing, or it is not."""
    place = split_place(file.path)
    if place is None or place[0]:
        return ""
    path = Path(place[1])
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return f"{path} is not there" if _is_here(site, writer) else ""
    except OSError as error:
        return f"{path} cannot be looked at: {error.strerror}"
    if size != file.size_bytes and _is_here(site, writer):
        return f"{path} has {size} bytes, {file.size_bytes} were confirmed"
    return ""


def _is_here(site: Site, writer: Writer) -> bool:
    """Tell whether a writer surely runs on this host; when in doubt it does not."""
    uri = writer.reference
    if not uri.startswith("PYRO"):
        try:
            uri = site.naming(2.0).resolve(writer.reference).uri
        except RemoteError:
            return False
    found = _ADDRESS.fullmatch(uri)
    return found is not None and is_loopback(found["host"].strip("[]"))
