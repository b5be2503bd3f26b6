"""``obsorb demo``: everything once, with real frames."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from controller.cli.lazy import single
from controller.cli.output import print_note
from controller.cli.tools import load_tool

app = single()

_SIGNALLED = 128
"""Shells report a program that a signal ended as 128 and its number."""


@app.command()
def demo(
    folder: Annotated[
        Path | None,
        typer.Option("--folder", help="Scratch folder, empty or new; else a temporary one."),
    ] = None,
    keep_running: Annotated[
        bool, typer.Option("--keep-running", help="Stay up afterwards until Ctrl-C.")
    ] = False,
    run: Annotated[
        bool,
        typer.Option("--run", help="Instead take a run of events with two loggers, kill one."),
    ] = False,
) -> None:
    """Record real Hubble frames, merge and verify them; print where the product is.

    Starts a whole installation on loopback in a scratch folder (which is kept), runs one
    acquisition through all its states, raises and clears an alarm, accounts for every event,
    tells the story of the acquisition, and stops everything again, also when interrupted.
    The first line is ``name server: HOST:PORT``, the last one ``product: PATH``; before it stand
    the paths of the story and of the product's picture.

    With --run it sends made-up events to two event loggers, kills one of them in the middle,
    ends the run, verifies the files against what was sent, and prints ``report: PATH`` at last.
    """
    from controller.demo.interruption import Interrupted, Interruption
    from controller.demo.run_story import prepare_run, tell_run
    from controller.demo.scratch import prepare
    from controller.demo.story import tell_story

    if run and keep_running:
        raise typer.BadParameter("it does not go with --run", param_hint="--keep-running")
    with Interruption() as interruption:
        try:
            if run:
                tell_run(prepare_run(folder), interruption, load_tool)
            else:
                tell_story(prepare(folder), interruption, keep_running=keep_running)
        except Interrupted as interrupted:
            print_note(f"{interrupted}; everything was stopped")
            raise typer.Exit(_SIGNALLED + interrupted.signal) from interrupted
