#!/usr/bin/env python3
"""Ask all components at the same time how they are: a script that awaits.

    python examples/overview.py

Each gets one message with three questions and two seconds for all of it; one that is away or
busy is told as such and holds up nobody. The name server is found at $OBSORB_NAMES, else at
localhost:9090.
"""

from __future__ import annotations

import asyncio
import sys

from idl_like_interfaces.declare import interface_of
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.mapping import aio_release, batch
from idl_like_interfaces.stdif import StdCmds
from nameserver.client import Names, name_server_address

DEADLINE_S = 2.0


async def ask(component: StdCmds) -> str:
    """Return state, version and number of calls of a component, or why there are none."""
    try:
        async with batch(component) as calls:
            state, version = calls.get_state(), calls.get_version()
            busy = calls.get_statistics()
        operations = busy.get().operations
        count = sum(each.calls for each in operations)
        return f"{state.get()}, version {version.get()}, {count} calls"
    except RemoteError as refusal:
        return refusal.message
    finally:
        await aio_release(component)


async def overview(names: Names) -> None:
    """Print a line for each component."""
    interface = interface_of(StdCmds).repository_id
    found = [each.name for each in names.context.find(interface)]
    stubs = [names.narrow(name, StdCmds, DEADLINE_S) for name in found]
    answers = await asyncio.gather(*map(ask, stubs))
    for name, answer in zip(found, answers, strict=True):
        print(f"{name}: {answer}")


def main() -> None:
    """Ask all components that the name server knows."""
    with Names(name_server_address()) as names:
        asyncio.run(overview(names))


if __name__ == "__main__":
    try:
        main()
    except RemoteError as refusal:
        sys.exit(refusal.explain())
