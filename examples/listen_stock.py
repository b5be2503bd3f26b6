#!/usr/bin/env python3
"""Follow acquisitions with plain Pyro5 until one has ended: ``pull`` with a cursor.

    python examples/listen_stock.py localhost:9090

Nothing of obsorb needs to be installed. Each reply has a cursor for the next call: kept in
a file, it lets a program go on where it was, through its own restarts too.
"""

from __future__ import annotations

import sys
from typing import Any

import Pyro5.api
import Pyro5.errors

TOPICS = ["daq/status", "files/*"]
MOST_EVENTS = 100
PATIENCE_S = 10.0


def tell(event: dict[str, Any]) -> bool:
    """Print an event; return whether an acquisition has ended."""
    body = event["body"]
    if event["topic"] == "files/finished":
        print(f"{event['source']} has finished {body['path']} ({body['size_bytes']} bytes)")
        return False
    print(f"{body['id']}: {body['state']}/{body['substate']}")
    return bool(body["state"] == "StateCompleted")


def main(name_server: str = "localhost:9090") -> None:
    """Listen from now on."""
    host, _, port = name_server.rpartition(":")
    with Pyro5.api.locate_ns(host, int(port)) as names:
        uri = names.lookup("obs/events")
    with Pyro5.api.Proxy(uri) as channel:
        # Without waiting, for the cursor: from here on nothing is missed.
        cursor = channel.pull("new", MOST_EVENTS, 0.0, TOPICS)["cursor"]
        print("listening", flush=True)
        while True:
            reply = channel.pull(cursor, MOST_EVENTS, PATIENCE_S, TOPICS)
            cursor = reply["cursor"]
            for gap in reply["gaps"]:
                print(f"{gap['count']} events are missing: {gap['reason']}")
            for event in reply["events"]:
                if tell(event):
                    return


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Pyro5.errors.PyroError as refusal:
        sys.exit(str(refusal))
    except KeyboardInterrupt:
        sys.exit(130)
