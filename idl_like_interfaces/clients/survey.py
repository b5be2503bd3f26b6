"""The same question to many objects at once; who does not answer holds up nobody."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

from typing_extensions import override

from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import CommFailure, RemoteError

T = TypeVar("T")

WORKERS = 16
"""So many questions are asked at the same time."""


class Survey(Closing, Generic[T]):
    """Asks, again and again, objects that are told apart by name; a context manager.

    Who did not answer last time is asked last, and who has not answered yet is not asked a
    second time. Call it from one thread at a time.

    Args:
        ask: Asks one of them; must end by itself, and raise ``RemoteError`` without an answer.
        workers: So many at the same time.
    """

    def __init__(self, ask: Callable[[str], T], workers: int = WORKERS) -> None:
        self._ask = ask
        self._turn = threading.Lock()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="survey")
        self._asked: dict[str, Future[T]] = {}
        self._silent: set[str] = set()

    def run(self, names: Iterable[str], within_s: float) -> dict[str, T | RemoteError]:
        """Ask all of them; return the answers, or why there is none.

        Args:
            names: Of the objects.
            within_s: Takes no longer than this; who has not answered then is silent.
        """
        with self._turn:
            until = time.monotonic() + within_s
            self._asked = {name: each for name, each in self._asked.items() if not each.done()}
            ordered = sorted(set(names), key=lambda name: (name in self._silent, name))
            asked = {name: self._submit(name) for name in ordered}
            wait(asked.values(), max(0.0, until - time.monotonic()))
            found = {name: self._answer(name, each, within_s) for name, each in asked.items()}
            self._silent = {name for name, each in found.items() if isinstance(each, CommFailure)}
            return dict(sorted(found.items()))

    def _submit(self, name: str) -> Future[T]:
        if name not in self._asked:
            self._asked[name] = self._pool.submit(self._ask, name)
        return self._asked[name]

    def _answer(self, name: str, asked: Future[T], within_s: float) -> T | RemoteError:
        if not asked.done():
            # One that waits for a worker still is asked anew next time.
            if asked.cancel():
                del self._asked[name]
            return CommFailure(
                f"{name} has not answered within {within_s:g} s",
                remedy="see with `obsorb log query` what its component said last",
            )
        try:
            return asked.result()
        except RemoteError as error:
            return error

    @override
    def close(self) -> None:
        """Wait for the questions that are under way; ask no more."""
        self._pool.shutdown(wait=True, cancel_futures=True)
