"""How a source says that it is not able to begin, and which ids may name its files."""

from __future__ import annotations

import re

_ID = re.compile(r"[A-Za-z0-9_~+][-A-Za-z0-9_.:+@~]{0,99}")
ID_RULE = "1 to 100 of A-Z a-z 0-9 - _ . : + @ ~, the first neither - nor . : @"


class SourceNotReady(Exception):
    """The source cannot begin; nothing was started.

    Attributes:
        message: What was wanted and what was found.
        cause: The probable cause.
        remedy: What an operator can do.
    """

    def __init__(self, message: str, *, cause: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause
        self.remedy = remedy


def is_usable_id(text: str) -> bool:
    """Tell whether an id can be a part of a file name as it is."""
    return _ID.fullmatch(text) is not None
