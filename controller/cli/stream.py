"""``obsorb stream``: looks at event files by hand, and repairs them, without a server."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from controller.cli.lazy import group
from controller.cli.options import JsonOption
from controller.cli.output import print_json, print_line
from controller.cli.stream_text import (
    EVENT_HEAD,
    event_fields,
    event_line,
    hex_lines,
    listing,
    recovery_lines,
    report_lines,
)
from controller.cli.styled import print_styled
from controller.cli.tools import load_tool
from controller.failure import REFUSED, CommandFailed
from idl_like_interfaces.errors import RemoteError

app = group()

_BOUNDS = re.compile(r"(\d+)(?:-(\d+))?")
_SENDER = re.compile(r"[0-9a-fA-F]{1,16}")
_SHOWS_PROGRESS = 64 * 1024 * 1024

Paths = Annotated[
    list[Path] | None,
    typer.Argument(metavar="PATH...", help="Event files, or folders with some; default here."),
]
Files = Annotated[list[Path], typer.Argument(metavar="PATH...", help="Event files, or folders.")]


@app.callback()
def stream() -> None:
    """List, read, verify and recover event files.

    Exit codes: 0 done and good, 1 refused or something is wrong, 2 wrong usage.
    """


@app.command(name="ls")
def list_(paths: Paths = None, as_json: JsonOption = False) -> None:
    """List event files: state, events, size, ranges, digest. No event is read.

    A star behind the state: a process writes it at this moment.
    """
    tool = load_tool("stream_list")
    found = [_done(tool, file) for file in _find(paths or [Path()])]
    if as_json:
        print_json(found)
    else:
        print_styled(listing(found))


@app.command()
def cat(  # noqa: PLR0913, PLR0917 (options of a command)
    paths: Files,
    events: Annotated[
        str, typer.Option("--event", metavar="N[-M]", help="Only these event numbers.")
    ] = "",
    lbns: Annotated[
        str, typer.Option("--lbn", metavar="N[-M]", help="Only these luminosity blocks.")
    ] = "",
    run: Annotated[int, typer.Option("--run", metavar="N", help="Only events of this run.")] = 0,
    stream_id: Annotated[
        int, typer.Option("--stream", metavar="ID", help="Only events for this stream id.")
    ] = -1,
    sender: Annotated[
        str, typer.Option("--sender", metavar="HEX", help="Only of this start of a sender.")
    ] = "",
    count: Annotated[
        int, typer.Option("--count", "-n", metavar="N", min=0, help="At most so many; 0: all.")
    ] = 0,
    follows: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on as long as the file is written.")
    ] = False,
    shows_hex: Annotated[
        bool, typer.Option("--hex", help="Print the payloads, too, in hexadecimal digits.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write the payloads, one by one."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the events in files: a line for each header, or JSON; payloads on demand."""
    bounds = {"events": _bounds(events, "--event"), "lbns": _bounds(lbns, "--lbn")}
    wanted = {**bounds, "sender": _sender(sender), "follows": follows}
    shown = 0
    with ExitStack() as stack:
        target = stack.enter_context(_opened(output)) if output else None
        for file, event in _events(paths, wanted):
            header = event.header
            if run not in (0, header.run) or not (stream_id < 0 or stream_id in header.streams):
                continue
            if not shown and not as_json:
                print_line(EVENT_HEAD)
            _show(file, event, as_json=as_json, shows_hex=shows_hex)
            if target is not None:
                target.write(event.payload)
            shown += 1
            if shown == count:
                return


@app.command()
def verify(paths: Files, as_json: JsonOption = False) -> None:
    """Verify files: frames, checks, trailer, side-car, digest, index. Reads all, changes nothing.

    Exit code 0 when no file has an error (remarks do not count), else 1.
    """
    tool = load_tool("stream_verify")
    reports = []
    for file in _find(paths):
        with _progress(file) as progress:
            reports.append(_done(tool, file, progress))
        if not as_json:
            print_styled(report_lines(reports[-1]))
    if as_json:
        print_json(reports)
    if any(found.is_error for report in reports for found in report.findings):
        raise typer.Exit(REFUSED)


