"""What is attacked: an object whose operations have all the traits that an attack may use."""

from __future__ import annotations

import threading
from typing import Any, Protocol

from typing_extensions import override

from idl_like_interfaces.declare import Seconds, interface, operation
from idl_like_interfaces.waiting import News, wait_for_news

OBJECT_ID = "target"

LARGEST_REPLY = 8 * 1024 * 1024


@interface("IDL:test/Target:1.0")
class Target(Protocol):
    """Counts effects, waits, answers at length."""

    @operation(idempotent=True)
    def look(self) -> int:
        """Return how many effects there were."""

    @operation()
    def effect(self) -> int:
        """Have an effect that can be counted, and return the count."""

    @operation(oneway=True)
    def tell(self, number: int) -> None:
        """Take a number, without a reply."""

    @operation(idempotent=True)
    def told(self) -> int:
        """Return how many numbers were taken."""

    @operation(long_poll=True, idempotent=True)
    def wait(self, timeout_s: Seconds) -> bool:
        """Wait for news that never come; tell that none came."""

    @operation(idempotent=True)
    def fill(self, size: int) -> str:
        """Return a text of so many letters, at most ``LARGEST_REPLY``."""

    @operation(idempotent=True)
    def anything(self, value: Any) -> Any:
        """Return the value."""


class TargetServant(Target):
    """Implements Target."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._effects = 0
        self._told = 0
        self._never = News()

    @override
    def look(self) -> int:
        return self._effects

    @override
    def effect(self) -> int:
        with self._lock:
            self._effects += 1
            return self._effects

    @override
    def tell(self, number: int) -> None:
        with self._lock:
            self._told += 1

    @override
    def told(self) -> int:
        return self._told

    @override
    def wait(self, timeout_s: float) -> bool:
        return wait_for_news(self._never, lambda: None, lambda: False, timeout_s)

    @override
    def fill(self, size: int) -> str:
        return "x" * min(size, LARGEST_REPLY)

    @override
    def anything(self, value: Any) -> Any:
        return value
