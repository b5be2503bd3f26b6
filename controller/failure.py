"""How a command fails: what was wanted, why it may have failed, what to do; exit code 1."""

from __future__ import annotations

from idl_like_interfaces.errors import CommFailure, RemoteError

OK = 0
REFUSED = 1
USAGE = 2
INTERRUPTED = 130
"""128 + SIGINT, as shells report a program that Ctrl-C ended."""


class CommandFailed(Exception):
    """A command found out by itself that it cannot do what it was asked for.

    Attributes:
        message: What was wanted and what was found.
        cause: The probable cause; empty when the message says it all.
        remedy: What to do.
        exit_code: What the process ends with.
    """

    def __init__(
        self, message: str, *, cause: str = "", remedy: str = "", exit_code: int = REFUSED
    ) -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause
        self.remedy = remedy
        self.exit_code = exit_code


def explain(error: RemoteError | CommandFailed) -> str:
    """Say an error as message, cause and remedy, one line each."""
    lines = [f"error: {error.message or type(error).__name__}"]
    if error.cause:
        lines.append(f"cause: {error.cause}")
    if remedy := error.remedy or _usual_remedy(error):
        lines.append(f"remedy: {remedy}")
    return "\n".join(lines)


def _usual_remedy(error: Exception) -> str:
    if isinstance(error, CommFailure):
        return "see with `obsorb doctor` what is alive"
    return ""
