#!/usr/bin/env python3
"""Send events to an event logger, each of them exactly once, until it is on the disk.

    python examples/send_events.py RUN [COUNT [LOGGER]]

A run of that number must be active. The name server is found at $OBSORB_NAMES, else at
localhost:9090. Kill it, start it anew with the same arguments: what it had taken and the
logger had not is sent first, from the folder ``spool``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from idl_like_interfaces.clients import EventSender
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.event_server import EventServer
from nameserver.client import Names, name_server_address

EVENTS_OF_A_BLOCK = 100
MUON, CALORIMETER = 2, 1
PATIENCE_S = 60.0


def streams_of(event: int) -> tuple[int, ...]:
    """Decide which streams get an event: here every tenth one is a muon, too."""
    return (CALORIMETER, MUON) if event % 10 == 0 else (CALORIMETER,)


def main(run: int, count: int, logger: str) -> int:
    """Send events; return 0 when all are on the disk."""
    with Names(name_server_address()) as names:
        server = names.narrow(f"{logger}/events", EventServer)
        sender = EventSender(server, "send_events.py", spool=Path("spool"))
        for event in range(1, count + 1):
            block = 1 + (event - 1) // EVENTS_OF_A_BLOCK
            sender.send(run, event, block, streams_of(event), os.urandom(1024))
        is_done = sender.finish(PATIENCE_S)
    counters = sender.counters
    print(f"{counters.durable} of {counters.produced} messages are on the disk")
    if counters.refused:
        print(f"{counters.refused} were refused: is run {run} active?")
    return 0 if is_done and not counters.refused else 1


if __name__ == "__main__":
    given = sys.argv[1:]
    if not given or not all(each.isdigit() for each in given[:2]):
        sys.exit(__doc__)
    run, count, logger = [*given, *("0", "1000", "obs/logger/1")[len(given) :]]
    try:
        sys.exit(main(int(run), int(count), logger))
    except RemoteError as refusal:
        sys.exit(refusal.explain())
    except KeyboardInterrupt:
        sys.exit(130)
