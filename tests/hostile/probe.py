"""The ordinary client: calls all the time, and says how long its calls took."""

from __future__ import annotations

import sys
import time
from typing import Any

from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.mapping import narrow, release
from tests.hostile.child import requests, say, settle
from tests.hostile.target import Target

LEAST_CALLS = 1000
"""Else a single hold-up would decide on the 99th percentile."""

_LONGEST = 8.0


def measure(stub: Target, seconds: float, least: int) -> dict[str, Any]:
    """Call one after the other for so long, and until there are enough calls."""
    took: list[float] = []
    errors: list[str] = []
    begin = now = time.perf_counter()
    while (now - begin < seconds or len(took) < least) and now - begin < _LONGEST + seconds:
        before = now
        try:
            stub.look()
        except RemoteError as error:
            errors.append(f"{type(error).__name__}: {error}")
        now = time.perf_counter()
        took.append(now - before)
    took.sort()
    return {
        "calls": len(took),
        "p50_ms": took[len(took) // 2] * 1e3,
        "p99_ms": took[int(len(took) * 0.99)] * 1e3,
        "errors": errors[:3],
    }


def connect(uri: str, count: int) -> dict[str, Any]:
    """Connect anew and call, so many times; return the longest time."""
    longest = 0.0
    errors: list[str] = []
    for _ in range(count):
        before = time.perf_counter()
        stub = narrow(uri, Target, deadline_s=5.0)
        try:
            stub.look()
        except RemoteError as error:
            errors.append(f"{type(error).__name__}: {error}")
        finally:
            release(stub)
        longest = max(longest, time.perf_counter() - before)
    return {"longest_s": longest, "errors": errors}


def main() -> None:
    """Answer requests until standard input is closed."""
    settle(0)
    uri = sys.argv[1]
    stub = narrow(uri, Target, deadline_s=5.0)
    stub.look()
    say(ready=True)
    for request in requests():
        match request:
            case {"warm": float(seconds)}:
                say(**measure(stub, seconds, 1))
            case {"measure": float(seconds)}:
                say(**measure(stub, seconds, LEAST_CALLS))
            case {"connect": int(count)}:
                say(**connect(uri, count))
            case _:
                say(effects=stub.look())
    release(stub)


if __name__ == "__main__":
    main()
