"""Whether a peer answers: who gets no answer does not know what happens, and has to say so."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec

from idl_like_interfaces.clients.backoff import Backoff

log = logging.getLogger(__name__)

BLIND_AFTER_S = 2.5
"""Who gets no answer for so long is blind: 3 s are promised, less what a busy machine adds."""

RETURN_S = 2.0
"""The longest pause between two attempts at a channel that is away."""

_LEAST_PATIENCE_S = 0.25
_LONGEST_PATIENCE_S = 5.0


class Blindness(msgspec.Struct, frozen=True, kw_only=True):
    """The channel does not answer, or does again.

    It stands in the stream of a consumer: what came before it is known. What happens while it
    lasts comes later, when the channel answers again; a gap says what never comes.

    Attributes:
        is_over: The channel answers again.
        since: From when on nothing is known, UTC.
        lasted_s: How long it lasted by now, seconds.
        cause: Why the channel did not answer, in words.
    """

    is_over: bool
    since: datetime
    lasted_s: float
    cause: str = ""


class Sight:
    """Keeps in mind since when a question is open, and how long to wait for its answer.

    One thread asks; any thread may look.

    Args:
        who: For messages.
        poll_s: An answer may well take so long.
        monotonic: The time.
    """

    def __init__(
        self, who: str, poll_s: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._who = who
        self._poll_s = poll_s
        self._monotonic = monotonic
        self._asking_since: float | None = None
        self._cause = "it does not answer"
        self._is_told = False
        self._first_patience_s = max(BLIND_AFTER_S, poll_s + 1.0)
        self._patience_s = self._first_patience_s
        self._backoff = Backoff(longest_s=RETURN_S)

    @property
    def unanswered_s(self) -> float:
        """For how long a question is open, seconds; 0: none is."""
        since = self._asking_since
        return 0.0 if since is None else self._monotonic() - since

    @property
    def is_blind(self) -> bool:
        """Tell whether it has been open for too long."""
        return self.unanswered_s >= BLIND_AFTER_S

    @property
    def has_hung_peer(self) -> bool:
        """Tell whether the answer would have come long ago from a peer in good health."""
        return self.unanswered_s >= self._poll_s + BLIND_AFTER_S / 2

    def ask(self) -> float:
        """Begin to ask, or ask again; return for how long to wait for the answer, seconds.

        An answer that comes slowly must come once: the next one may take longer. But an attempt
        after a failed one must not hold up the news of the blindness.
        """
        if self._asking_since is None:
            self._asking_since = self._monotonic()
            return self._patience_s
        if self._is_told:
            return self._patience_s
        return max(_LEAST_PATIENCE_S, self._first_patience_s - self.unanswered_s)

    def answered(self) -> list[Blindness]:
        """Note an answer; say so if it ends a blindness."""
        told = [self._blindness(is_over=True)] if self._is_told else []
        if told:
            log.info("%s: the channel answers again after %.1f s", self._who, told[0].lasted_s)
        self._asking_since, self._is_told = None, False
        self._patience_s = self._first_patience_s
        self._backoff.reset()
        return told

    def unanswered(self, error: Exception) -> None:
        """Note that there was no answer."""
        self._cause = str(error)
        if isinstance(error, TimeoutError):
            longest_s = max(self._first_patience_s, _LONGEST_PATIENCE_S)
            self._patience_s = min(2 * self._patience_s, longest_s)

    def pause_s(self, at_most_s: float) -> float:
        """Return how long to wait before the next attempt; not beyond the beginning of blindness."""
        pause_s = min(self._backoff.next_s(), at_most_s)
        if self._is_told:
            return pause_s
        return min(pause_s, max(0.0, BLIND_AFTER_S - self.unanswered_s))

    def news(self) -> list[Blindness]:
        """Say, once, that it is blind."""
        if self._is_told or not self.is_blind:
            return []
        self._is_told = True
        log.info("%s is blind, the channel does not answer: %s", self._who, self._cause)
        return [self._blindness(is_over=False)]

    def _blindness(self, *, is_over: bool) -> Blindness:
        lasted_s = self.unanswered_s
        since = datetime.now(UTC) - timedelta(seconds=lasted_s)
        return Blindness(is_over=is_over, since=since, lasted_s=lasted_s, cause=self._cause)
