"""``obsorb events``: what passes on the event channel."""

from __future__ import annotations

import json
from typing import Annotated, Any

import msgspec
import typer

from controller.cli.lazy import group
from controller.cli.output import print_json, print_line
from controller.cli.samples import listening
from controller.cli.session import Session, addressed
from controller.failure import CommandFailed
from idl_like_interfaces.clients import Event
from idl_like_interfaces.events import ChannelStats, EventChannel, Gap

app = group()

_READ_S = 25.0


@app.callback()
def events() -> None:
    """Look at the event channel."""


@app.command()
@addressed
def tail(
    session: Session,
    topics: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TOPIC]...", help="Filters such as daq/*; without: all topics."),
    ] = None,
    cursor: Annotated[
        str, typer.Option("--from", help="new, oldest, or a cursor EPOCH:SEQUENCE.")
    ] = "new",
    count: Annotated[
        int, typer.Option("--count", "-n", min=0, help="End after so many; 0: until Ctrl-C.")
    ] = 0,
) -> None:
    """Print events as they come; with --json one document a line."""
    printed = 0
    with (
        session.connect() as client,
        listening(session, client, topics or ["**"], cursor) as consumer,
    ):
        while True:
            for item in consumer.read(_READ_S):
                _print_item(item, as_json=session.as_json)
                printed += 1
                if printed == count:
                    return


@app.command()
@addressed
def stats(session: Session) -> None:
    """Say what passed the channel, who supplies and who reads."""
    with session.connect() as client:
        found = client.narrow(session.path("events"), EventChannel).get_stats()
    session.emit(found, stats_text(found))


@app.command()
@addressed
def publish(
    session: Session,
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="e.g. notes/operator.")],
    body: Annotated[str, typer.Argument(metavar="BODY", help="JSON value, or plain text.")],
) -> None:
    """Publish one event and print its sequence number."""
    with session.connect() as client:
        channel = client.narrow(session.path("events"), EventChannel)
        sequence = channel.push(topic, _body_of(body), "obsorb command")
    session.emit({"sequence": sequence}, str(sequence))


def item_text(item: Event | Gap) -> str:
    """Say an event or a gap on one line."""
    if isinstance(item, Gap):
        count = "an unknown number of" if item.count < 0 else str(item.count)
        return f"-- gap: {count} events are missing ({item.reason})"
    body = msgspec.json.encode(item.body).decode()
    return (
        f"{item.time:%H:%M:%S.%f}"[:-3]
        + f" {item.sequence:>7} {item.topic:<22} {item.source} {body}"
    )


def item_document(item: Event | Gap) -> dict[str, Any]:
    """Return an event or a gap as plain values, told apart by ``type``."""
    if isinstance(item, Gap):
        return {"type": "gap", **msgspec.to_builtins(item)}
    return {
        "type": "event",
        "cursor": f"{item.epoch}:{item.sequence}",
        "sequence": item.sequence,
        "topic": item.topic,
        "source": item.source,
        "time": item.time,
        "repository_id": item.repository_id,
        "body": item.body,
    }


def stats_text(stats: ChannelStats) -> str:
    """Say the statistics of the channel on a few lines."""
    held = stats.last - stats.first + 1 if stats.first else 0
    lines = [
        f"epoch {stats.epoch}: {stats.last} events, {stats.events_per_s:.1f}/s",
        f"holds {held} events in {stats.held_bytes} bytes",
        *(f"topic    {topic:<28} {count}" for topic, count in sorted(stats.topics.items())),
        *(
            f"supplier {each.source:<28} {each.accepted} accepted, {each.duplicates} duplicates, "
            f"{each.missing} missing"
            for each in stats.suppliers
        ),
        *(
            f"consumer {each.name:<28} {each.delivered} delivered, {each.dropped} dropped, "
            f"lag {each.lag}, {','.join(each.topics)}, {each.qos.overflow}"
            for each in stats.consumers
        ),
    ]
    return "\n".join(lines)


def _print_item(item: Event | Gap, *, as_json: bool) -> None:
    if as_json:
        print_json(item_document(item), lines=True)
    else:
        print_line(item_text(item))


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
