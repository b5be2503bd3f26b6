"""An installation file in the making: tables, where each setting comes from, the text."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from objects.component.installation import Installation
from objects.migration.daq_config_keys import ORIGINAL_MERGER, Key, Server

_SERVICES = ("events", "log", "alarms", "oldb")
_HEAD = "# Made of the configuration of daqOcmServer and daqDpmServer: obsorb up THIS-FILE\n"
_ORIGINAL_WORKSPACE: Mapping[Server, str] = {Server.OCM: "ocm", Server.DPM: "dpm"}

Value = str | int | list[str]


class Draft:
    """The tables of an installation, filled key by key."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[str, tuple[Value, str]]] = {
            "installation": {},
            "name_server": {},
        }
        self._roots: dict[Server, str] = {}
        for service in _SERVICES:
            self._tables[f"component.{service}"] = {"kind": (service, "")}
        for server in reversed(Server):
            self._tables[f"component.{server}"] = {"kind": (str(server), "")}

    def put(
        self, server: Server, path: str, key: Key, value: Value, *, found: bool
    ) -> tuple[str, str]:
        """Take a value; return the setting that it became, empty: none, and what is different."""
        origin = f"{server}: cfg/{path}"
        if not found:
            return "", f"there is no file {value}: it is left out"
        if not key.target:
            return "", key.why
        if key.target == "installation.data_root":
            return self._take_root(server, str(value), origin)
        if key.target == "component.bin_merge" and value == ORIGINAL_MERGER:
            return "", "the merger of obsorb does its work"
        if key.target == "component.request_port":
            value = int(str(value).rpartition(":")[2])
        table, _, setting = key.target.partition(".")
        table = f"component.{server}" if table == "component" else table
        self._tables[table][setting] = (value, origin)
        return f"{table}.{setting}", key.why

    def complete(self, seen: Collection[Server]) -> None:
        """Set what follows from all files.

        An OCM cannot do without a file of its own, a DPM can; a DPM may have had another data
        root than its OCM.
        """
        if Server.OCM not in seen:
            del self._tables["component.ocm"]
        root, other = (self._roots.get(server) for server in Server)
        if root is None or other is None or root == other:
            return
        table = self._tables["component.dpm"]
        workspace, origin = table.get("workspace", (_ORIGINAL_WORKSPACE[Server.DPM], ""))
        table["workspace"] = (str(Path(other) / str(workspace)), f"{origin} below its dataroot")

    def check(self) -> None:
        """Read it as an installation is read.

        Raises:
            BadParam: A value is none that its component takes.
        """
        with tempfile.TemporaryDirectory(prefix="obsorb-import-") as folder:
            file = Path(folder) / "installation.toml"
            file.write_text(self._text(without=("log_properties", "dictionaries")))
            read = Installation(file)
            for name in read.components:
                read.settings(name)

    def text(self) -> str:
        """Return the file."""
        return self._text()

    def _take_root(self, server: Server, value: str, origin: str) -> tuple[str, str]:
        self._roots[server] = value
        if server is Server.DPM and Server.OCM in self._roots:
            same = self._roots[Server.OCM] == value
            return "installation.data_root", "" if same else "another one than that of the OCM"
        self._tables["installation"]["data_root"] = (value, origin)
        return "installation.data_root", ""

    def _text(self, without: tuple[str, ...] = ()) -> str:
        parts = [_HEAD]
        for table, settings in self._tables.items():
            kept = {name: each for name, each in settings.items() if name not in without}
            if kept:
                lines = [_line(name, *each) for name, each in kept.items()]
                parts.append("\n".join([f"[{table}]", *lines, ""]))
        return "\n".join(parts)


def _line(name: str, value: Any, origin: str) -> str:
    text = f"{name} = {json.dumps(value)}"
    return f"{text:40}  # {origin}" if origin else text
