"""``obsorb demo``: everything once, with real frames."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from controller.cli.lazy import single
from controller.cli.output import print_note

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
) -> None:
    """Record real Hubble frames, merge and verify them; print where the product is.

    Starts a whole installation on loopback in a scratch folder (which is kept), runs one
    acquisition through all its states, raises and clears an alarm, accounts for every event,
    tells the story of the acquisition, and stops everything again, also when interrupted.
    The first line is ``name server: HOST:PORT``, the last one ``product: PATH``; before it stand
    the paths of the story and of the product's picture.
    """
    from controller.demo.interruption import Interrupted, Interruption
    from controller.demo.scratch import prepare
    from controller.demo.story import tell_story

    with Interruption() as interruption:
        try:
            tell_story(prepare(folder), interruption, keep_running=keep_running)
        except Interrupted as interrupted:
            print_note(f"{interrupted}; everything was stopped")
            raise typer.Exit(_SIGNALLED + interrupted.signal) from interrupted
