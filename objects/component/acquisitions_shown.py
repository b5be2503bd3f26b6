"""The acquisitions of a server in the online database: how many, and where each stands."""

from __future__ import annotations

import logging
from typing import Any

from idl_like_interfaces.clients.oldb_values import as_component
from idl_like_interfaces.daqif import DaqStatus
from idl_like_interfaces.errors import RemoteError
from objects.component.site import Site

log = logging.getLogger(__name__)

ACTIVE_COUNT = "daq/active_count"

_SHOWN = ("state", "substate", "error", "file_id", "result")


class AcquisitionsShown:
    """Records ``daq/active_count`` and ``daq/<id>/...``.

    An acquisition goes on whether or not it can be shown.
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    def count(self, active: int) -> None:
        """Record how many are in progress."""
        self._record(ACTIVE_COUNT, active)

    def show(self, status: DaqStatus) -> None:
        """Record where one stands."""
        for name in _SHOWN:
            self._record(_key(status.id, name), getattr(status, name))

    def forget(self, id: str) -> None:
        """Remove one that is over, which everybody may forget."""
        for name in _SHOWN:
            try:
                self._site.forget(_key(id, name))
            except RemoteError as error:
                log.warning("acquisition %s is still shown: %s", id, error)

    def _record(self, key: str, value: Any) -> None:
        try:
            self._site.record(key, value)
        except RemoteError as error:
            log.warning("%s is not shown: %s", key, error)


def _key(id: str, name: str) -> str:
    return f"daq/{as_component(id)}/{name}"
