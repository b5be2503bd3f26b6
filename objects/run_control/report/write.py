"""Writing the report of a run: whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from idl_like_interfaces.run_control import LogbookEntry
from objects.component.atomic import write_text_atomic
from objects.run_control.records import RunRecord
from objects.run_control.report.page import page
from objects.run_control.report.text import text_report
from objects.run_control.samples import Sample


def write_report(
    folder: Path,
    record: RunRecord,
    entries: Sequence[LogbookEntry],
    samples: Sequence[Sample],
) -> Path:
    """Write ``run_<number>.html`` and ``.txt``; return the path of the page.

    Raises:
        OSError: They could not be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    base = folder / f"run_{record.number:09d}"
    write_text_atomic(base.with_suffix(".txt"), text_report(record, entries))
    write_text_atomic(base.with_suffix(".html"), page(record, entries, samples))
    return base.with_suffix(".html")
