"""Says of the files of a run, read from outside, whether each event is there once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from idl_like_interfaces.run_control import Run, WriterPhase
from tests.system.event_kill_files import read_events


@dataclass(frozen=True, kw_only=True)
class Held:
    """What a file holds, without the payloads.

    Attributes:
        path: Where it is.
        stream: Its stream.
        events: Numbers of its events, in their order.
        faults: What is not as it is described.
    """

    path: Path
    stream: str
    events: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def files_of(*folders: Path) -> list[Held]:
    """Read all event files below folders, one at a time."""
    return [_held(path) for folder in folders for path in sorted(folder.rglob("*.raw*"))]


def _held(path: Path) -> Held:
    if path.suffix != ".raw":
        return Held(path=path, stream="", faults=_open_or_beside(path))
    read = read_events(path)
    faults = list(read.faults)
    if not read.trailer:
        faults.append(f"{path.name} has no trailer")
    elif read.trailer["summary"]["events"] != len(read.events):
        faults.append(f"{path.name}: its trailer says {read.trailer['summary']['events']} events")
    stream = str(read.header.get("stream", {}).get("name", "?"))
    return Held(path=path, stream=stream, events=[e.event for e in read.events], faults=faults)


def _open_or_beside(path: Path) -> list[str]:
    return [f"{path.name} was not closed"] if path.suffix == ".part" else []


def faults_of_run(
    run: Run, files: Iterable[Held], sent: set[int], streams: Iterable[str] = ()
) -> list[str]:
    """Return what must not be of a run that has ended.

    Args:
        run: As run control knows it.
        files: Of the run.
        sent: All events that were sent.
        streams: Streams that must hold all of them, each; by default those of the files.
    """
    files = [each for each in files if each.path.suffix in (".raw", ".part")]
    faults = [fault for each in files for fault in each.faults]
    counts: dict[str, Counter[int]] = {name: Counter() for name in streams}
    for each in files:
        if each.path.suffix == ".raw":
            counts.setdefault(each.stream, Counter()).update(each.events)
    for name, count in counts.items():
        lost, strange = sorted(sent - count.keys()), sorted(count.keys() - sent)
        twice = sorted(event for event, times in count.items() if times > 1)
        for what, which in (("lost", lost), ("twice", twice), ("never sent", strange)):
            if which:
                faults.append(f"{name}: {len(which)} {what}: {which[:5]}")
    return [*faults, *faults_of_counts(run, files, set())]


def faults_of_counts(run: Run, files: Iterable[Held], sent: set[int]) -> list[str]:
    """Return where run control and the files do not agree; given what was sent, that also."""
    files = [each for each in files if each.path.suffix == ".raw"]
    there = {event for each in files for event in each.events}
    faults = [f"{len(sent ^ there)} events are not what was sent"] if sent and sent != there else []
    if run.events != len(there):
        faults.append(f"run control counts {run.events} events, {len(there)} are there")
    faults += [
        f"{each.name} is {each.phase}: {each.problem}"
        for each in run.writers
        if each.phase is not WriterPhase.CONFIRMED
    ]
    told = {Path(file.path).name: file.events for each in run.writers for file in each.files}
    found = {each.path.name: len(each.events) for each in files}
    if told != found:
        faults.append(f"confirmed are {told}, there are {found}")
    return faults
