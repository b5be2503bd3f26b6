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
    PROGRESS = "progress"
    RESULT = "result"
    ERROR = "error"


class MergeContent(Document, frozen=True, kw_only=True):
    """What a message says; fields that do not apply are left out of the JSON text.

    Attributes:
        message: For a person; always there.
        id: Of an alert: identifies the condition within the merge.
        severity: Of an alert.
        source: The source that an alert or a step of progress is about.
        done: Of progress: HDUs written.
        total: Of progress: HDUs in all.
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
    path: str = ""
    code: int = 0
    cause: str = ""
    remedy: str = ""


class MergeMessage(Value, frozen=True, kw_only=True):
    """One message of the merger; ``result`` and ``error`` are the last of a run."""

    type: MergeMessageType
    timestamp: UtcTime
    content: MergeContent
