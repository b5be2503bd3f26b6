"""``obsorb events``: what passes on the event channel, and who reads it."""

from __future__ import annotations

import json
import time
from fnmatch import fnmatchcase
from typing import Annotated, Any

import typer

from controller.cli.events_tail import tail
from controller.cli.events_text import consumers_text, stats_text
from controller.cli.lazy import group
from controller.cli.session import Session, addressed
from controller.failure import CommandFailed
from idl_like_interfaces.clients.records import encode_record
from idl_like_interfaces.events import Batch, EventChannel, Priority
from idl_like_interfaces.octets import OctetBlocks

app = group()

_SOURCE = "obsorb command"


@app.callback()
def events() -> None:
    """Look at the event channel."""


app.command()(tail)


@app.command()
@addressed
def stats(
    session: Session,
    is_whole: Annotated[
        bool, typer.Option("--all", help="Each topic, and each start of a supplier.")
    ] = False,
) -> None:
    """Say what the channel holds and keeps, what passed it, who supplies and who reads."""
    with session.connect() as client:
        found = client.narrow(session.path("events"), EventChannel).get_stats()
    session.emit(found, stats_text(found, is_whole=is_whole))


@app.command()
@addressed
def consumers(
    session: Session,
    wanted: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Only these; * stands for any characters."),
    ] = None,
) -> None:
    """Say who reads, what each gets, what it lost and what it costs, the costliest first."""
    with session.connect() as client:
        found = client.narrow(session.path("events"), EventChannel).get_stats().consumers
    chosen = [
        each for each in found if any(fnmatchcase(each.name, name) for name in wanted or ["*"])
    ]
    chosen.sort(key=lambda each: (-each.waiting_bytes, -each.delivered_bytes, each.name))
    session.emit(chosen, consumers_text(chosen))


@app.command()
@addressed
def publish(
    session: Session,
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="e.g. notes/operator.")],
    body: Annotated[str, typer.Argument(metavar="BODY", help="JSON value, or plain text.")],
    priority: Annotated[
        Priority, typer.Option("--priority", help="How urgent it is.")
    ] = Priority.NORMAL,
) -> None:
    """Publish one event and print its sequence number."""
    content = _body_of(body)
    with session.connect() as client:
        channel = client.narrow(session.path("events"), EventChannel)
        if priority is Priority.NORMAL:
            sequence = channel.push(topic, content, _SOURCE)
        else:
            sequence = channel.publish(_batch(topic, content, priority)).last
    session.emit({"sequence": sequence}, str(sequence))


def _batch(topic: str, content: Any, priority: Priority) -> Batch:
    from idl_like_interfaces.mapping import make_incarnation

    return Batch(
        source=_SOURCE,
        incarnation=make_incarnation(),
        first=1,
        topics=[topic],
        records=OctetBlocks.of([encode_record(time.time_ns(), content)]),
        priorities=[priority],
    )


@app.command()
@addressed
def forget(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the durable subscription.")],
) -> None:
    """End a durable subscription: its cursor is kept no longer, who reads is disconnected."""
    with session.connect() as client:
        client.narrow(session.path("events"), EventChannel).forget_durable(name)
    session.emit({"forgotten": name}, f"{name} is forgotten")


def _body_of(text: str) -> Any:
    """Read JSON; a text that does not look like JSON is taken as it is."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        if text.lstrip()[:1] in ("{", "[", '"'):
            raise CommandFailed(
                f"the body is not JSON: {error}", remedy="correct it, or quote it for the shell"
            ) from error
        return text
