"""Does several things at the same time, all of which end when they are asked to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from objects.products.cancel import Cancel

AT_ONCE = 8
"""More files of one acquisition than that are not moved at a time, whatever the limits."""

T = TypeVar("T")


def together(actions: Sequence[Callable[[Cancel], T]], cancel: Cancel) -> list[T]:
    """Return what the actions return, in their order, when all have ended.

    Raises:
        Cancelled: Asked to end; all have ended.
        Exception: What the first of them that failed has raised.
    """
    if len(actions) <= 1:
        return [action(cancel) for action in actions]
    cancels = [Cancel() for _ in actions]

    def end_all() -> None:
        for each in cancels:
            each.request()

    with (
        cancel.waking(end_all),
        ThreadPoolExecutor(min(len(actions), AT_ONCE), thread_name_prefix="transfer") as pool,
    ):
        # Each with a copy of what belongs to this thread: the owner of its log records.
        futures = [
            pool.submit(copy_context().run, action, own)
            for action, own in zip(actions, cancels, strict=True)
        ]
    return [future.result() for future in futures]
