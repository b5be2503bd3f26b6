"""Doing the same with several writers at once, each within the same deadline."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from idl_like_interfaces.errors import CommFailure, RemoteError
from idl_like_interfaces.mapping.context import Caller, serving

log = logging.getLogger(__name__)

AGAIN_S = 0.2

T = TypeVar("T")


class Outcome(Generic[T]):
    """What became of one action: its value, or why it has none."""

    def __init__(self, value: T | None = None, error: str = "") -> None:
        self.value = value
        self.error = error


def together(actions: Mapping[str, Callable[[], T]], until: float) -> dict[str, Outcome[T]]:
    """Do all actions at once, each in a thread; return when all have ended.

    Args:
        actions: By name; their calls end at the deadline.
        until: The deadline, of the monotonic clock of this host.
    """
    outcomes: dict[str, Outcome[T]] = {}

    def act(name: str, action: Callable[[], T]) -> None:
        with serving(until, Caller()):
            outcomes[name] = _outcome(name, action)

    threads = [
        threading.Thread(target=act, args=item, name=f"run writer {item[0]}")
        for item in list(actions.items())
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return outcomes


def _outcome(name: str, action: Callable[[], T]) -> Outcome[T]:
    try:
        return Outcome(action())
    except RemoteError as error:
        return Outcome(error=error.message)
    except Exception as error:
        log.exception("%s could not be commanded", name)
        return Outcome(error=f"a failure of run control: {error!r}")


def patiently(
    action: Callable[[], T | None],
    until: float,
    stop: threading.Event,
    tell: Callable[[str], None],
    patient: tuple[type[RemoteError], ...] = (CommFailure,),
) -> T | None:
    """Repeat an action until it returns something, the time is over, or it is told to stop.

    Args:
        action: Returns None when it is not done yet.
        until: The deadline, of the monotonic clock.
        stop: Ends it at once.
        tell: Called with what went wrong last.
        patient: Errors after which it is tried again.

    Raises:
        RemoteError: Of another kind than those.
    """
    while not stop.is_set() and time.monotonic() < until:
        try:
            found = action()
        except patient as error:
            tell(error.message)
        else:
            if found is not None:
                return found
        stop.wait(max(0.0, min(AGAIN_S, until - time.monotonic())))
    return None