@app.command()
def recover(
    paths: Files,
    takes_closed: Annotated[
        bool, typer.Option("--closed", help="Change also a file that is closed.")
    ] = False,
    stays_open: Annotated[
        bool, typer.Option("--keep-open", help="Do not close it: a logger will go on with it.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Recover files whose writer was killed: keep each whole event, cut the rest, close them.

    In folders only files that are not closed are looked at.
    """
    tool = load_tool("stream_recover")
    done = []
    for file in _find(paths):
        if file not in paths and file.suffix != ".part":
            continue
        with _progress(file) as progress:
            options = {"takes_closed": takes_closed, "stays_open": stays_open}
            done.append(_done(tool, file, progress=progress, **options))
        if not as_json:
            print_styled(recovery_lines(done[-1]))
    if as_json:
        print_json(done)


@app.command()
def index(paths: Files, as_json: JsonOption = False) -> None:
    """Make the index of closed files anew, and a side-car where there is none; reads all of them."""
    tool = load_tool("stream_index")
    done = {}
    for file in _find(paths):
        with _progress(file) as progress:
            done[str(file)] = _done(tool, file, progress)
        if not as_json:
            print_line(f"{file}: index of {done[str(file)].events} events")
    if as_json:
        print_json(done)


def _find(paths: list[Path]) -> list[Path]:
    found: list[Path] = load_tool("stream_find")(paths)
    if not found:
        raise CommandFailed(
            f"no event files below {', '.join(map(str, paths))}",
            cause="event files are called *.raw, or *.raw.part while they are written",
            remedy="give the folder of a volume or run; a logger's status names its files",
        )
    return found


def _events(paths: list[Path], wanted: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    tool = load_tool("stream_events")
    for file in _find(paths):
        with _explained(file):
            for event in tool(file, **wanted):
                yield file, event


def _show(file: Path, event: Any, *, as_json: bool | None, shows_hex: bool) -> None:
    if as_json:
        fields = event_fields(event, str(file))
        if shows_hex:
            fields["payload"] = event.payload.hex()
        print_json(fields, lines=True)
        return
    print_line(event_line(event))
    if shows_hex:
        for line in hex_lines(event.payload):
            print_line(line)


def _done(tool: Any, file: Path, *arguments: Any, **options: Any) -> Any:
    with _explained(file):
        return tool(file, *arguments, **options)


@contextmanager
def _explained(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, RemoteError):
            raise
        name = error.filename or file
        raise CommandFailed(
            f"{name}: {error.strerror or error}",
            cause="the file system does not let it, or has no room",
            remedy="look at the rights of file and folder, and at the room on the disk",
        ) from error


def _bounds(text: str, option: str) -> tuple[int, int] | None:
    if not text:
        return None
    found = _BOUNDS.fullmatch(text)
    if found is None:
        message = f"{option}: {text!r} is neither a number nor two with a dash, such as 10-20"
        raise typer.BadParameter(message)
    return int(found[1]), int(found[2] or found[1])


def _sender(text: str) -> int | None:
    if text and not _SENDER.fullmatch(text):
        message = f"--sender: {text!r} are not 1 to 16 hexadecimal digits"
        raise typer.BadParameter(message)
    return int(text, 16) if text else None


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    with _explained(path), path.open("xb") as target:
        yield target


@contextmanager
def _progress(file: Path) -> Iterator[Any]:
    """Show on a terminal how far it has come with a large file."""
    if not sys.stderr.isatty() or file.stat().st_size < _SHOWS_PROGRESS:
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(file.name, total=1.0)
        yield lambda done, total: shown.update(task, completed=done / max(total, 1))
