"""FAILURE: what cannot be journaled must not happen; the logger says so and waits for the disk."""

from __future__ import annotations

import logging
import threading

from idl_like_interfaces.errors import PersistStore
from objects.logger_stream.alerts import Alerts
from objects.logger_stream.journal import Journal
from objects.logger_stream.memory import Entry
from objects.logger_stream.runs import Runs

log = logging.getLogger(__name__)

_WHY = "failure"


class SafeJournal:
    """The journal, and what its failure means: nothing is accepted until it can be written again.

    Args:
        journal: The journal.
        runs: Whose senders wait meanwhile.
        alerts: Where it is reported.
    """

    def __init__(self, journal: Journal, runs: Runs, alerts: Alerts) -> None:
        self.journal = journal
        self._runs = runs
        self._alerts = alerts
        self._lock = threading.Lock()
        self._problem = ""

    @property
    def problem(self) -> str:
        """Why the logger cannot go on; empty: it can."""
        return self._problem

    def write(self, *entries: Entry, sync: bool = True) -> None:
        """Journal entries before what they say takes effect.

        Raises:
            PersistStore: It was not possible; nothing is remembered, and the logger is in FAILURE.
        """
        try:
            self.journal.append(*entries, sync=sync)
        except PersistStore as error:
            self._fail(error.message)
            raise

    def note(self, *entries: Entry, sync: bool = False) -> None:
        """Journal what has happened already; where that fails the logger is in FAILURE."""
        try:
            self.write(*entries, sync=sync)
        except PersistStore as error:
            log.debug("not journaled: %s", error)

    def look(self) -> None:
        """Try again when it failed; to be called each second."""
        if not self._problem:
            return
        try:
            self.journal.reopen()
        except PersistStore as error:
            log.debug("still in failure: %s", error)
        else:
            self._fail("")

    def _fail(self, problem: str) -> None:
        with self._lock:
            if problem == self._problem:
                return
            self._problem = problem
        if problem:
            log.critical("FAILURE: %s", problem)
        else:
            log.warning("the journal can be written again: the logger goes on")
        self._runs.hold_all(_WHY, problem)
        self._alerts.failure(problem)
