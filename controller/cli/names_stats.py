"""``obsorb names stats``: what became of the calls of objects."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from itertools import repeat
from typing import TYPE_CHECKING, Annotated

import typer

from controller.cli.output import print_json, print_line
from controller.cli.session import Session, addressed
from controller.dashboard.text import latency
from controller.failure import CommandFailed
from controller.measures import Measure
from controller.statistics import Told, ask_all, survey_of, told
from idl_like_interfaces.clients.directory import list_all, objects_of
from idl_like_interfaces.naming import OBJECT_ID, BindingType
from idl_like_interfaces.object import Statistics

if TYPE_CHECKING:
    from idl_like_interfaces.clients import Survey
    from nameserver.client import Names

PERIOD_S = 2.0

_COLUMNS = " refused failed dropped denied now   mean    p50    p99"


@addressed
def stats(
    session: Session,
    name: Annotated[
        str,
        typer.Argument(
            metavar="[NAME]",
            help="An object or a context; NameService: the name server; without: all.",
        ),
    ] = "",
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Every two seconds what came since; to Ctrl-C.")
    ] = False,
    count: Annotated[
        int, typer.Option("--count", "-n", min=0, help="With --watch: end after so many times.")
    ] = 0,
) -> None:
    """Show what became of the calls of objects, by operation: how many, how long.

    The times of long-polls (fetch, pull, follow, changes, ...) say how long there was no news.
    """
    with session.connect() as client, survey_of(client) as survey:
        if watch:
            _watch(session, client, survey, name, count)
            return
        found = ask_all(survey, _objects(client, name))
        tellings = [told(*each) for each in found.items()]
    _show(session, tellings, is_stream=False)
    silent = [each.name for each in tellings if each.error]
    if silent:
        raise CommandFailed(
            f"{len(silent)} of {len(tellings)} did not answer: {', '.join(silent)}",
            remedy="see with `obsorb log query` what their components said last",
        )


def _watch(
    session: Session, client: Names, survey: Survey[Statistics], name: str, count: int
) -> None:
    with suppress(KeyboardInterrupt):  # the way to end it, no failure
        before, asked_at = ask_all(survey, _objects(client, name)), time.monotonic()
        for _ in repeat(None, count) if count else repeat(None):
            threading.Event().wait(PERIOD_S)
            found, now = ask_all(survey, _objects(client, name)), time.monotonic()
            tellings = [
                told(key, each, before.get(key), now - asked_at) for key, each in found.items()
            ]
            _show(session, tellings, is_stream=True)
            before, asked_at = found, now


def _objects(client: Names, name: str) -> list[str]:
    if name == OBJECT_ID or client.context.resolve(name).type is BindingType.OBJECT:
        return [name]
    own = [] if name else [OBJECT_ID]
    return own + [each.name for each in objects_of(list_all(client.context, name))]


def _show(session: Session, tellings: list[Told], *, is_stream: bool) -> None:
    if session.as_json:
        print_json(tellings, lines=is_stream)
    else:
        head = f"{time.strftime('%H:%M:%S', time.gmtime())} UTC\n" if is_stream else ""
        print_line(head + table(tellings) or "no object is bound there")


def table(tellings: list[Told]) -> str:
    """Draw the measures of all objects, one object below the other."""
    width = max([len(m.operation) for each in tellings for m in each.operations], default=0)
    return "\n".join(line for each in tellings for line in _lines(each, max(width, 9)))


def _lines(each: Told, width: int) -> list[str]:
    if each.since is None:
        return [f"{each.name}: no answer: {each.error}"]
    lines = [f"{each.name}, active since {each.since:%Y-%m-%d %H:%M:%S} UTC"]
    if each.operations:
        is_rate = each.operations[0].per_s is not None
        lines.append(f" {'operation':<{width}}{'calls/s' if is_rate else 'calls':>8}{_COLUMNS}")
    return lines + [_line(one, width, each.highest_bound_s) for one in each.operations]


def _line(one: Measure, width: int, highest_s: float) -> str:
    """Draw one operation so that most tables fit into 80 columns."""
    calls = str(one.calls) if one.per_s is None else f"{one.per_s:.1f}"
    times = (latency(one.mean_s), latency(one.p50_s, highest_s), latency(one.p99_s, highest_s))
    return (
        f" {one.operation:<{width}}{calls:>8}{one.refused:>8}{one.failed:>7}{one.dropped:>8}"
        f"{one.denied:>7}{one.in_progress:>4}" + "".join(f"{each:>7}" for each in times)
    )
