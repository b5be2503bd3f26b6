"""What is remembered of a run, and how it changes (pure)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

import msgspec
from msgspec.structs import replace

from idl_like_interfaces.declare import Value
from idl_like_interfaces.event_logger import RunCertificate
from idl_like_interfaces.run_configuration import RunBegin, RunConfiguration, Writer
from idl_like_interfaces.run_control import Phase, Run, RunNote, RunWriter, WriterPhase
from objects.run_control.elapsed import Stamp

MOST_NOTES = 200
MOST_FILES = 1000
LONGEST_NOTE = 2000

TERMINAL = frozenset({Phase.ENDED, Phase.ABORTED})


class RunRecord(Value, frozen=True, kw_only=True):
    """All that is kept of a run, on disk before it is acted upon.

    Attributes:
        run: As everybody sees it.
        configuration: With which it was started.
        request: Id of the command that started it.
        by: Who gave it.
        ended_by: Who ended or aborted it; empty: run control itself.
        certificates: What writers have confirmed, by name.
        since: When it came into its phase.
        begun_at: When it was begun, by a clock that nobody sets.
        reason: Why it is aborted.
        causes: Conditions that have paused it; it waits for their end when all resume by themselves.
        accepted: The most events that each writer said it had accepted, by name: one that comes back
            with less, or confirms less, has lost some.
        is_settled: It has ended, its logbook entry and its report are made.
    """

    run: Run
    configuration: RunConfiguration
    request: str
    by: str = ""
    ended_by: str = ""
    certificates: dict[str, RunCertificate] = {}
    since: datetime
    begun_at: Stamp = Stamp()
    reason: str = ""
    causes: list[str] = []
    accepted: dict[str, int] = {}
    is_settled: bool = False

    @property
    def number(self) -> int:
        """Its run number."""
        return self.run.run

    @property
    def phase(self) -> Phase:
        """Its state."""
        return self.run.phase

    @property
    def is_over(self) -> bool:
        """Tell whether it has ended, in one way or the other."""
        return self.run.phase in TERMINAL

    def writer(self, name: str) -> RunWriter:
        """Return how a writer stands."""
        return next(each for each in self.run.writers if each.name == name)

    def members(self) -> list[tuple[Writer, RunWriter]]:
        """Return each writer as it is configured, and how it stands."""
        states = {each.name: each for each in self.run.writers}
        return [(each, states[each.name]) for each in self.configuration.writers]


def new_record(
    number: int, begin: RunBegin, configuration: RunConfiguration, request: str, now: datetime
) -> RunRecord:
    """Return the record of a run that is about to start."""
    writers = [
        RunWriter(
            name=each.name,
            kind=each.kind,
            reference=each.reference,
            phase=WriterPhase.WAITING,
            since=now,
        )
        for each in configuration.writers
    ]
    run = Run(
        run=number,
        phase=Phase.STARTING,
        begin=begin,
        started=now,
        configuration_digest=digest_of(configuration),
        writers=writers,
    )
    return RunRecord(run=run, configuration=configuration, request=request, since=now)


def digest_of(configuration: RunConfiguration) -> str:
    """Return the digest of a configuration, whatever the order of its members was."""
    text = msgspec.json.encode(msgspec.to_builtins(configuration), order="sorted")
    return f"sha256:{hashlib.sha256(text).hexdigest()}"


def noted(record: RunRecord, text: str, now: datetime, by: str = "") -> RunRecord:
    """Return the record with one note more."""
    note = RunNote(time=now, text=text[:LONGEST_NOTE], by=by)
    return replace(record, run=replace(record.run, notes=[*record.run.notes, note][-MOST_NOTES:]))


def entered(record: RunRecord, phase: Phase, now: datetime, **changes: object) -> RunRecord:
    """Return the record in another phase; ``changes`` are of the public run."""
    return replace(record, run=replace(record.run, phase=phase, **changes), since=now)


def with_writer(record: RunRecord, name: str, now: datetime, **changes: object) -> RunRecord:
    """Return the record with a changed writer; a new phase begins now."""
    return with_writers(record, {name: changes}, now)


def with_writers(
    record: RunRecord, changes: Mapping[str, Mapping[str, object]], now: datetime
) -> RunRecord:
    """Return the record with changed writers, by name."""

    def change(each: RunWriter) -> RunWriter:
        new = dict(changes.get(each.name, {}))
        if "problem" in new:
            new["problem"] = str(new["problem"])[:LONGEST_NOTE]
        if "phase" in new and new["phase"] is not each.phase:
            new["since"] = now
        return replace(each, **new)

    writers = [change(each) for each in record.run.writers]
    return replace(record, run=totalled(replace(record.run, writers=writers)))


def with_accepted(record: RunRecord, counts: Mapping[str, int]) -> RunRecord:
    """Return the record in which no writer's count of accepted events has become less."""
    before = record.accepted
    most = {name: max(count, before.get(name, 0)) for name, count in counts.items()}
    return replace(record, accepted={**before, **most})


def totalled(run: Run) -> Run:
    """Return a run whose sums are those of its loggers."""
    loggers = [each for each in run.writers if each.kind == "logger"]
    return replace(
        run,
        events=sum(each.events for each in loggers),
        bytes=sum(each.bytes for each in loggers),
        gap_count=sum(each.gap_count for each in loggers),
    )


def confirmed(
    record: RunRecord, name: str, certificate: RunCertificate, now: datetime
) -> RunRecord:
    """Return the record with what a writer has confirmed."""
    files = certificate.files
    problem = "; ".join(certificate.missing)[:LONGEST_NOTE]
    changed = with_writer(
        record,
        name,
        now,
        phase=WriterPhase.CONFIRMED,
        events=certificate.events,
        bytes=certificate.bytes,
        events_s=0.0,
        bytes_s=0.0,
        # The last look at the run may have been before the last gap.
        gap_count=max(certificate.gap_count, record.writer(name).gap_count),
        files=files[:MOST_FILES],
        files_total=max(certificate.files_total, len(files)),
        problem=problem,
    )
    return replace(changed, certificates={**record.certificates, name: certificate})


def briefly(run: Run) -> Run:
    """Return a run without notes and files, for a list."""
    writers = [replace(each, files=[]) for each in run.writers]
    return replace(run, writers=writers, notes=[], gaps=[])
