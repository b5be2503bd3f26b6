"""What commands print to stdout: JSON documents and plain text."""

from __future__ import annotations

import errno
import os
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


def has_lost_output(error: OSError) -> bool:
    """Tell whether an error that nobody expected is of stdout: no file is named in it."""
    return error.filename is None and error.errno in _FULL


def give_output_up(error: OSError) -> None:
    """Say that stdout takes no more, and throw away what its buffer still has."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())  # else the interpreter tries once more at its end
    os.close(nowhere)
    print_note(
        f"error: the output cannot be written: {error.strerror}\n"
        "cause: it goes into a file whose disk is full, or fails\n"
        "remedy: write it elsewhere; what the command was to change may have been done"
    )


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
