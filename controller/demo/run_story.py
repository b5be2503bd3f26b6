"""The demonstration of a run from begin to end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controller.demo.interruption import Interruption
from controller.demo.run import DemoRun
from controller.demo.running import NAME_SERVER, RunningInstallation
from controller.demo.scratch import ROOT, make_folder
from controller.demo.show import make_show
from controller.failure import CommandFailed
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.object import Object
from nameserver.client import Names, parse_address

_INSTALLATION = """\
# Written by `obsorb demo --run`; start it again with `obsorb up {file}`.

[installation]
name = "demo"
root = "{root}"
data_root = "data"

[name_server]
address = "localhost:0"        # any free port
start = true

[component.events]
kind = "events"

[component.log]
kind = "log"

[component.alarms]
kind = "alarms"

[component.project]
kind = "project"

[component.run]
kind = "run_control"

[component.logger0]
kind = "logger"

[component.logger1]
kind = "logger"
"""

_PATHS = ("events", "log", "alarms", "project", "run", "logger/0/control", "logger/1/control")
NAMES = tuple(f"{ROOT}/{path}" for path in _PATHS)
"""What must answer before the run begins."""

_PING_DEADLINE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunScratch:
    """The places of a demonstration of a run.

    Attributes:
        folder: All of it.
        installation: The installation file.
        log: What the processes said on stderr.
    """

    folder: Path
    installation: Path
    log: Path


def prepare_run(folder: Path | None) -> RunScratch:
    """Make the scratch folder; the new or empty ``folder``, or a temporary one.

    Raises:
        CommandFailed: The folder is in use or cannot be written.
    """
    try:
        made = make_folder(folder)
        scratch = RunScratch(
            folder=made, installation=made / "installation.toml", log=made / "demo.log"
        )
        text = _INSTALLATION.format(file=scratch.installation, root=ROOT)
        scratch.installation.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandFailed(
            f"the scratch folder cannot be made: {error}",
            cause="the place is read-only or full",
            remedy="give another place with --folder DIR",
        ) from error
    return scratch


def tell_run(
    scratch: RunScratch, interruption: Interruption, load_tool: Callable[[str], Any]
) -> None:
    """Start the installation, take a run, kill a logger, verify, and print where the report is.

    Args:
        scratch: Where everything goes.
        interruption: Ends every wait.
        load_tool: Returns a tool of ``obsorb stream``, given its name.

    Raises:
        CommandFailed: Something went wrong; nothing is left running.
        RemoteError: As above.
        Interrupted: An end was asked for before it was done; nothing is left running.
    """
    with (
        make_show() as show,
        RunningInstallation(scratch.installation, scratch.log, interruption, show.line) as running,
    ):
        address = running.wait_for_name_server()
        show.line(f"{NAME_SERVER}{address}")
        show.line(f"scratch folder: {scratch.folder}")

        def pause(seconds: float) -> None:
            running.check()
            interruption.pause(seconds)

        with Names(parse_address(address)) as names:
            running.wait_until("all components start", lambda: running.is_up)
            running.wait_until("all objects answer", lambda: _answer(names))
            demo = DemoRun(names, running.wait_until)
            show.line(demo.begin())
            show.line(demo.send(pause, lambda: show.line(demo.kill_logger())))
            run = demo.end()
    show.line(f"run {run.run} is {run.verdict}: every writer has confirmed counts and digests")
    show.line(demo.count(_verify(scratch.folder / "data", load_tool)))
    show.line(f"files: {scratch.folder / 'data'} (`obsorb stream ls` and `cat` read them)")
    show.line(f"report: {run.report}")


def _answer(names: Names) -> bool:
    try:
        for name in NAMES:
            names.narrow(name, Object, _PING_DEADLINE_S).ping()
    except RemoteError:
        return False
    return True


def _verify(folder: Path, load_tool: Callable[[str], Any]) -> dict[Path, int]:
    """Verify all event files and return the number of events of each.

    Raises:
        CommandFailed: One is not as it should be.
    """
    find, verify = load_tool("stream_find"), load_tool("stream_verify")
    found: dict[Path, int] = {}
    for path in find([folder]):
        report = verify(path)
        if report.findings:
            raise CommandFailed(
                f"{path}: {report.findings[0].message}",
                remedy="keep the scratch folder and report it",
            )
        found[path] = report.summary.events
    return found
