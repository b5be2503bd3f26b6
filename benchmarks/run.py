"""Measures speed and cost of obsorb, each figure beside a limit or a peer: ``make bench``."""

from __future__ import annotations

import argparse
import re
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import msgspec

from benchmarks.acquisitions import measure_acquisitions
from benchmarks.alarms import measure_alarms
from benchmarks.calls import measure_calls, measure_octets
from benchmarks.channel import measure_channel
from benchmarks.clients import measure_clients
from benchmarks.counts import FULL, QUICK, Counts
from benchmarks.crowd import measure_crowd
from benchmarks.event_files import measure_event_files
from benchmarks.event_logger import measure_event_logger
from benchmarks.failover_rows import measure_failover
from benchmarks.figures import Figure, Report, now
from benchmarks.held import measure_held
from benchmarks.host import describe_host
from benchmarks.installation import measure_rest, measure_start
from benchmarks.journal import measure_journal
from benchmarks.logs import measure_logs
from benchmarks.many import measure_many
from benchmarks.merge import measure_merge
from benchmarks.naming import measure_naming
from benchmarks.steady import measure_steady
from benchmarks.streams import measure_streams
from benchmarks.subscribers import measure_subscribers
from benchmarks.table import plain, show_rich
from benchmarks.tls import measure_tls

GROUPS: dict[str, Callable[[Counts], list[Figure]]] = {
    "calls": measure_calls,
    "octets": measure_octets,
    "clients": measure_clients,
    "crowd": measure_crowd,
    "many": measure_many,
    "tls": measure_tls,
    "names": measure_naming,
    "failover": measure_failover,
    "channel": measure_channel,
    "journal": measure_journal,
    "held": measure_held,
    "steady": measure_steady,
    "subscribers": measure_subscribers,
    "logs": measure_logs,
    "alarms": measure_alarms,
    "streams": measure_streams,
    "event_logger": measure_event_logger,
    "merge": measure_merge,
    "acquisitions": measure_acquisitions,
    "event_files": measure_event_files,
    "start": measure_start,
    "rest": measure_rest,
}

RESULTS = Path(__file__).with_name("results")

_KIND = re.compile(r"[a-z0-9][a-z0-9-]*")


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks/run.py", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=list(GROUPS), help="this group; may be given again"
    )
    parser.add_argument(
        "--quick", action="store_true", help="tiny counts: shows that it runs, measures nothing"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument(
        "--save",
        metavar="KIND",
        help="also write results/DATE-KIND.json and .txt; KIND says on what host",
    )
    options = parser.parse_args(arguments)
    if options.save is not None and not _KIND.fullmatch(options.save):
        parser.error(f"--save: {options.save!r} must be small letters, digits and dashes")
    return options


def measure(groups: list[str], counts: Counts, command: str) -> Report:
    """Run the groups one after the other; when one fails, the others are measured all the same."""
    host = describe_host()
    figures: list[Figure] = []
    failed: list[str] = []
    for group in groups:
        _tell(f"measuring {group} ...")
        began = time.monotonic()
        try:
            figures += GROUPS[group](counts)
        except Exception:  # noqa: BLE001 (the run goes on unattended; the traceback is shown)
            traceback.print_exc()
            failed.append(group)
        _tell(f"{group} took {time.monotonic() - began:.0f} s")
    return Report(command=command, date=now(), host=host, figures=figures, failed=failed)


def _tell(progress: str) -> None:
    print(progress, file=sys.stderr, flush=True)


def to_json(report: Report) -> str:
    """Return the report as a JSON document for people and programs."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


def save(report: Report, kind: str, folder: Path = RESULTS) -> list[Path]:
    """Write the report as JSON and text; return where."""
    stem = folder / f"{report.date:%Y-%m-%d}-{kind}"
    written = []
    for suffix, text in ((".json", to_json(report)), (".txt", plain(report))):
        path = stem.with_suffix(suffix)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def show(report: Report, *, as_json: bool) -> None:
    """Print the report: JSON, a table on a terminal, or plain text."""
    if as_json:
        print(to_json(report), end="")
    elif sys.stdout.isatty():
        show_rich(report)
    else:
        print(plain(report), end="")


def main(arguments: list[str]) -> int:
    """Measure and report; the exit code is 0 also when a goal is missed, 1 when a group failed."""
    options = parse(arguments)
    command = " ".join(["benchmarks/run.py", *arguments])
    counts = QUICK if options.quick else FULL
    report = measure(options.only or list(GROUPS), counts, command)
    show(report, as_json=options.json)
    if options.save is not None:
        for path in save(report, options.save):
            _tell(f"written: {path}")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
