#!/usr/bin/env python3
"""Follow acquisitions and the pulse of all components, until an acquisition has ended.

    python examples/listen.py

The name server is found at $OBSORB_NAMES, else at localhost:9090. An absent event channel
is waited for, and said within three seconds; what is lost shows as a gap, never as silence.
"""

from __future__ import annotations

import sys

from idl_like_interfaces.announcements import HEARTBEAT_TOPIC, Heartbeat
from idl_like_interfaces.clients import Blindness, Event, EventConsumer, Item
from idl_like_interfaces.daqif import STATUS_TOPIC, DaqState, DaqStatus
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.events import EventChannel, Gap
from nameserver.client import Names, name_server_address


def tell(item: Item) -> bool:
    """Print what came; return whether an acquisition has ended."""
    match item:
        case Gap():
            print(f"{item.count} events are missing: {item.reason}")
        case Blindness():
            print("sees again" if item.is_over else f"blind: {item.cause}")
        case Event(topic=topic) if topic == HEARTBEAT_TOPIC:
            beat = item.as_(Heartbeat)
            print(f"{item.time:%H:%M:%S} {beat.component} is {beat.state}: {beat.detail}")
        case Event(topic=topic) if topic == STATUS_TOPIC:
            status = item.as_(DaqStatus)
            print(f"{item.time:%H:%M:%S} {status.id}: {status.state}/{status.substate}")
            return status.state is DaqState.COMPLETED
    return False


def main() -> None:
    """Listen from now on."""
    with Names(name_server_address()) as names:
        channel = names.narrow("obs/events", EventChannel)
        topics = [STATUS_TOPIC, HEARTBEAT_TOPIC]
        with EventConsumer(channel, topics, name="listen.py") as consumer:
            consumer.connect()
            print("listening", flush=True)
            for item in consumer:
                if tell(item):
                    break


if __name__ == "__main__":
    try:
        main()
    except RemoteError as refusal:
        sys.exit(refusal.explain())
    except KeyboardInterrupt:
        sys.exit(130)
