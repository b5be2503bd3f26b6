"""The report of a run as plain text, and the tables that the page shows, too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from idl_like_interfaces.run_control import LogbookEntry
from objects.run_control.records import RunRecord
from objects.run_control.report.charts import duration, shown

Row = tuple[str, str]


def facts(record: RunRecord, entries: Sequence[LogbookEntry]) -> list[Row]:
    """Return what is to be said of a run first, as names and values."""
    run, begin, end = record.run, record.run.begin, record.run.end
    project = next((each.project for each in reversed(entries) if each.project), {})
    rows = [
        ("state", run.phase.value),
        ("verdict", run.verdict.value),
        ("shifter", begin.shifter),
        ("data type", begin.data_type),
        ("recording", "on" if begin.recording else "off: nothing was to be written"),
        ("comment at begin", begin.comment or "-"),
        ("quality", end.quality.value if end else "-"),
        ("comment at end", (end.comment if end else record.reason) or "-"),
        ("started", f"{moment(run.started)} by {record.by or '-'}"),
        ("ended", f"{moment(run.ended)} by {record.ended_by or 'itself'}"),
        ("duration", _duration(record)),
        ("events", f"{run.events:,}"),
        ("size", shown(run.bytes, "B")),
        ("messages that never came", f"{run.gap_count:,}"),
        ("configuration", run.configuration_digest),
    ]
    return [*rows, *((f"project: {name}", value) for name, value in project.items())]


def writer_rows(record: RunRecord) -> list[tuple[str, ...]]:
    """Return a row for each writer."""
    return [
        (
            each.name,
            each.kind.value,
            each.reference,
            each.phase.value,
            f"{each.events:,}",
            shown(each.bytes, "B"),
            f"{each.files_total:,}",
            f"{each.gap_count:,}",
            each.problem or "-",
        )
        for each in record.run.writers
    ]


WRITER_HEAD = (
    "writer",
    "kind",
    "control",
    "state",
    "events",
    "size",
    "files",
    "missing",
    "problem",
)
FILE_HEAD = ("writer", "file", "events", "bytes", "state", "closed because", "digest")


def file_rows(record: RunRecord) -> list[tuple[str, ...]]:
    """Return a row for each file that was confirmed."""
    return [
        (
            name,
            file.path,
            f"{file.events:,}",
            f"{file.size_bytes:,}",
            file.state.value,
            file.reason_closed or "-",
            file.digest or "-",
        )
        for name, certificate in record.certificates.items()
        for file in certificate.files
    ]


def moment(time: datetime | None) -> str:
    """Say a time; ``-``: there is none."""
    return f"{time:%Y-%m-%d %H:%M:%S} UTC" if time is not None else "-"


def text_report(record: RunRecord, entries: Sequence[LogbookEntry]) -> str:
    """Return the whole report as plain text."""
    run = record.run
    parts = [f"RUN {run.run}: {run.verdict.value}", ""]
    parts += [f"{name:<26}{value}" for name, value in facts(record, entries)]
    if run.missing:
        parts += ["", "WHAT IS MISSING", *(f"  {each}" for each in run.missing)]
    parts += ["", "WRITERS", *_table(WRITER_HEAD, writer_rows(record))]
    parts += ["", "FILES", *_table(FILE_HEAD, file_rows(record))]
    if run.gaps:
        parts += ["", "GAPS (the latest)"]
        parts += [
            f"  {moment(each.time)}  {each.sender}  {each.count or '?'}  {each.reason}"
            for each in run.gaps
        ]
    parts += ["", "WHAT HAPPENED"]
    parts += [
        f"  {moment(each.time)}  {each.text}{f' ({each.by})' if each.by else ''}"
        for each in run.notes
    ]
    return "\n".join(parts) + "\n"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    if not rows:
        return ["  none"]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return [
        "  "
        + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [head, *rows]
    ]


def _duration(record: RunRecord) -> str:
    run = record.run
    return duration((run.ended - run.started).total_seconds()) if run.ended else "-"
