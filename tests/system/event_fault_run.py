"""What all runs with faults share: their stream, and how they are judged."""

from __future__ import annotations

from pathlib import Path

from idl_like_interfaces.run_control import Run
from tests.support.eventually import eventually
from tests.system.event_fault_judge import faults_of_run, files_of
from tests.system.event_fault_load import Load
from tests.system.event_fault_place import Place

STREAM = {"name": "all", "id": 1}


def judged(ready: Place, run: Run, load: Load, *folders: Path) -> list[str]:
    """Return what is wrong with a run that has one stream."""
    files = files_of(*folders)
    return [*ready.died(), *faults_of_run(run, files, load.events(1), ["all"])]


def await_more(load: Load, count: int) -> None:
    """Wait until so many more events are durable."""
    wanted = load.sender.durable + count
    eventually(lambda: load.sender.durable >= wanted, f"{count} more events are durable")
