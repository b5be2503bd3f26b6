"""To which run, acquisition or session the log records of a piece of work belong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_owner: ContextVar[str] = ContextVar("obsorb_log_owner", default="")


@contextmanager
def log_owner(owner: str) -> Iterator[None]:
    """Let the records that are logged within belong to a run, acquisition or session.

    The inner one of two counts. It holds for the thread or task that entered it; a thread that
    is started within begins without an owner.

    Args:
        owner: Its id; empty: none.
    """
    token = _owner.set(owner)
    try:
        yield
    finally:
        _owner.reset(token)


def current_owner() -> str:
    """Return whose records are logged here and now; empty: nobody's."""
    return _owner.get()
