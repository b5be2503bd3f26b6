"""What can be wrong with a merge, each with the exit code that tells it to a script."""

from __future__ import annotations

from pathlib import Path

from idl_like_interfaces.merging import MergeExit


class MergeProblem(Exception):
    """The product cannot be made; nothing was left behind.

    Attributes:
        message: What was wanted and what was found.
        code: The exit code.
        cause: The probable cause; empty when the message says it all.
        remedy: What to do.
    """

    def __init__(self, message: str, *, code: MergeExit, cause: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.cause = cause
        self.remedy = remedy


class SchemaViolation(MergeProblem):
    """The specification says something that cannot be done; ``field`` is its path there."""

    def __init__(self, field: str, message: str, remedy: str = "") -> None:
        super().__init__(
            f"specification.{field}: {message}", code=MergeExit.INVALID_SCHEMA, remedy=remedy
        )
        self.field = field


class BadFits(MergeProblem):
    """A source file is not the FITS file that it should be."""

    def __init__(self, path: Path, message: str, cause: str = "", remedy: str = "") -> None:
        super().__init__(
            f"{path}: {message}",
            code=MergeExit.INTERNAL,
            cause=cause,
            remedy=remedy or "have the source write the file again, or leave it out",
        )
        self.path = path
