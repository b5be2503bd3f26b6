"""Deadlines of stubs in tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from idl_like_interfaces.mapping.calling.stub import caller_of


@contextmanager
def deadline_of(stub: object, deadline_s: float) -> Iterator[None]:
    """Give the calls of a stub so much time; what is before and behind has as much as ever."""
    target = caller_of(stub).target
    before, target.deadline_s = target.deadline_s, deadline_s
    try:
        yield
    finally:
        target.deadline_s = before
