"""Judging audit logs: the first broken line, unfinished lines, what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from idl_like_interfaces.security.audit_chain import (
    ORIGIN,
    Head,
    Kind,
    Sealed,
    torn_mark,
    unseal,
)
from idl_like_interfaces.security.audit_files import (
    chain_files,
    is_unfinished,
    number_of,
    process_of,
    processes,
)
from idl_like_interfaces.security.refusals import AuditRefused

_LONGEST_LINE = 1024 * 1024


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out about the log of one process.

    Attributes:
        process: Its name; empty: what is said of all of them.
        files: How many there are.
        records: How many lines were judged.
        seq: Number of the last good line.
        head: Hash of the last good line: what is to be kept elsewhere.
        broken: What is wrong, with file and line; empty: nothing.
        missing: Files and lines that are not there.
        notes: What is worth knowing, and no forgery.
    """

    process: str
    files: int
    records: int
    seq: int
    head: str
    broken: str = ""
    missing: list[str] = []
    notes: list[str] = []

    @property
    def is_intact(self) -> bool:
        """Tell whether nothing is broken and nothing missing."""
        return not self.broken and not self.missing


@dataclass(slots=True)
class _State:
    """A chain as far as it was followed."""

    process: str
    head: Head | None = None
    torn: bytes = b""
    torn_at: str = ""
    last: Kind | None = None
    records: int = 0
    hashes_wanted: set[str] = field(default_factory=set)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def verify(path: Path, head: str = "") -> list[Verified]:
    """Judge a file, or all logs of a folder.

    Args:
        path: A file is judged alone: lines before its first are not looked for.
        head: Hash that must be in (one of) the chains.

    Raises:
        AuditRefused: There is no log at all.
    """
    chains = _chains(path)
    wanted = {head} if head else set()
    results = [_verify_chain(process, files, wanted) for process, files in chains]
    return _without_head(results, head) if wanted else results


def _without_head(results: list[Verified], head: str) -> list[Verified]:
    """Say that the kept head is nowhere: of one chain by itself, of several for all together."""
    text = (
        f"no line of what is verified has the hash {head}: the end was cut off, or the whole "
        "chain was written anew"
    )
    if len(results) == 1:
        (only,) = results
        return [msgspec.structs.replace(only, broken=only.broken or text)]
    # Nobody knows to which of them it belongs: the intact ones stay so.
    return [*results, Verified(process="", files=0, records=0, seq=0, head=head, broken=text)]


def records(path: Path) -> Iterator[Sealed]:
    """Read the good lines of a file, or of all logs of a folder, process by process.

    Raises:
        AuditRefused: There is no log at all.
    """
    for _, files in _chains(path):
        for file in files:
            for _, line in _lines(file):
                try:
                    record = unseal(line)
                except ValueError:
                    continue
                yield record


def _chains(path: Path) -> list[tuple[str, list[Path]]]:
    if path.is_file():
        return [(process_of(path), [path])]
    found = [(each, chain_files(path, each)) for each in processes(path)] if path.is_dir() else []
    if not found:
        raise AuditRefused(
            f"there is no audit log at {path}",
            path=str(path),
            cause="an installation keeps one when its file has the table [security]",
            remedy="give the folder `audit` below its data root, or one of the files in it",
        )
    return found


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    with file.open("rb") as opened:
        number = 0
        while line := opened.readline(_LONGEST_LINE):
            number += 1
            yield number, line


def _verify_chain(process: str, files: Sequence[Path], wanted: set[str]) -> Verified:
    state = _State(process)
    broken = _missing_files(files, state) or next(
        (
            trouble
            for file in files
            for number, line in _lines(file)
            if (trouble := _judge(state, f"{file.name} line {number}", line, wanted))
        ),
        "",
    )
    broken = broken or _judge_end(state)
    head = state.head or Head()
    return Verified(
        process=process,
        files=len(files),
        records=state.records,
        seq=head.seq,
        head=head.hash,
        broken=broken,
        missing=state.missing,
        notes=state.notes,
    )


def _missing_files(files: Sequence[Path], state: _State) -> str:
    numbers = [number_of(each) for each in files if number_of(each)]
    if len(files) > 1:
        gone = sorted(set(range(1, max(numbers, default=0))) - set(numbers))
        state.missing += [f"the file {state.process}.{each:06d}.jsonl" for each in gone]
        if number_of(files[-1]):
            state.notes.append("there is no current file: the process ended while it changed files")
    return ""


def _judge(state: _State, where: str, line: bytes, wanted: set[str]) -> str:
    """Take the next line; return what is wrong, and where."""
    try:
        record = unseal(line)
    except ValueError as error:
        if not is_unfinished(line):
            return f"{where}: {error}"
        state.torn_at = state.torn_at if state.torn else where
        state.torn += line
        return ""
    if state.torn or record.torn:
        trouble = _judge_torn(state, where, record)
        if trouble:
            return trouble
    trouble = _judge_link(state, record)
    if trouble:
        return f"{where}: {trouble}"
    state.records += 1
    state.head, state.last = Head(record.seq, record.hash), record.what
    wanted.discard(record.hash)
    if record.missing:
        state.notes.append(f"before record {record.seq} {record.missing} could not be written")
    return ""


def _judge_torn(state: _State, where: str, record: Sealed) -> str:
    """Compare the octets of unfinished lines with what the record behind them tells."""
    torn, state.torn = state.torn, b""
    if not torn:
        return f"{where}: octets before it are gone"
    told = {"torn": record.torn, "torn_hash": record.torn_hash}
    # The end of the unfinished line may have been put there with this record.
    for octets in (torn, torn.removesuffix(b"\n")):
        if octets and torn_mark(octets) == told:
            state.notes.append(
                f"before record {record.seq} is an unfinished line of {len(octets)} octets: "
                "the process was killed, or the disk was full"
            )
            return ""
    return f"{state.torn_at}: octets that no record tells of"


def _judge_link(state: _State, record: Sealed) -> str:
    head = state.head
    if record.process != state.process:
        return f"it is a record of {record.process}, not of {state.process}"
    if head is None:
        if record.prev != ORIGIN or record.seq != 1:
            state.missing.append(f"records 1 to {record.seq - 1}, in earlier files")
        return ""
    if record.seq != head.seq + 1 and record.seq > head.seq:
        return f"records {head.seq + 1} to {record.seq - 1} are gone"
    if (record.seq, record.prev) != (head.seq + 1, head.hash):
        return f"record {record.seq} does not follow on record {head.seq}"
    return ""


def _judge_end(state: _State) -> str:
    if state.torn:
        begin = b'{"seq":%d,' % (state.head.seq + 1 if state.head else 1)
        if state.torn[: len(begin)] != begin[: len(state.torn)]:
            return f"{state.torn_at}: octets that are not the begin of a record"
        state.notes.append(
            f"the last line is unfinished ({len(state.torn)} octets): "
            "the process was killed while it wrote, or writes just now"
        )
    if state.last is not Kind.STOP:
        state.notes.append(
            "it does not end with `stop`: the process runs, was killed, or the end was cut off"
        )
    return ""
