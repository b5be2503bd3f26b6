"""What every component says of itself in the online database: who, where, how configured, how it is."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec

from idl_like_interfaces.announcements import Heartbeat
from idl_like_interfaces.clients.oldb_values import as_component
from idl_like_interfaces.errors import RemoteError
from objects.component.site import Site

log = logging.getLogger(__name__)

CONFIGURATION = "cfg"


class Particulars:
    """Records them once, and again what has changed of them.

    Args:
        site: Of the component.
        settings: Its settings: those of its kind, and those that all components have.
    """

    def __init__(self, site: Site, *settings: msgspec.Struct) -> None:
        self._site = site
        self._settings = settings
        self._told: dict[str, Any] = {}

    def tell(self, beat: Heartbeat) -> None:
        """Record what a heartbeat says that is new."""
        if not self._told:
            for settings in self._settings:
                for key, value in configuration(settings):
                    self._record(f"{CONFIGURATION}/{key}", value)
        now = {
            "version": _version(),
            "incarnation": beat.incarnation,
            "host": beat.host,
            "pid": beat.pid,
            "kind": beat.kind,
            "state": beat.state.value,
            "detail": beat.detail,
        }
        for key, value in now.items():
            if self._told.get(key) != value:
                self._record(key, value)
        self._told = now

    def _record(self, key: str, value: Any) -> None:
        try:
            self._site.record(key, value)
        except RemoteError as error:
            log.warning("%s is not recorded: %s", key, error)


def configuration(settings: Any) -> Iterator[tuple[str, Any]]:
    """Flatten settings: yield the key and the plain value of each, lists as a whole.

    What is no plain value (a component that is made in a program may be given objects) is
    passed over.
    """
    for name in getattr(settings, "__struct_fields__", ()):
        try:
            plain = msgspec.to_builtins(getattr(settings, name), str_keys=True, enc_hook=_path)
        except TypeError:
            continue
        yield from _leaves(name, plain)


def _path(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    text = f"{type(value).__name__} is no plain value"
    raise TypeError(text)


def _leaves(path: str, plain: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(plain, dict):
        yield path, list(plain) if isinstance(plain, tuple) else plain
        return
    for name, value in plain.items():
        below = as_component(name)
        yield from _leaves(f"{path}/{below}", value)


def _version() -> str:
    try:
        return version("obsorb")
    except PackageNotFoundError:
        return "unknown"
