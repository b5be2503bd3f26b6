"""``obsorb events tail``: events as they come, and what is missing between them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from controller.cli.events_text import item_document, item_text
from controller.cli.output import print_json, print_line, print_note
from controller.cli.samples import listening
from controller.cli.session import Session, addressed
from idl_like_interfaces.clients import Blindness, EventConsumer, Item
from idl_like_interfaces.event_quality import Order, Overflow, QoS

_READ_S = 25.0
_MANY = 4096


class Choice(StrEnum):
    """What may be done for a slow command: it never holds up those who supply."""

    DROP_OLDEST = Overflow.DROP_OLDEST.value
    DROP_NEWEST = Overflow.DROP_NEWEST.value
    LATEST = Overflow.LATEST.value


@addressed
def tail(
    session: Session,
    topics: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TOPIC]...", help="Filters such as daq/*; without: all topics."),
    ] = None,
    cursor: Annotated[
        str,
        typer.Option(
            "--from", help="new, oldest, latest (the newest of each topic), or a cursor of before."
        ),
    ] = "new",
    count: Annotated[
        int, typer.Option("--count", "-n", min=0, help="End after so many; 0: until Ctrl-C.")
    ] = 0,
    durable: Annotated[
        str,
        typer.Option(
            "--durable", metavar="NAME", help="Go on where this subscription ended; it is kept."
        ),
    ] = "",
    overflow: Annotated[
        Choice, typer.Option("--overflow", help="What happens when too many wait.")
    ] = Choice.DROP_OLDEST,
    max_queue: Annotated[
        int, typer.Option("--max-queue", min=0, help="So many may wait; 0: all that are held.")
    ] = 0,
    order: Annotated[
        Order, typer.Option("--order", help="As they came, or the most urgent first.")
    ] = Order.FIFO,
) -> None:
    """Print events as they come; with --json one document a line. Ctrl-C ends it.

    What is missing stands in its place. When the channel does not answer, that is said within
    three seconds, and when it answers again.
    """
    qos = QoS(overflow=Overflow(overflow.value), max_queue=max_queue, order=order)
    try:
        with (
            session.connect() as client,
            listening(
                session, client, topics or ["**"], cursor, qos=qos, durable=durable
            ) as consumer,
        ):
            _follow(consumer, count, as_json=session.as_json)
    except KeyboardInterrupt:
        # Ctrl-C is the way to end it, no failure.
        return


def _follow(consumer: EventConsumer, count: int, *, as_json: bool) -> None:
    left = count
    while True:
        items = consumer.read(_READ_S, left or _MANY)
        for item in items[: left or None]:
            _print_item(item, as_json=as_json)
        if left and len(items) >= left:
            if consumer.durable and len(items) == left:
                consumer.acknowledge()
            return
        left -= len(items) if left else 0


def _print_item(item: Item, *, as_json: bool) -> None:
    if as_json:
        print_json(item_document(item), lines=True)
    elif isinstance(item, Blindness):
        print_note(item_text(item))
    else:
        print_line(item_text(item))
