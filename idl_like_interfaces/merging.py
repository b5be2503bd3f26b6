"""What the merger tells while it works: exit codes and messages, one JSON document each."""

from __future__ import annotations

from enum import IntEnum, StrEnum

from idl_like_interfaces.daqif import AlertSeverity
from idl_like_interfaces.declare import Document, UtcTime, Value


class MergeExit(IntEnum):
    """Exit codes of the merger: 10x are of the specification, 11x of the sources."""

    OK = 0
    NO_SPECIFICATION = 100
    INVALID_JSON = 101
    INVALID_SCHEMA = 102
    NO_SOURCE = 110
    INTERNAL = 255


class MergeMessageType(StrEnum):
    """What a message is about."""

    ALERT = "alert"
    COLLISION = "collision"
    PROGRESS = "progress"
    RESULT = "result"
    ERROR = "error"


COLLISIONS_TOLD = 200
"""Collisions that get a message of their own; the last message of the type counts the others."""

LOSERS_TOLD = 20
"""Losers of a collision that are told one by one."""


class CollisionSide(Document, frozen=True, kw_only=True):
    """What one source says about a keyword.

    Attributes:
        source: Its name; ``merger`` for what the merger writes itself.
        value: The value as FITS text (strings have their quotes, and no blanks at their
            end); cut at 200 characters.
    """

    source: str
    value: str


class KeywordCollision(Document, frozen=True, kw_only=True):
    """Sources that say different things about one keyword of the primary header.

    Attributes:
        keyword: ``OBJECT``, or ``ESO INS TEMP`` of a ``HIERARCH ESO`` keyword.
        winner: What is in the product.
        losers: What is not, in descending priority; the first ``LOSERS_TOLD``.
        more_losers: How many there are beyond.
    """

    keyword: str
    winner: CollisionSide
    losers: list[CollisionSide]
    more_losers: int = 0


class MergeContent(Document, frozen=True, kw_only=True):
    """What a message says; fields that do not apply are left out of the JSON text.

    Attributes:
        message: For a person; always there.
        id: Of an alert: identifies the condition within the merge.
        severity: Of an alert.
        source: The source that an alert or a step of progress is about.
        done: Of progress: HDUs written.
        total: Of progress: HDUs in all.
        collision: Of a collision; None: this message counts those that are not told.
        omitted: Of the message that counts: collisions beyond ``COLLISIONS_TOLD``.
        path: Of a result: absolute path of the product.
        code: Of an error: the exit code.
        cause: Of an error: probable cause.
        remedy: Of an alert or error: what to do.
    """

    message: str
    id: str = ""
    severity: AlertSeverity | None = None
    source: str = ""
    done: int = 0
    total: int = 0
    collision: KeywordCollision | None = None
    omitted: int = 0
    path: str = ""
    code: int = 0
    cause: str = ""
    remedy: str = ""


class MergeMessage(Value, frozen=True, kw_only=True):
    """One message of the merger; ``result`` and ``error`` are the last of a run."""

    type: MergeMessageType
    timestamp: UtcTime
    content: MergeContent
