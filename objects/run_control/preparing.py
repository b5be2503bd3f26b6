"""Bringing all writers to a configuration, and asking whether a run can start."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from idl_like_interfaces.run_configuration import RunConfiguration, Writer, WriterKind
from idl_like_interfaces.run_control import RunRefused
from objects.run_control.graph import start_order
from objects.run_control.links import WriterLink
from objects.run_control.records import RunRecord
from objects.run_control.together import together

Link = Callable[[Writer], WriterLink]

PREPARE_S = 15.0
"""So long initializing or configuring a level may take."""

ASK_S = 4.0


def prepare_all(
    configuration: RunConfiguration, link: Link, fence: int, *, configure: bool
) -> None:
    """Initialize all writers in their order, and configure them when that is wanted.

    Raises:
        RunRefused: Some are away or refuse; with all reasons.
    """
    reasons: list[str] = []
    for level in start_order(configuration.writers):
        actions = {
            each.name: _preparer(link(each), each, fence, configure=configure) for each in level
        }
        outcomes = together(actions, time.monotonic() + PREPARE_S)
        reasons += [
            f"{each.name}: {outcomes[each.name].error}"
            for each in level
            if outcomes[each.name].error
        ]
    if reasons:
        raise refusal("configure" if configure else "init", reasons)


def check_start(
    configuration: RunConfiguration, link: Link, number: int, active: Iterable[RunRecord]
) -> None:
    """See that every writer can start a run.

    Raises:
        RunRefused: Some cannot; with all reasons.
    """
    actions = {each.name: _asker(link(each), each, number) for each in configuration.writers}
    outcomes = together(actions, time.monotonic() + ASK_S)
    reasons = list(_busy(configuration, active))
    for writer in configuration.writers:
        found = outcomes[writer.name]
        if writer.is_essential and found.error:
            reasons.append(f"{writer.name}: {found.error}")
        reasons += [f"{writer.name}: {each}" for each in found.value or [] if writer.is_essential]
    if reasons:
        raise refusal("start", reasons)


def refusal(command: str, reasons: list[str]) -> RunRefused:
    """Return the refusal of a command with all that stands against it."""
    return RunRefused(
        f"{command} is not possible: {'; '.join(reasons)}",
        cause="see the reasons; no run number was used"
        if command == "start"
        else "see the reasons; the configuration in force is as it was",
        remedy="put right what each of them says, then do it again",
        command=command,
        reasons=reasons,
    )


def _busy(configuration: RunConfiguration, active: Iterable[RunRecord]) -> Iterable[str]:
    """An acquisition has its sources for itself: one run at a time."""
    taken = {
        (writer.name, writer.reference): record.number
        for record in active
        for writer in record.configuration.writers
        if writer.kind is WriterKind.ACQUISITION
    }
    for each in configuration.writers:
        number = taken.get((each.name, each.reference))
        if number is not None and each.kind is WriterKind.ACQUISITION:
            yield f"{each.name}: it is busy with run {number}"


def _preparer(
    link: WriterLink, writer: Writer, fence: int, *, configure: bool
) -> Callable[[], None]:
    if configure:
        return lambda: link.configure(writer, fence)
    return lambda: link.prepare(writer, fence)


def _asker(link: WriterLink, writer: Writer, number: int) -> Callable[[], list[str]]:
    return lambda: link.obstacles(writer, number)
