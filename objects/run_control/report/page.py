"""The report of a run as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import msgspec

from idl_like_interfaces.run_configuration import WriterKind
from idl_like_interfaces.run_control import LogbookEntry, Verdict
from objects.run_control.records import RunRecord
from objects.run_control.report.charts import draw
from objects.run_control.report.curves import charts_of
from objects.run_control.report.text import (
    FILE_HEAD,
    WRITER_HEAD,
    facts,
    file_rows,
    moment,
    writer_rows,
)
from objects.run_control.samples import Sample

_STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; color: #1d2329; margin: 2em auto; max-width: 64em; padding: 0 1em; }
h1 { font-size: 1.7em; margin: 0 0 .2em; } h2 { font-size: 1.15em; margin: 1.8em 0 .5em; border-bottom: 1px solid #d6dbe0; }
.badge { font-size: .6em; padding: .2em .7em; border-radius: 1em; color: #fff; vertical-align: middle; }
.GOOD { background: #2a8a3e; } .flagged { background: #b3262e; } .open { background: #56646f; }
table { border-collapse: collapse; width: 100%; font-size: .92em; } td, th { text-align: left; padding: .25em .7em .25em 0; vertical-align: top; }
th { border-bottom: 1px solid #b9c1c8; font-weight: 600; } tr:nth-child(even) td { background: #f5f7f9; }
.facts td:first-child { color: #56646f; width: 16em; } td { overflow-wrap: anywhere; }
.missing { border-left: 4px solid #b3262e; padding: .2em 1em; background: #fdf3f3; }
svg.chart { width: 100%; height: auto; margin: .3em 0 .8em; } svg path { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
svg .grid { stroke: #e3e7ea; } svg .tick { font: 11px system-ui, sans-serif; fill: #56646f; } svg .title { font: 600 13px system-ui, sans-serif; fill: #1d2329; }
svg .paused { fill: #f3e3b4; } pre { background: #f5f7f9; padding: 1em; overflow-x: auto; font-size: .88em; }
"""


def page(record: RunRecord, entries: Sequence[LogbookEntry], samples: Sequence[Sample]) -> str:
    """Return the page."""
    run = record.run
    title = f"Run {run.run}"
    body = [
        f'<h1>{title} <span class="badge {escape(run.verdict.value)}">{escape(run.verdict.value)}</span></h1>',
        f"<p>{escape(run.begin.data_type)}, {escape(run.begin.shifter)}, {moment(run.started)}</p>",
        *_missing(record),
        _facts(facts(record, entries)),
        "<h2>How it went</h2>",
        *_drawings(record, samples),
        "<h2>Writers</h2>",
        _table(WRITER_HEAD, writer_rows(record)),
        "<h2>Files</h2>",
        _table(FILE_HEAD, file_rows(record)),
        "<h2>Gaps</h2>",
        _gaps(record),
        "<h2>What happened</h2>",
        _notes(record),
        "<h2>Configuration</h2>",
        f"<pre>{escape(_configuration(record))}</pre>",
    ]
    return "\n".join(
        [
            "<!doctype html>",
            f'<html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
            f"<style>{_STYLE}</style></head><body>",
            *body,
            "</body></html>",
            "",
        ]
    )


def _missing(record: RunRecord) -> list[str]:
    if record.run.verdict is not Verdict.FLAGGED:
        return []
    items = "".join(f"<li>{escape(each)}</li>" for each in record.run.missing)
    return [f'<div class="missing"><b>What is missing</b><ul>{items}</ul></div>']


def _drawings(record: RunRecord, samples: Sequence[Sample]) -> list[str]:
    if not samples:
        return ["<p>It was too short to be drawn.</p>"]
    note = "<p>Time since the begin of the run; where it is yellow the run was paused.</p>"
    loggers = [each.name for each in record.run.writers if each.kind is WriterKind.LOGGER]
    return [note, *map(draw, charts_of(record.run.started, samples, loggers))]


def _gaps(record: RunRecord) -> str:
    rows = [
        (moment(each.time), each.sender, f"{each.count}" if each.count else "?", each.reason)
        for each in record.run.gaps
    ]
    return _table(("noticed", "sender", "messages", "why"), rows)


def _notes(record: RunRecord) -> str:
    rows = [(moment(each.time), each.text, each.by or "-") for each in record.run.notes]
    return _table(("time", "what", "by"), rows)


def _facts(rows: Iterable[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><td>{escape(n)}</td><td>{escape(v)}</td></tr>" for n, v in rows)
    return f'<table class="facts">{cells}</table>'


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return "<p>None.</p>"
    top = "".join(f"<th>{escape(each)}</th>" for each in head)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<table><tr>{top}</tr>{body}</table>"


def _configuration(record: RunRecord) -> str:
    return msgspec.json.format(msgspec.json.encode(record.configuration), indent=2).decode()
