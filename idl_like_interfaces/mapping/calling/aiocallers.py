"""The callers of a stub in event loops; asyncio is imported with the first of them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from idl_like_interfaces.mapping.calling.target import Target

if TYPE_CHECKING:
    import asyncio

    from idl_like_interfaces.mapping.calling.aiocaller import AioCaller


class AioCallers:
    """The callers of one stub, one for each event loop that uses it."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._callers: dict[asyncio.AbstractEventLoop, AioCaller] = {}

    def here(self) -> AioCaller:
        """Return the one of the running loop.

        Raises:
            RuntimeError: No loop runs in this thread.
        """
        # Most programs await nothing, and asyncio is a tenth of what they would load.
        import asyncio

        loop = asyncio.get_running_loop()
        caller = self._callers.get(loop)
        if caller is None:
            from idl_like_interfaces.mapping.calling.aiocaller import AioCaller

            with self._lock:
                # A loop is kept by its caller's connections; nothing else would let it go.
                for each in [each for each in self._callers if each.is_closed()]:
                    del self._callers[each]
                caller = self._callers[loop] = AioCaller(self._target)
        return caller

    def close(self) -> None:
        """Have every loop close its idle connections; from any thread."""
        with self._lock:
            callers = dict(self._callers)
        for loop, caller in callers.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(caller.close)
