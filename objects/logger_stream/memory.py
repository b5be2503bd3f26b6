"""The entries of a logger's journal, and what they come to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

from idl_like_interfaces.declare import UtcTime
from idl_like_interfaces.event_logger import (
    GapNote,
    LoggerConfiguration,
    LoggerInit,
    LoggerRunStart,
    StreamParameters,
)
from objects.logger_stream.gaps import latest
from objects.logger_stream.senders import SenderMark


class _Note(msgspec.Struct, frozen=True, kw_only=True, tag_field="entry", omit_defaults=True):
    """Base of all entries; a later version may add fields."""


class Initialized(_Note, frozen=True, kw_only=True, tag="init"):
    """INIT took effect."""

    arguments: LoggerInit


class Configured(_Note, frozen=True, kw_only=True, tag="config"):
    """CONFIG took effect; defaults that it changed stay changed."""

    configuration: LoggerConfiguration
    defaults: StreamParameters


class WasReset(_Note, frozen=True, kw_only=True, tag="reset"):
    """RESET took effect."""


class Began(_Note, frozen=True, kw_only=True, tag="start"):
    """A run was started with this copy of the configuration."""

    start: LoggerRunStart
    configuration: LoggerConfiguration
    time: UtcTime
    fence: int = 0


class WasPaused(_Note, frozen=True, kw_only=True, tag="pause"):
    """A run was paused."""

    run: int
    reason: str = ""


class WasResumed(_Note, frozen=True, kw_only=True, tag="resume"):
    """A run goes on."""

    run: int


class Ending(_Note, frozen=True, kw_only=True, tag="ending"):
    """A run takes no more events; ``aborted``: why it is aborted."""

    run: int
    aborted: str | None = None


class Ended(_Note, frozen=True, kw_only=True, tag="ended"):
    """The certificate of a run is on disk."""

    run: int


class Told(_Note, frozen=True, kw_only=True, tag="told"):
    """A closed file was announced."""

    run: int
    path: str


class Seen(_Note, frozen=True, kw_only=True, tag="seen"):
    """The newest fence, and the greatest number of a run."""

    fence: int = 0
    newest: int = 0


class GapSeen(_Note, frozen=True, kw_only=True, tag="gap"):
    """Messages will never come."""

    run: int
    gap: GapNote


class OrphansSeen(_Note, frozen=True, kw_only=True, tag="orphans"):
    """Events of a run that was not active; its alarm was raised."""

    run: int
    count: int


class Marks(_Note, frozen=True, kw_only=True, tag="marks"):
    """How far senders are durable."""

    senders: list[SenderMark] = []


Entry: TypeAlias = (
    Initialized
    | Configured
    | WasReset
    | Began
    | WasPaused
    | WasResumed
    | Ending
    | Ended
    | Told
    | Seen
    | GapSeen
    | OrphansSeen
    | Marks
)


@dataclass(slots=True)
class RememberedRun:
    """A run that has not ended, as the journal tells it.

    Attributes:
        began: Its start.
        paused: Why it is paused; None: it is not.
        is_ending: It takes no more events.
        aborted: Why it is aborted; None: it is not.
        told: Its files that were announced.
        gaps: Its latest gaps.
        gap_count: Messages that are missing.
    """

    began: Began
    paused: str | None = None
    is_ending: bool = False
    aborted: str | None = None
    told: set[str] = field(default_factory=set)
    gaps: list[GapNote] = field(default_factory=list)
    gap_count: int = 0


SENDERS_KEPT = 4096


class Memory:
    """What all entries of a journal come to.

    Attributes:
        init: Arguments of INIT; None: not initialized.
        configured: The configuration that is in force; None: there is none.
        runs: Runs that have not ended, by number.
        newest: The greatest number of a run that was begun.
        fence: The newest.
        orphans: Events of no active run, by the run that they name.
        senders: How far the starts of senders are durable.
    """

    def __init__(self) -> None:
        self.init: LoggerInit | None = None
        self.configured: Configured | None = None
        self.runs: dict[int, RememberedRun] = {}
        self.newest = 0
        self.fence = 0
        self.orphans: dict[int, int] = {}
        self.senders: dict[int, SenderMark] = {}

    def apply(self, entry: Entry) -> None:
        """Take an entry into account; one of a run that is not known does nothing."""
        match entry:
            case Initialized():
                self.init = entry.arguments
            case Configured():
                self.configured = entry
            case WasReset():
                self.init = self.configured = None
            case Began():
                self.runs[entry.start.run] = RememberedRun(began=entry)
                self.newest = max(self.newest, entry.start.run)
            case Ended():
                self.runs.pop(entry.run, None)
            case Seen() | OrphansSeen() | Marks():
                self._see(entry)
            case _:
                self._apply_to_run(entry)

    def _see(self, entry: Seen | OrphansSeen | Marks) -> None:
        match entry:
            case Seen():
                self.fence = max(self.fence, entry.fence)
                self.newest = max(self.newest, entry.newest)
            case OrphansSeen():
                self.orphans[entry.run] = entry.count
            case Marks():
                self._mark(entry)

    def _apply_to_run(self, entry: WasPaused | WasResumed | Ending | Told | GapSeen) -> None:
        run = self.runs.get(entry.run)
        if run is None:
            return
        match entry:
            case WasPaused():
                run.paused = entry.reason
            case WasResumed():
                run.paused = None
            case Ending():
                run.is_ending, run.aborted = True, entry.aborted
            case Told():
                run.told.add(entry.path)
            case GapSeen():
                run.gaps = latest([*run.gaps, entry.gap])
                run.gap_count += entry.gap.count

    def _mark(self, entry: Marks) -> None:
        """Keep the newest start of each sender, and older ones that say what a run has."""
        for each in entry.senders:
            self.senders.pop(each.incarnation, None)
            self.senders[each.incarnation] = each
        newest = {each.name: each.incarnation for each in self.senders.values()}
        kept = [
            each
            for each in self.senders.values()
            if newest[each.name] == each.incarnation or not self.runs.keys().isdisjoint(each.counts)
        ]
        self.senders = {each.incarnation: each for each in kept[-SENDERS_KEPT:]}

    def count(self, run: int) -> tuple[int, int]:
        """Return the events of a run that stand up to the marks, and the bytes of their messages."""
        found = [each.counts[run] for each in self.senders.values() if run in each.counts]
        return sum(events for events, _ in found), sum(size for _, size in found)

    def entries(self) -> Iterator[Entry]:
        """Yield the fewest entries that come to the same."""
        if self.init is not None:
            yield Initialized(arguments=self.init)
        if self.configured is not None:
            yield self.configured
        if self.fence or self.newest:
            yield Seen(fence=self.fence, newest=self.newest)
        for number, count in self.orphans.items():
            yield OrphansSeen(run=number, count=count)
        for number, run in sorted(self.runs.items()):
            yield from self._entries_of(number, run)
        if self.senders:
            yield Marks(senders=list(self.senders.values()))

    def _entries_of(self, number: int, run: RememberedRun) -> Iterator[Entry]:
        yield run.began
        if run.paused is not None:
            yield WasPaused(run=number, reason=run.paused)
        told = sum(gap.count for gap in run.gaps)
        if run.gap_count > told:
            first = run.gaps[0]
            more = msgspec.structs.replace(first, count=run.gap_count - told, reason="earlier gaps")
            yield GapSeen(run=number, gap=more)
        for gap in run.gaps:
            yield GapSeen(run=number, gap=gap)
        for path in sorted(run.told):
            yield Told(run=number, path=path)
        if run.is_ending:
            yield Ending(run=number, aborted=run.aborted)
