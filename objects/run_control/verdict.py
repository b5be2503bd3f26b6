"""Whether all that a run has taken is known to be on disk (pure; files are looked at by who is passed in)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from idl_like_interfaces.event_logger import (
    FileState,
    RunCertificate,
    RunState,
    WrittenFile,
)
from idl_like_interfaces.run_configuration import Writer, WriterKind
from idl_like_interfaces.run_control import Phase, RunWriter, Verdict, WriterPhase
from objects.run_control.records import LONGEST_NOTE, RunRecord

MOST_TOLD = 50
"""So many things that are missing are told one by one."""

Look = Callable[[Writer, WrittenFile], str]
"""Says what is wrong with a writer's file on the disk; empty: nothing, or it is on another host."""


def judge(record: RunRecord, look: Look) -> tuple[Verdict, list[str]]:
    """Return the verdict of a run that ends, and all that is missing."""
    # What writers say has no bound, and it goes into each telling of the run.
    missing = [text[:LONGEST_NOTE] for text in _missing(record, look)]
    if len(missing) > MOST_TOLD:
        more = len(missing) - MOST_TOLD
        missing = [*missing[:MOST_TOLD], f"and {more} more"]
    return (Verdict.FLAGGED if missing else Verdict.GOOD), missing


def _missing(record: RunRecord, look: Look) -> Iterator[str]:
    if record.phase in {Phase.ABORTING, Phase.ABORTED}:
        yield f"the run was aborted: {record.reason or 'no reason was given'}"
    for writer, state in record.members():
        certificate = record.certificates.get(writer.name)
        if certificate is None:
            yield from _of_nothing(writer, state, record.phase)
            continue
        for text in _of_writer(certificate, writer, record, look):
            yield f"{writer.name}: {text}"
        if state.gap_count:
            yield f"{writer.name}: {state.gap_count} messages never came"


def _of_nothing(writer: Writer, state: RunWriter, phase: Phase) -> Iterator[str]:
    if state.phase is not WriterPhase.WAITING:
        why = f": {state.problem}" if state.problem else ""
        yield f"{writer.name} has confirmed nothing{why}"
    elif phase in {Phase.ENDING, Phase.ENDED}:
        yield f"{writer.name} never took part"


def _of_writer(
    certificate: RunCertificate, writer: Writer, record: RunRecord, look: Look
) -> Iterator[str]:
    yield from _against_record(certificate, writer, record)
    yield from _of_certificate(certificate, writer, look)
    yield from _of_unknown_length(certificate)


def _against_record(
    certificate: RunCertificate, writer: Writer, record: RunRecord
) -> Iterator[str]:
    """What a writer confirms is not taken on its word alone: run control knows something itself."""
    if certificate.run != record.number:
        yield f"what it confirms is of run {certificate.run}"
    if writer.kind is not WriterKind.LOGGER or not record.run.begin.recording:
        return
    if not certificate.recording:
        yield "the run was begun with recording, it says that it has recorded nothing"
    seen = record.accepted.get(writer.name, 0)
    if certificate.events < seen:
        yield f"{seen} events were accepted, {certificate.events} are confirmed"


def _of_certificate(certificate: RunCertificate, writer: Writer, look: Look) -> Iterator[str]:
    yield from certificate.missing
    if certificate.state is not RunState.ENDED:
        yield f"its run is {certificate.state.value}"
    for file in certificate.files:
        fault = _of_file(file) or look(writer, file)
        if fault:
            yield fault
    if not certificate.recording:
        return
    if writer.kind is WriterKind.ACQUISITION:
        if not certificate.files:
            yield "there is no product"
        return
    yield from _of_counts(certificate)


def _of_counts(certificate: RunCertificate) -> Iterator[str]:
    if len(certificate.files) < certificate.files_total:
        yield f"{len(certificate.files)} of its {certificate.files_total} files are known here"
        return
    held = sum(each.events for each in certificate.files)
    if held < certificate.events:
        yield f"{certificate.events} events were accepted, its files hold {held}"


def _of_unknown_length(certificate: RunCertificate) -> Iterator[str]:
    for gap in certificate.gaps:
        if not gap.count:
            yield (
                f"{gap.sender} was started anew at {gap.time:%Y-%m-%dT%H:%M:%SZ}, what it had not "
                f"handed over is unknown"
            )


def _of_file(file: WrittenFile) -> str:
    if file.state is not FileState.CLOSED:
        return f"{file.path} is {file.state.value}" + (f": {file.problem}" if file.problem else "")
    if not file.digest:
        return f"{file.path} has no digest"
    if file.durable_bytes < file.size_bytes:
        return f"{file.path}: {file.durable_bytes} of {file.size_bytes} bytes are on the disk"
    return ""
