"""What the end of a merger means for the acquisition."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from idl_like_interfaces.daqif import AlertSeverity, DaqAlert
from idl_like_interfaces.merging import MergeContent, MergeExit, MergeMessage, MergeMessageType
from objects.products import alerts
from objects.products.merger import MergeRun
from objects.products.progress import Step

FAILED = f"{Step.MERGE}/failed"

_RETRY = "see logs/merge.log, repair it, then retry the acquisition"

_MEANING: dict[int, str] = {
    MergeExit.NO_SPECIFICATION: "the specification was not found",
    MergeExit.INVALID_JSON: "the specification is not JSON",
    MergeExit.INVALID_SCHEMA: "the specification violates its schema",
    MergeExit.NO_SOURCE: "a source file is missing",
    MergeExit.INTERNAL: "the merger failed inside, or a source is no good FITS file",
}


def judge(run: MergeRun, *, has_output: bool) -> list[DaqAlert]:
    """Return the merger's alerts, and an error when it has not made the product."""
    found = [
        _from_merger(message.content)
        for message in run.messages
        if message.type is MergeMessageType.ALERT
    ]
    if run.code != MergeExit.OK:
        found.append(_failure(run.code, _last_error(run.messages)))
    elif not has_output:
        found.append(
            alerts.error(
                FAILED,
                "the merger ended well but there is no product",
                cause="the setting bin_merge names another program",
                remedy=_RETRY,
            )
        )
    return found


def not_started(command: str) -> DaqAlert:
    """Return the alert that there is no merger."""
    return alerts.error(
        FAILED,
        f"the merger {command} cannot be started",
        cause="there is no such program, or it is not executable",
        remedy="correct the setting bin_merge or the installation, and restart the DPM",
    )


def _from_merger(content: MergeContent) -> DaqAlert:
    return alerts.alert(
        content.severity or AlertSeverity.WARNING,
        f"{Step.MERGE}/{content.id or content.message}",
        content.message,
        cause=content.cause,
        remedy=content.remedy,
    )


def _last_error(messages: Sequence[MergeMessage]) -> MergeContent | None:
    errors = [m.content for m in messages if m.type is MergeMessageType.ERROR]
    return errors[-1] if errors else None


def _failure(code: int, told: MergeContent | None) -> DaqAlert:
    cause = _signal_name(-code) if code < 0 else _MEANING.get(code, "")
    return alerts.error(
        FAILED,
        f"merging failed: {told.message}" if told else f"the merger ended with {code}",
        cause=(told.cause if told else "") or cause,
        remedy=(told.remedy if told else "") or _RETRY,
    )


def _signal_name(number: int) -> str:
    try:
        return f"it was ended by {signal.Signals(number).name}"
    except ValueError:
        return f"it was ended by signal {number}"
