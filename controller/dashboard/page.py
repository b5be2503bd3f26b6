"""The pages of the dashboard and the keys that lead to them."""

from __future__ import annotations

from enum import StrEnum

from rich.layout import Layout
from rich.text import Text

from controller.dashboard.drawing import framed


class Page(StrEnum):
    """What the dashboard shows; the digits 1, 2 ... lead to them in this order."""

    OVERVIEW = "overview"
    ALARMS = "alarms"
    CHANNEL = "channel"
    LEDGER = "ledger"
    PARTS = "parts"
    STORY = "story"
    RUNS = "runs"


KEYS = {str(number): page for number, page in enumerate(Page, start=1)}


def hints(page: Page) -> str:
    """Say which key leads where."""
    said = [f"[{each}]" if each is page else f"{key} {each}" for key, each in KEYS.items()]
    return f"{'  '.join(said)}  q quit"


def absent(page: Page, what: str) -> Layout:
    """Say that there is nothing to show."""
    said = Text(f"{what} was not reached yet, or is no part of it", style="dim")
    return framed(page.value, said, hint=hints(page))
