"""The dashboard on a terminal, live or as one frame."""

from __future__ import annotations

from rich.console import Console
from rich.live import Live

from controller.dashboard.gather import Gatherer
from controller.dashboard.keyboard import Keyboard
from controller.dashboard.page import Page
from controller.dashboard.render import render
from controller.dashboard.snapshot import Snapshot
from controller.dashboard.story_page import line_count
from controller.dashboard.view import MOVES, View

REFRESH_S = 1.0

FIRST_FRAME_S = 2.5
"""Heartbeats come once a second: by then every component that lives was heard."""

_LEAST_HEIGHT = 23


def first_snapshot(gatherer: Gatherer, *, with_story: bool = False) -> Snapshot:
    """Gather once; as much as can be had within a few seconds."""
    gatherer.wait_until_heard(FIRST_FRAME_S)
    if with_story:
        gatherer.chosen.follow(wanted=True)
        gatherer.chosen.wait(FIRST_FRAME_S)
    return gatherer.snapshot()


def show_once(snapshot: Snapshot, console: Console, page: Page = Page.OVERVIEW) -> None:
    """Print one frame, as wide and high as the terminal (else COLUMNS and LINES, or 80x24)."""
    # Where it is no terminal rich takes 25 lines; one is left for the prompt.
    height = max(console.height - 1, _LEAST_HEIGHT)
    console.print(render(snapshot, console.width, height, page), height=height)


def show_live(gatherer: Gatherer, console: Console, page: Page = Page.OVERVIEW) -> None:
    """Show the dashboard until q is pressed; digits turn the pages, see ``View`` for the rest."""
    view = View(page=page)
    with (
        Keyboard() as keyboard,
        Live(console=console, screen=True, auto_refresh=False, transient=True) as live,
    ):
        while True:
            gatherer.chosen.follow(wanted=view.page is Page.STORY)
            snapshot = gatherer.snapshot()
            size = console.width, console.height
            live.update(render(snapshot, *size, view.page, view.offset), refresh=True)
            key = keyboard.wait(REFRESH_S).lower()
            if key == "q":
                return
            if view.page is Page.STORY and key in MOVES:
                gatherer.chosen.move(MOVES[key])
            view = view.after(key, console.height // 2, line_count(snapshot))
