"""One request to several sources side by side: it takes as long as the slowest, not as all."""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass

from idl_like_interfaces.errors import RemoteError
from objects.acquisition.product import SourceResult
from objects.acquisition.sources import SourceFailure, SourceLink

log = logging.getLogger("daq.ocm.controller")

MOST_AT_ONCE = 256
"""So many sources are asked at the same time; the others when one of them has answered."""

Ask = Callable[[SourceLink], SourceResult]


@dataclass(frozen=True, slots=True)
class _Answer:
    link: SourceLink
    outcome: SourceResult | SourceFailure | BaseException


class Round:
    """Asks each source in a thread of its own, and waits until all have answered or it is given up.

    A thread whose source hangs outlives a round that is given up, until the deadline of its
    call. What it is told so late goes to ``late``.

    Args:
        links: The sources.
        ask: What is asked of each.
        late: Gets the answer of a source that came when nobody waited for it any more.
    """

    def __init__(
        self,
        links: Sequence[SourceLink],
        ask: Ask,
        late: Callable[[SourceLink, SourceResult], None],
    ) -> None:
        self._links = links
        self._ask = ask
        self._late = late
        self._waiting = deque(links)
        self._answers: queue.SimpleQueue[_Answer | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._is_given_up = False

    @property
    def is_given_up(self) -> bool:
        """Tell whether somebody did not want to wait for it."""
        return self._is_given_up

    def give_up(self) -> None:
        """Let ``run`` return with what has been answered; harmless when repeated or too late."""
        with self._lock:
            self._is_given_up = True
            self._waiting.clear()
        self._answers.put(None)

    def run(self) -> tuple[list[SourceResult], dict[str, SourceFailure]]:
        """Ask them, and wait.

        Returns:
            The results, and by source name the failures, both in the order of the links; a
            source that has not answered when the round is given up is in neither.
        """
        for _ in range(min(len(self._links), MOST_AT_ONCE)):
            # In a copy of the context: their log records belong to the acquisition, too.
            run = copy_context().run
            threading.Thread(target=run, args=(self._work,), name="source", daemon=True).start()
        found = self._collect()
        in_order = [found[link.name] for link in self._links if link.name in found]
        results = [each for each in in_order if isinstance(each, SourceResult)]
        failures = {
            link.name: failure
            for link in self._links
            if isinstance(failure := found.get(link.name), SourceFailure)
        }
        return results, failures

    def _collect(self) -> dict[str, SourceResult | SourceFailure]:
        found: dict[str, SourceResult | SourceFailure] = {}
        while len(found) < len(self._links):
            answer = self._answers.get()
            if answer is None:
                break
            if not isinstance(answer.outcome, SourceResult | SourceFailure):
                raise answer.outcome
            found[answer.link.name] = answer.outcome
        return found

    def _work(self) -> None:
        while (link := self._next()) is not None:
            answer = _Answer(link, self._outcome(link))
            with self._lock:
                is_late = self._is_given_up
                if not is_late:
                    self._answers.put(answer)
            if is_late and isinstance(answer.outcome, SourceResult):
                self._tell_late(link, answer.outcome)

    def _next(self) -> SourceLink | None:
        with self._lock:
            return self._waiting.popleft() if self._waiting else None

    def _outcome(self, link: SourceLink) -> SourceResult | SourceFailure | BaseException:
        try:
            return self._ask(link)
        except BaseException as error:  # noqa: BLE001 (raised again by who waits)
            return error

    def _tell_late(self, link: SourceLink, result: SourceResult) -> None:
        try:
            self._late(link, result)
        except (SourceFailure, RemoteError) as error:
            log.warning("source %s has answered late, and then: %s", link.name, error)
        except Exception:
            log.exception("the late answer of source %s is lost", link.name)
