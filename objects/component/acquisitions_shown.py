"""The acquisitions of a server in the online database: how many, and where each stands."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import Any

from idl_like_interfaces.clients.oldb_values import as_component
from idl_like_interfaces.daqif import DaqStatus
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.oldb import NoSuchKey, OnlineDatabase
from objects.component.site import Site

log = logging.getLogger(__name__)

ACTIVE_COUNT = "daq/active_count"
QUEUE_LENGTH = "queue/length"
QUEUE_STUCK = "queue/stuck"

_SHOWN = ("state", "substate", "error", "file_id", "result", "message", "timestamp")

_TIDY_S = 2.0
_ASK_S = 3.0


class AcquisitionsShown:
    """Records ``daq/active_count`` and ``daq/<id>/...``.

    An acquisition goes on whether or not it can be shown.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._end_tidying: Callable[[], None] | None = None

    def count(self, active: int) -> None:
        """Record how many are in progress."""
        self._record(ACTIVE_COUNT, active)

    def queue(self, length: int, stuck: int) -> None:
        """Record how many wait or are worked on, and how many of them wait for a retry."""
        self._record(QUEUE_LENGTH, length)
        self._record(QUEUE_STUCK, stuck)

    def show(self, status: DaqStatus) -> None:
        """Record where one stands."""
        for name in _SHOWN:
            self._record(_key(status.id, name), getattr(status, name))

    def forget(self, id: str) -> None:
        """Remove one that is over, which everybody may forget."""
        self._forget(as_component(id))

    def tidy(self, is_known: Callable[[str], bool]) -> None:
        """Remove, once the database answers, what an earlier start has left of others.

        It may have died between the end of an acquisition and its removal.

        Args:
            is_known: Tells of an id, as it stands in a key, whether it is in progress.
        """
        database = self._site.narrow(f"{self._site.root}/oldb", OnlineDatabase, _ASK_S)
        self._end_tidying = self._site.every(_TIDY_S, lambda: self._try_to_tidy(database, is_known))

    def close(self) -> None:
        """Tidy no more."""
        if self._end_tidying is not None:
            self._end_tidying()
            self._end_tidying = None

    def _try_to_tidy(self, database: OnlineDatabase, is_known: Callable[[str], bool]) -> None:
        try:
            nodes = database.children(f"{self._site.name}/daq")
        except NoSuchKey:
            nodes = []
        except RemoteError as error:
            log.debug("the online database is not tidied yet: %s", error)
            return
        for node in nodes:
            if node.below and not is_known(node.name):
                log.info("acquisition %s is over and was still shown", node.name)
                self._forget(node.name)
        self.close()

    def _forget(self, component: str) -> None:
        for name in _SHOWN:
            try:
                self._site.forget(f"daq/{component}/{name}")
            except RemoteError as error:
                log.warning("acquisition %s is still shown: %s", component, error)

    def _record(self, key: str, value: Any) -> None:
        try:
            self._site.record(key, value)
        except RemoteError as error:
            log.warning("%s is not shown: %s", key, error)


def among(ids: Callable[[], Collection[str]]) -> Callable[[str], bool]:
    """Make what tells whether an id, as it stands in a key, is one of those."""
    return lambda component: component in {as_component(id) for id in ids()}


def _key(id: str, name: str) -> str:
    return f"daq/{as_component(id)}/{name}"
