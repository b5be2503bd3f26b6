"""Many calls of one program: one by one, in a batch, awaited together."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

from benchmarks.calls_count import seconds
from benchmarks.calls_obsorb import Target
from idl_like_interfaces.mapping import aio, aio_release, batch, narrow, release


class Client(ExitStack):
    """Calls through one typed stub; each order returns seconds."""

    hello = ""

    def __init__(self, uri: str) -> None:
        super().__init__()
        self._target = narrow(uri, Target)
        self.callback(release, self._target)
        self._loop = self.enter_context(asyncio.Runner())
        self.callback(lambda: self._loop.run(aio_release(self._target)))

    def single(self, count: int, together: int) -> float:
        """Call one by one."""
        add = self._target.add
        return seconds(lambda: add(1, 2), count * together)

    def batch(self, count: int, together: int) -> float:
        """Call in batches of so many."""
        return seconds(lambda: self._batch(together), count)

    def _batch(self, together: int) -> int:
        with batch(self._target) as calls:
            outcomes = [calls.add(1, 2) for _ in range(together)]
        return sum(each.get() for each in outcomes)

    def gather(self, count: int, together: int) -> float:
        """Await so many at the same time."""
        return seconds(lambda: self._loop.run(self._gather(together)), count)

    async def _gather(self, together: int) -> int:
        add = aio(self._target).add
        return sum(await asyncio.gather(*(add(1, 2) for _ in range(together))))
