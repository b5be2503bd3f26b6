"""``obsorb log tail``: records as they come, through restarts of the log service."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import msgspec

from controller.cli.log_pages import pages
from controller.cli.log_text import record_text, terminal_width
from controller.cli.output import print_json, print_line, print_note
from idl_like_interfaces.clients.backoff import Backoff
from idl_like_interfaces.errors import CommFailure, PersistStore, Transient
from idl_like_interfaces.logs import LogQuery, LogService, StoredRecord

_FOLLOW_S = 25.0
_PAGE = 1000


class Tail:
    """Prints what is stored and then what comes.

    Args:
        service: The log service.
        query: Which records; with ``since``, all from then on are shown first.
        as_json: Print a document a line.
    """

    def __init__(self, service: LogService, query: LogQuery, *, as_json: bool) -> None:
        self._service = service
        self._query = query
        self._as_json = as_json
        self._after = 0
        self._is_away = False
        self._backoff = Backoff()

    def run(self, older: int) -> None:
        """Print until it is interrupted.

        Args:
            older: So many of the past are shown first, unless all since a time are.

        Raises:
            CommFailure: The log service cannot be reached at the beginning.
        """
        self._show_past(older)
        while True:
            self._show(self._next())

    def _show_past(self, older: int) -> None:
        self._after = self._service.get_stats().last
        if self._query.since is None:
            past: Iterable[list[StoredRecord]] = [
                self._service.query(msgspec.structs.replace(self._query, limit=older))
            ]
        else:
            past = pages(self._service, self._query)
        for page in past:
            # What has arrived since then comes again with the others.
            self._show([each for each in page if each.number <= self._after])

    def _next(self) -> list[StoredRecord]:
        behind = msgspec.structs.replace(
            self._query, after=self._after, limit=_PAGE, newest=False, since=None
        )
        try:
            found = self._service.follow(behind, _FOLLOW_S)
            self._tell_back()
        except (CommFailure, Transient, PersistStore) as error:
            if not self._is_away:
                print_note(f"-- the log service does not answer: {error.message}")
            self._is_away = True
            threading.Event().wait(self._backoff.next_s())
            return []
        self._after = max([self._after, *(each.number for each in found)])
        return found

    def _tell_back(self) -> None:
        self._backoff.reset()
        if not self._is_away:
            return
        self._is_away = False
        if self._service.get_stats().last >= self._after:
            print_note("-- the log service answers again; nothing was missed")
        else:
            print_note("-- the log service answers again, with a new store: from its begin")
            self._after = 0

    def _show(self, records: list[StoredRecord]) -> None:
        for each in records:
            if self._as_json:
                print_json(each, lines=True)
            else:
                print_line(record_text(each, terminal_width()))
