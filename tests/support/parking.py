"""A long-poll served as hosting serves it: parked, looked at again when there is news."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from idl_like_interfaces.waiting import Parked, allow_parking

T = TypeVar("T")

PATIENCE_S = 30.0


@contextmanager
def parking() -> Iterator[None]:
    """Within it ``wait_for_news`` of this thread throws ``Parked`` instead of blocking."""
    allow_parking(is_allowed=True)
    try:
        yield
    finally:
        allow_parking(is_allowed=False)


class Poll(Generic[T]):
    """One request; it is answered at once, or parked.

    Attributes:
        answers: What it was answered; at most one.
        wakes: How often there was news.
    """

    def __init__(self, call: Callable[[], T]) -> None:
        self.answers: list[T] = []
        self.wakes = 0
        self._told = threading.Event()
        self._cancel: Callable[[], None] = lambda: None
        self._parked: Parked[T] | None = None
        try:
            with parking():
                self.answers.append(call())
        except Parked as parked:
            self._parked = parked
            self.look()

    @property
    def was_told(self) -> bool:
        """Tell whether there was news since the last look."""
        return self._told.is_set()

    def look(self) -> bool:
        """Listen for the next news and look; tell whether there was an answer."""
        assert self._parked is not None
        self.forget()
        self._told.clear()
        self._cancel = self._parked.news.subscribe(self._wake)
        try:
            found = self._parked.look()
        except BaseException:
            self.forget()
            raise
        if found is not None:
            self.forget()
            self.answers.append(found)
        return found is not None

    def forget(self) -> None:
        """Do what is done when the client goes."""
        self._cancel()

    def end(self) -> T:
        """Do what is done when the time is over."""
        assert self._parked is not None
        self.forget()
        return self._parked.otherwise()

    def result(self) -> T:
        """Look after each news until there is an answer."""
        while not self.answers:
            assert self._told.wait(PATIENCE_S), "there was no news"
            self.look()
        return self.answers[0]

    def _wake(self) -> None:
        self.wakes += 1
        self._told.set()
