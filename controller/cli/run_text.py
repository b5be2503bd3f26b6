"""Runs as text."""

from __future__ import annotations

from datetime import datetime

from controller.dashboard.text import size as in_bytes
from idl_like_interfaces.run_configuration import WriterKind
from idl_like_interfaces.run_control import (
    Control,
    LogbookEntry,
    LogbookMoment,
    Run,
    RunControlStatus,
    RunWriter,
)


def control_line(control: Control) -> str:
    """Say who has control."""
    if not control.holder:
        return f"control    nobody (fence {control.fence})"
    until = f", until {control.until:%H:%M:%S} UTC" if control.until else ""
    at = f" at {control.place}" if control.place else ""
    return f"control    {control.holder}{at}{until} (fence {control.fence})"


def status_text(status: RunControlStatus) -> str:
    """Say the status of run control, with the active runs."""
    configuration = status.configuration
    writers = ", ".join(each.name for each in configuration.writers) if configuration else ""
    lines = [
        control_line(status.control),
        f"configured {writers or 'no'}",
        f"last run   {status.last_run or 'none yet'}",
    ]
    lines += [f"member     {each.name} at {each.control}" for each in status.members]
    lines += [f"condition  {each}" for each in status.pause_conditions]
    if status.problem:
        lines.append(f"problem    {status.problem}")
    for run in status.active:
        lines += ["", run_line(run), *writer_lines(run)]
    return "\n".join(lines)


def run_text(run: Run) -> str:
    """Say everything of a run."""
    begin, end = run.begin, run.end
    lines = [
        run_line(run),
        f"begin      {_time(run.started)} by {begin.shifter}, {begin.data_type}"
        + ("" if begin.recording else ", not recorded")
        + (f": {begin.comment}" if begin.comment else ""),
    ]
    if end is not None:
        comment = f": {end.comment}" if end.comment else ""
        lines.append(f"end        {_time(run.ended)}, {end.quality.value}{comment}")
    elif run.ended is not None:
        lines.append(f"end        {_time(run.ended)}")
    if run.pause_reason:
        lines.append(f"paused     {run.pause_reason}")
    lines += [f"missing    {each}" for each in run.missing]
    lines += writer_lines(run)
    lines += [
        f"file       {file.path}  {in_bytes(file.size_bytes)}  {file.digest[:15]}"
        for each in run.writers
        for file in each.files
    ]
    lines += [
        f"note       {_time(each.time)}  {each.text}{f' ({each.by})' if each.by else ''}"
        for each in run.notes
    ]
    if run.report:
        lines.append(f"report     {run.report}")
    return "\n".join(lines)


def run_line(run: Run) -> str:
    """Say a run on one line."""
    quality = f" {run.end.quality.value}" if run.end else ""
    comment = f"  ({run.begin.comment})" if run.begin.comment else ""
    missing = f"  missing: {run.missing[0]}" if run.missing else ""
    return (
        f"run {run.run}  {run.phase.value:<8}  {run.verdict.value:<7}{quality:<10}  "
        f"{_time(run.started)}  {run.begin.shifter}  {run.events} events  "
        f"{in_bytes(run.bytes)}{comment}{missing}"
    )


def writer_lines(run: Run) -> list[str]:
    """Say how the writers of a run stand, a line each."""
    return [f"  {writer_line(each)}" for each in run.writers]


def writer_line(each: RunWriter) -> str:
    """Say how a writer stands."""
    rate = f"  {each.events_s:.4g}/s  {in_bytes(int(each.bytes_s))}/s" if each.events_s else ""
    files = f"  {each.files_total} files" if each.files_total else ""
    gaps = f"  {each.gap_count} missing" if each.gap_count else ""
    problem = f"  {each.problem}" if each.problem else ""
    counted = f"{each.events} events  " if each.kind is WriterKind.LOGGER else ""
    return (
        f"{each.name:<16} {each.phase.value:<10} {counted}{in_bytes(each.bytes)}"
        f"{rate}{files}{gaps}{problem}"
    )


def entry_text(entry: LogbookEntry) -> str:
    """Say an entry of the logbook."""
    head = f"{entry.number:>5}  {_time(entry.time)}  run {entry.run} {entry.moment.value}"
    by = f" by {entry.by}" if entry.by else ""
    project = f"  [{entry.project.get('project')}]" if entry.project.get("project") else ""
    if entry.moment is LogbookMoment.BEGIN:
        about = f"{entry.begin.shifter}, {entry.begin.data_type}: {entry.begin.comment or '-'}"
    else:
        quality = f"{entry.end.quality.value}, {entry.end.comment or '-'}; " if entry.end else ""
        about = (
            f"{quality}{entry.phase.value}, {entry.verdict.value}, {entry.events} events, "
            f"{in_bytes(entry.bytes)}, {entry.files} files"
        )
    remark = f"  ({entry.remark})" if entry.remark else ""
    return f"{head}{by}  {about}{project}{remark}"


def _time(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}" if time is not None else "-"
