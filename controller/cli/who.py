"""Who does something at the command line."""

from __future__ import annotations

import getpass
import os
from typing import Annotated, TypeAlias

import typer

ENVIRONMENT = "OBSORB_OPERATOR"

ByOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--by", metavar="NAME", help=f"Who does it; default ${ENVIRONMENT}, else your login name."
    ),
]


def who(by: str) -> str:
    """Return the name that was given, else that of the environment, else the login name."""
    if by:
        return by
    if named := os.environ.get(ENVIRONMENT, ""):
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
