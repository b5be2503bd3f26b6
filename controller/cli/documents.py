"""Texts that are given on the command line, in a file, or on stdin."""

from __future__ import annotations

import sys
from pathlib import Path

from controller.failure import CommandFailed


def read_document(argument: str) -> str:
    """Return a text: ``@FILE`` reads a file, ``@-`` stdin, all else is the text itself.

    Raises:
        CommandFailed: The file cannot be read or is not UTF-8.
    """
    if not argument.startswith("@"):
        return argument
    try:
        return sys.stdin.read() if argument == "@-" else _read(Path(argument[1:]))
    except UnicodeDecodeError as error:
        raise CommandFailed(
            f"{argument[1:]} is not UTF-8 at byte {error.start}",
            cause="it was saved in another encoding, such as Latin-1, or is no text at all",
            remedy="save it as UTF-8",
        ) from error
    except (OSError, ValueError) as error:
        raise CommandFailed(
            f"{argument[1:]} cannot be read: {getattr(error, 'strerror', None) or error}",
            cause="the file is missing, or you may not read it",
            remedy="give @FILE, @- for stdin, or the text itself",
        ) from error


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
