"""Status samples on stderr, in the forms that scripts around acquisitions know."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from controller.cli.output import print_note
from controller.cli.session import Session
from idl_like_interfaces.clients import Blindness, Event, EventConsumer, Item
from idl_like_interfaces.daqif import STATUS_TOPIC, DaqStatus
from idl_like_interfaces.errors import BadParam, CommFailure, ObjectNotExist, RemoteError
from idl_like_interfaces.event_quality import QoS
from idl_like_interfaces.events import EventChannel, Gap
from idl_like_interfaces.naming import NotFound
from idl_like_interfaces.stdif import STATUS_TOPIC as STD_STATUS_TOPIC
from idl_like_interfaces.stdif import StdStatus

if TYPE_CHECKING:
    from nameserver.client import Names

_READ_S = 25.0


def std_line(status: StdStatus) -> str:
    """Say a sample of a server's state."""
    return f"status: {status.status}"


def daq_line(status: DaqStatus) -> str:
    """Say a sample of an acquisition's state."""
    return (
        f"daq: id={status.id}, file_id={status.file_id}, state={status.state}, "
        f"substate={status.substate}, error={str(status.error).lower()}, message={status.message}"
    )


def sample_line(item: Item) -> str:
    """Say what a consumer read; empty for what is no sample."""
    match item:
        case Gap():
            count = "some" if item.count < 0 else str(item.count)
            return f"gap: {count} samples are missing ({item.reason})"
        case Blindness():
            return f"the event channel {'answers again' if item.is_over else 'does not answer'}"
        case Event(topic=topic) if topic == STATUS_TOPIC:
            return daq_line(item.as_(DaqStatus))
        case Event(topic=topic) if topic == STD_STATUS_TOPIC:
            return std_line(item.as_(StdStatus))
        case _:
            return ""


@contextmanager
def listening(
    session: Session,
    client: Names,
    topics: list[str],
    cursor: str = "new",
    *,
    qos: QoS | None = None,
    durable: str = "",
) -> Iterator[EventConsumer]:
    """Read the event channel; when it is away, say so once and go on trying.

    Args:
        session: The installation.
        client: Its names.
        topics: Filters.
        cursor: From where.
        qos: What is asked for.
        durable: Name of a durable subscription; empty: it is none.
    """
    channel = client.narrow(session.events or session.path("events"), EventChannel)
    with EventConsumer(
        channel,
        topics,
        name=durable or "obsorb command",
        cursor=cursor,
        qos=qos,
        durable=bool(durable),
    ) as consumer:
        try:
            consumer.connect()
        except (CommFailure, NotFound, ObjectNotExist) as away:
            print_note(f"the event channel is away, trying again until Ctrl-C: {away}")
        yield consumer


def print_samples(session: Session, client: Names) -> None:
    """Print samples to stderr until Ctrl-C."""
    with listening(session, client, [STATUS_TOPIC, STD_STATUS_TOPIC]) as consumer:
        while True:
            _print_each(consumer.read(_READ_S))


@contextmanager
def watched(session: Session, client: Names) -> Iterator[None]:
    """Print samples to stderr while a command runs, when that was asked for."""
    if not session.with_status:
        yield
        return
    with listening(session, client, [STATUS_TOPIC, STD_STATUS_TOPIC]) as consumer:
        done = threading.Event()
        thread = threading.Thread(target=_print_until, args=(consumer, done.is_set))
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def _print_until(consumer: EventConsumer, is_done: Callable[[], bool]) -> None:
    """Print what comes, and at the end what has come by then."""
    last_round = False
    while not last_round:
        last_round = is_done()
        try:
            _print_each(consumer.read(0.0 if last_round else 0.25))
        except RemoteError as error:
            print_note(f"status samples end: {error}")
            return


def _print_each(items: Iterable[Item]) -> None:
    for item in items:
        try:
            line = sample_line(item)
        except BadParam as error:
            line = f"no sample: {error.message}"
        if line:
            print_note(line)
