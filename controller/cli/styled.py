"""Lines with a style: coloured on a terminal, plain in a file."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from typing import NamedTuple

from controller.cli.output import print_line

PLAIN_WIDTH = 100


class Styled(NamedTuple):
    """A line of text and how a terminal shows it."""

    text: str
    style: str = ""


def width() -> int:
    """Return how long a line may be: as wide as the terminal; in a file 100."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else PLAIN_WIDTH


def print_styled(lines: Iterable[Styled]) -> None:
    """Print lines, in colour where it is a terminal."""
    if not sys.stdout.isatty():
        for line in lines:
            print_line(line.text)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for line in lines:
        console.print(Text(line.text, style=line.style), soft_wrap=True)
