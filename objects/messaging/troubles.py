"""What is wrong with something that goes on all the same: said once, and until it is over."""

from __future__ import annotations

import logging


class Troubles:
    """Words for each thing that is wrong; read by any thread, changed by one at a time.

    Args:
        of: What it is about, for the log.
        log: Where each trouble is told when it begins.
    """

    def __init__(self, of: str, log: logging.Logger) -> None:
        self._of = of
        self._log = log
        # Replaced, never changed: another thread may be reading it.
        self._words: dict[str, str] = {}

    def __contains__(self, what: str) -> bool:
        return what in self._words

    @property
    def text(self) -> str:
        """Everything that is wrong; empty when nothing is."""
        return "; ".join(self._words.values())

    def begin(self, what: str, words: str, error: Exception) -> None:
        """Note that something is wrong.

        Args:
            what: Which thing.
            words: What that means.
            error: The cause.
        """
        # Without the name of a file, which changes from trial to trial.
        cause = (isinstance(error, OSError) and error.strerror) or str(error)
        if what not in self._words:
            self._log.error("%s: %s: %s", self._of, words, cause)
        self._words = {**self._words, what: f"{words}: {cause}"}

    def end(self, what: str) -> bool:
        """Note that something is right; tell whether it was wrong until now."""
        was_wrong = what in self._words
        if was_wrong:
            self._words = {key: words for key, words in self._words.items() if key != what}
        return was_wrong
