"""Bodies of the events that every component may send."""

from __future__ import annotations

from enum import StrEnum

from idl_like_interfaces.declare import Seconds, Value

HEARTBEAT_TOPIC = "component/heartbeat"
"""Once a second, body ``Heartbeat``."""

FILE_FINISHED_TOPIC = "files/finished"
"""Once for each file that a writer has finished, body ``FileFinished``."""


class ComponentState(StrEnum):
    """Life of a component."""

    STARTED = "started"
    RUNNING = "running"
    ERROR = "error"
    STOPPED = "stopped"


class Heartbeat(Value, frozen=True, kw_only=True):
    """A component lives.

    Attributes:
        component: Its name in the installation.
        kind: What it is, e.g. ``ocm``.
        incarnation: Its start.
        state: Its state.
        detail: A few words on what it does.
        uptime_s: Since its start.
        pid: Process id.
        host: Host name.
    """

    component: str
    kind: str
    incarnation: str
    state: ComponentState
    detail: str = ""
    uptime_s: Seconds = 0.0
    pid: int = 0
    host: str = ""


class FileFinished(Value, frozen=True, kw_only=True):
    """A data file is complete, digested and will not change any more.

    Attributes:
        path: Absolute path.
        host: Where.
        kind: e.g. ``dataproduct``.
        owner: The acquisition, run or session that it belongs to.
        size_bytes: Its size.
        digest: ``sha256:`` and 64 hexadecimal digits.
    """

    path: str
    host: str
    kind: str
    owner: str
    size_bytes: int
    digest: str
