"""What run control does with a writer, whatever kind it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from idl_like_interfaces.event_logger import GapNote, RunCertificate
from idl_like_interfaces.run_configuration import Writer
from objects.run_control.records import RunRecord

STATUS_S = 3.0
"""Deadline of a question that a healthy writer answers at once."""

SLICE_S = 2.0
"""So long a writer may take to answer that it is not done yet; then it is asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A writer as it was seen in a run.

    Attributes:
        is_paused: It takes nothing now.
        is_gone: It does not have the run, or has ended it by itself: why; empty: it has it.
        events: Events, or files of an acquisition.
        bytes: Their bytes.
        events_s: Rate, 1/s.
        bytes_s: The same of bytes.
        gap_count: Messages that are missing.
        gaps: Where, the latest.
        queued: Events that wait in it.
        problem: What is wrong; empty: nothing.
    """

    is_paused: bool = False
    is_gone: str = ""
    events: int = 0
    bytes: int = 0
    events_s: float = 0.0
    bytes_s: float = 0.0
    gap_count: int = 0
    gaps: tuple[GapNote, ...] = ()
    queued: int = 0
    problem: str = ""


class WriterLink(Protocol):
    """Commands one writer. Every call may raise ``RemoteError``; any may be repeated."""

    can_pause: bool

    def prepare(self, writer: Writer, fence: int) -> None:
        """Initialize it when it is not."""

    def configure(self, writer: Writer, fence: int) -> None:
        """Bring it to its configuration."""

    def obstacles(self, writer: Writer, number: int) -> list[str]:
        """Return what stands against a start of a run with that number."""

    def start(self, writer: Writer, record: RunRecord, fence: int) -> None:
        """Have it begin the run; return when it has."""

    def pause(self, number: int, reason: str, fence: int) -> None:
        """Have it take nothing for now."""

    def resume(self, number: int, fence: int) -> None:
        """Have it go on."""

    def look(self, writer: Writer, number: int) -> Seen:
        """Look how it stands."""

    def end(
        self, writer: Writer, number: int, fence: int, *, is_urgent: bool
    ) -> RunCertificate | None:
        """Have it end the run; ``None``: it has not yet, ask again.

        Args:
            writer: It.
            number: Of the run.
            fence: Of the control lease.
            is_urgent: Its time is nearly over.
        """

    def abort(
        self, writer: Writer, number: int, reason: str, fence: int, *, is_urgent: bool
    ) -> RunCertificate | None:
        """Have it end the run at once; ``None``: it has not yet, ask again."""
