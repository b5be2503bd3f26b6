"""``obsorb oldb watch``: what is there, and then each change as it comes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from controller.cli.oldb_text import point_line, terminal_width
from controller.cli.output import print_json, print_line, print_note
from controller.cli.session import Session
from idl_like_interfaces.clients import OldbWatcher
from idl_like_interfaces.events import EventChannel
from idl_like_interfaces.oldb import DataPoint, OnlineDatabase

if TYPE_CHECKING:
    from nameserver.client import Names

_READ_S = 0.5
_WIDEST_KEY = 40


class Watch:
    """Prints what a watcher tells.

    Args:
        session: How to print.
        client: Finds the channel.
        database: What is watched.
        filters: Which keys.
        count: End after so many lines about keys; 0: never.

    Raises:
        InvalidKey: A filter is malformed.
    """

    def __init__(
        self,
        session: Session,
        client: Names,
        database: OnlineDatabase,
        filters: list[str],
        count: int,
    ) -> None:
        channel = client.narrow(session.path("events"), EventChannel)
        self._watcher = OldbWatcher(database, channel, filters, name="obsorb command")
        self._as_json = session.as_json
        self._count = count
        self._printed = 0
        self._is_blind = False
        self._is_empty_told = False
        self._widest = 0

    def run(self) -> None:
        """Print until all that was wanted is printed, or Ctrl-C."""
        with self._watcher as watcher:
            try:
                while not self._is_done():
                    points = watcher.read(_READ_S)
                    self._widest = max([self._widest, *(len(each.key) for each in points)])
                    for point in points:
                        self._print(point)
                    self._tell_sight(is_blind=watcher.is_blind)
            except KeyboardInterrupt:
                # Ctrl-C is the way to end it, no failure.
                return

    def _print(self, point: DataPoint) -> None:
        if self._is_done():
            return
        self._printed += 1
        if self._as_json:
            print_json(point, lines=True)
            return
        widest = min(self._widest, _WIDEST_KEY)
        print_line(point_line(point, widest, terminal_width(), datetime.now(UTC)))

    def _tell_sight(self, *, is_blind: bool) -> None:
        if is_blind == self._is_blind:
            if self._watcher.is_complete and not self._printed and not self._is_empty_told:
                self._is_empty_told = True
                self._note("nothing matches yet; changes are shown as they come")
            return
        self._is_blind = is_blind
        self._note(
            "blind: the online database or the event channel does not answer; trying again"
            if is_blind
            else "it answers again; nothing was missed"
        )

    def _note(self, text: str) -> None:
        print_note(f"-- {datetime.now(UTC):%H:%M:%S} {text}")

    def _is_done(self) -> bool:
        return self._printed == self._count > 0
