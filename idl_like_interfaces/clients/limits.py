"""How long the calls of a client may take, whatever the deadline of its stub is."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager


def within(limit_s: float) -> AbstractContextManager[None]:
    """Let no call that this thread makes in the block take longer than the limit, seconds."""
    # Only who calls needs the mapping, and Pyro5 with it; many import this and never call.
    from idl_like_interfaces.mapping.context import current_caller, remaining_s, serving

    return serving(time.monotonic() + remaining_s(limit_s), current_caller())
