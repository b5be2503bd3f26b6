"""What a run is made of, and what the shifter says of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from msgspec import Meta

from idl_like_interfaces.alarms import Severity
from idl_like_interfaces.declare import Document, Seconds

Text = Annotated[str, Meta(max_length=4096)]
Label = Annotated[str, Meta(min_length=1, max_length=255)]
WriterName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(?!\n)$",
        max_length=64,
        description="letters, digits, _ . and -, at most 64",
    ),
]


class WriterKind(StrEnum):
    """What takes part in a run."""

    LOGGER = "logger"
    """An event logger (``LoggerControl``)."""
    ACQUISITION = "acquisition"
    """An acquisition of the coordinator (``OcmDaqControl``): started with the run, stopped with it."""


class Quality(StrEnum):
    """What the shifter says of a run at its end."""

    GOOD = "Good"
    UNCERTAIN = "Uncertain"
    USELESS = "Useless"


class Writer(Document, frozen=True, kw_only=True, rename="camel"):
    """What takes part in a run.

    Attributes:
        name: Unique in the configuration.
        kind: What it is.
        reference: Its control object: a name (``obs/logger/0/control``, ``obs/ocm/daq``) or a URI.
        after: Names of those that must have started before it; they are stopped after it.
        init: Arguments of INIT of a logger (``LoggerInit``).
        configuration: Of a logger: ``LoggerConfiguration``; of an acquisition: what it is started
            with (as ``start_daq_v2``; ``{run}`` in the id is replaced).
        is_essential: A run cannot begin or go on without it.
    """

    name: WriterName
    kind: WriterKind
    reference: Label
    after: list[WriterName] = []
    init: dict[str, Any] = {}
    configuration: dict[str, Any] = {}
    is_essential: bool = True


class PauseRule(Document, frozen=True, kw_only=True, rename="camel"):
    """An alarm condition at which runs pause by themselves, beside those declared so by who raises them.

    Attributes:
        object: Pattern (``*``, ``?``) for the object of the alarm.
        name: Pattern for its name.
        severity: It must be so bad at least.
        resumes: Resume by itself when the condition is over.
    """

    object: Label = "*"
    name: Label = "*"
    severity: Severity = Severity.MAJOR
    resumes: bool = False


class RunConfiguration(Document, frozen=True, kw_only=True, rename="camel"):
    """What a run is made of. In force for runs that start later.

    Attributes:
        writers: Who takes part.
        pause_rules: When it pauses by itself.
        start_timeout_s: A writer that has not started after so long has failed.
        end_timeout_s: One that has not confirmed its files after so long is missing.
        most_missing: A run is aborted when more than this part of its messages is missing; 1: never.
        logbook: Make entries in the logbook at begin and end.
        comment: What this configuration is for.
    """

    writers: Annotated[list[Writer], Meta(min_length=1, max_length=256)]
    pause_rules: list[PauseRule] = []
    start_timeout_s: Seconds = 10.0
    end_timeout_s: Seconds = 30.0
    most_missing: Annotated[float, Meta(ge=0, le=1)] = 1.0
    logbook: bool = True
    comment: Text = ""


class RunBegin(Document, frozen=True, kw_only=True, rename="camel"):
    """What the shifter says at the begin of a run.

    Attributes:
        shifter: Who is on shift.
        comment: Why this run is taken.
        data_type: E.g. ``physics``, ``test``, ``calibration``.
        recording: False: events are counted, nothing is written.
    """

    shifter: Label
    comment: Text = ""
    data_type: Label = "physics"
    recording: bool = True


class RunEnd(Document, frozen=True, kw_only=True, rename="camel"):
    """What the shifter says at its end.

    Attributes:
        quality: How it was.
        comment: Why it ended.
    """

    quality: Quality
    comment: Text = ""
