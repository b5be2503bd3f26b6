"""A sender of events that may be killed: it writes down what it does before and after.

Said to it on its command line: port of the name server, its name, its tap, the run, its seed,
and a folder for its spool, or ``-``.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

from idl_like_interfaces.clients.event_sender import EventSender
from idl_like_interfaces.event_server import EventServer
from nameserver.client import Names
from tests.system.event_kill_taps import LBN_S, TapWriter, made, read_tap

AT_ONCE = 50
PAUSE_S = 0.03
FAREWELL_S = 120.0


def main() -> None:
    """Send until standard input is closed; then until all is durable."""
    port, name, tap_file, run, seed, spool = sys.argv[1:]
    path = Path(tap_file)
    known = read_tap(path).sent() if path.exists() else set()
    first = max(known, default=int(seed) * 1_000_000) + 1
    is_over = threading.Event()

    def listen() -> None:
        sys.stdin.read()
        is_over.set()

    threading.Thread(target=listen, daemon=True).start()
    tap = TapWriter(path, int(seed))
    with Names(("localhost", int(port))) as names:
        server = names.narrow("obs/logger/0/events", EventServer)
        folder = None if spool == "-" else Path(spool)
        with EventSender(server, name, spool=folder) as sender:
            print("up", flush=True)  # noqa: T201 (the harness waits for it)
            count = 0
            while not is_over.wait(PAUSE_S):
                lbn = 1 + int(time.time() // LBN_S) % 1_000_000_000
                tap.write(f"sent {first} {first + AT_ONCE - 1} {lbn}")
                for number in range(first, first + AT_ONCE):
                    event = made(int(seed), int(run), number, lbn)
                    sender.send(event.run, event.event, event.lbn, event.streams, event.payload)
                first, count = first + AT_ONCE, count + AT_ONCE
                tap.write(f"durable {sender.durable}")
                if folder is not None:
                    tap.write(f"kept {count}")
            if sender.wait_durable(FAREWELL_S):
                tap.close()


if __name__ == "__main__":
    main()
