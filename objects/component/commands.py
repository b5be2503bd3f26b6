"""The command lines of an installation's processes."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

from idl_like_interfaces.logs import LEVEL_NUMBERS, LogLevel
from idl_like_interfaces.security.protection import AUDIT
from idl_like_interfaces.security.settings import ABSENT
from nameserver.client import Address, show_addresses
from objects.component import launch
from objects.component.installation import Installation

NAME_SERVER = "name server"
SECOND_NAME_SERVER = "second name server"

NAME_SERVERS = (NAME_SERVER, SECOND_NAME_SERVER)


class Commands:
    """Says how the parts of an installation are started.

    Args:
        installation: What is run.
        log_level: Root level of the logs of all parts; ``None``: as the file says.
    """

    def __init__(self, installation: Installation, log_level: LogLevel | None = None) -> None:
        self._installation = installation
        self._log_level = log_level

    def name_server(self, address: Address, peer: Address | None = None) -> list[str]:
        """Return the command line of the (first) name server; ``peer``: the other one."""
        return self._name_server(address, self._name_store(), peer)

    def second_name_server(self, address: Address, peer: Address) -> list[str]:
        """Return the command line of the second name server."""
        command = self._name_server(address, self._name_store("second-"), peer)
        return [*command, "--audit-name", SECOND_NAME_SERVER.replace(" ", "-")]

    def component(self, name: str, names: str) -> list[str]:
        """Return the command line of a component; ``names``: where the name servers are."""
        file = str(self._installation.path)
        level = [str(self._log_level)] if self._log_level else []
        return [sys.executable, "-m", "objects.component.process", file, name, names, *level]

    def _name_store(self, prefix: str = "") -> str:
        store = self._installation.name_server.store
        path = self._installation.data_root / store
        return store if store == "memory" else str(path.with_name(prefix + path.name))

    def _name_server(self, address: Address, store: str, peer: Address | None) -> list[str]:
        host, port = address
        command = [str(_bin("obsorb-nameserver")), "--host", host, "--port", str(port)]
        command += ["--store", store, *self._security_options(), *self._level_options()]
        return command if peer is None else [*command, "--peer", show_addresses(peer)]

    def _level_options(self) -> list[str]:
        """Say the level in the words of Python, which has fewer."""
        if self._log_level is None:
            return []
        number = LEVEL_NUMBERS[self._log_level]
        known = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR)
        nearest = max((each for each in known if each <= number), default=logging.DEBUG)
        return ["--log-level", logging.getLevelName(nearest).lower()]

    def _security_options(self) -> list[str]:
        installation = self._installation
        if installation.security == ABSENT:
            return []
        audit = str(installation.data_root / AUDIT)
        return ["--security", str(installation.path), "--audit", audit]


def start_process(command: list[str]) -> subprocess.Popen[str]:
    """Start a child that ends with this process, and whose output can be read."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", launch.__file__, str(os.getpid()), *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl-C at the terminal is for the supervisor, which stops them in order.
        start_new_session=True,
    )


def _bin(program: str) -> Path:
    return Path(sys.executable).with_name(program)
