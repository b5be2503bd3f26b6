"""``obsorb top``: the dashboard."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from controller.cli.lazy import single
from controller.cli.output import print_json
from controller.cli.session import Session, addressed_to_ocm
from controller.dashboard.page import Page
from controller.failure import CommandFailed

if TYPE_CHECKING:
    from controller.dashboard.snapshot import Snapshot

app = single()


@app.command()
@addressed_to_ocm
def top(
    session: Session,
    once: Annotated[bool, typer.Option("--once", help="Print one frame and end.")] = False,
    page: Annotated[
        Page, typer.Option("--page", help="Begin with another page; the digits 1 to 7 turn them.")
    ] = Page.OVERVIEW,
) -> None:
    """Show an installation, live: overview, alarms, event channel, ledger, processes, stories, runs.

    The digits 1 to 7 turn the pages; q or Ctrl-C ends it. On the page of an acquisition's story n
    and p go to the next and previous one, space and b through its lines. --json prints what all
    pages show.
    """
    from rich.console import Console

    from controller.dashboard.app import first_snapshot, show_live, show_once
    from controller.dashboard.gather import Gatherer

    console = Console()
    if not (once or session.as_json or console.is_terminal):
        raise CommandFailed(
            "the dashboard needs a terminal",
            cause="the output goes to a file or pipe",
            remedy="use --once for one frame, or --json for its content",
        )
    with session.connect() as names, Gatherer(names, session.root, session.ocm) as gatherer:
        if once or session.as_json:
            with_story = session.as_json or page is Page.STORY
            snapshot = first_snapshot(gatherer, with_story=with_story)
            print_json(snapshot) if session.as_json else show_once(snapshot, console, page)
            _check(snapshot)
        else:
            # Ctrl-C is a usual way to leave it.
            with suppress(KeyboardInterrupt):
                show_live(gatherer, console, page)


def _check(snapshot: Snapshot) -> None:
    """Fail when there was nothing to see.

    Raises:
        CommandFailed: The name server did not answer.
    """
    for trouble in snapshot.troubles:
        if trouble.what.startswith("name server"):
            raise CommandFailed(
                f"{trouble.what} does not answer: {trouble.why}",
                cause="it is not running, or it is elsewhere",
                remedy="start an installation with `obsorb up FILE`, or give --names HOST:PORT",
            )
