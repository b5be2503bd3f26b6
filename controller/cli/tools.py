"""Tools that other packages offer under the entry points ``obsorb.tools``."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
from importlib.metadata import entry_points
from typing import Any

import typer

from controller.failure import CommandFailed
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.logs import LEVEL_NUMBERS

TOOLS = "obsorb.tools"

_PR_SET_PDEATHSIG = 1


def load_tool(name: str) -> Any:
    """Return a tool, a plain function.

    Raises:
        CommandFailed: No installed package offers it.
    """
    found = [point for point in entry_points(group=TOOLS) if point.name == name]
    if not found:
        raise CommandFailed(
            f"there is no tool {name!r}",
            cause="the installation of obsorb is not complete",
            remedy="install it again; see with `obsorb doctor`",
        )
    return found[0].load()


def run_tool(name: str, /, *arguments: Any, **options: Any) -> None:
    """Run a tool and end with its exit code.

    Raises:
        RemoteError: It refuses.
        CommandFailed: A file or folder that it needs cannot be used.
        typer.Exit: It ended with another exit code than 0.
    """
    tool = load_tool(name)
    try:
        code = tool(*arguments, **options)
    except OSError as error:
        if isinstance(error, RemoteError):
            raise
        raise CommandFailed(
            f"{name}: {error}", remedy="make it writable, or choose another folder or port"
        ) from error
    if code:
        raise typer.Exit(code)


def log_to_stderr(level: str, *, but: str = "") -> None:
    """Show log records of this process on stderr, one line each.

    Args:
        level: The lowest that is shown.
        but: A logger whose records are not: it says the same elsewhere.

    Raises:
        typer.BadParameter: There is no such level.
    """
    names = {str(name): number for name, number in LEVEL_NUMBERS.items()}
    number = names.get(level.upper())
    if number is None:
        message = f"there is no level {level!r}; take one of {', '.join(names)}"
        raise typer.BadParameter(message)
    for name, each in names.items():
        logging.addLevelName(each, name)
    logging.basicConfig(
        level=number,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)-8s %(name)s: %(message)s",
    )
    if but:
        for handler in logging.getLogger().handlers:
            handler.addFilter(lambda record: record.name != but)


def end_with_parent() -> None:
    """Ask the kernel for a SIGTERM when the parent process dies (Linux; else nothing)."""
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        # It died before the kernel was asked.
        raise typer.Exit(0)
