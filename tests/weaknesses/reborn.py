"""A component that is killed and started again: ``HOST PORT`` of the name server are its arguments."""

from __future__ import annotations

import sys

from idl_like_interfaces.mapping import ObjectAdapter
from nameserver.client import Names, Offer, Registration
from tests.weaknesses.strong import Strong, StrongServant

NAME = "obs/strong"


def main() -> None:
    """Serve until standard input is closed; print a line when the name is bound."""
    address = sys.argv[1], int(sys.argv[2])
    with Names(address) as names, ObjectAdapter() as adapter:
        offer = Offer(
            name=NAME, uri=adapter.activate(StrongServant(), Strong, NAME), interface=Strong
        )
        registration = Registration(names, "reborn", [offer], {})
        registration.claim()
        sys.stdout.write("bound\n")
        sys.stdout.flush()
        sys.stdin.read()
        registration.release()


if __name__ == "__main__":
    main()
