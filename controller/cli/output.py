"""What commands print to stdout: JSON documents and plain text."""

from __future__ import annotations

import sys
from typing import Any

import msgspec


def print_json(value: Any, *, lines: bool = False) -> None:
    """Print structs or plain values as one JSON document.

    Args:
        value: Structs have the member names of their declaration.
        lines: On one line, for a stream of documents; else indented for people.
    """
    encoded = msgspec.json.encode(value)
    print_line((encoded if lines else msgspec.json.format(encoded, indent=2)).decode())


def print_line(text: str) -> None:
    """Print a line as it is: not wrapped, not coloured, not kept in a buffer."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def print_note(text: str) -> None:
    """Print a line to stderr, beside the output."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
