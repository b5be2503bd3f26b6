"""The installation file: which components there are and how they are configured.

```toml
[installation]
name = "demo"                  # for people
root = "obs"                   # root context of all names
data_root = "data"             # relative to the file's folder

[name_server]
address = "localhost:9090"     # port 0: any free port
second = "localhost:9091"      # a second one, which follows and takes over; default: none
start = true                   # false: it is run by somebody else

[security]                     # without it: no TLS, no audit log
certs = "certs"                # folder of the certificates, relative to the file's folder

[component.ocm]                # a component's own name
kind = "ocm"
log_level = "INFO"             # each has log_level, log_properties, request_port
instrument_id = "STIS"         # settings of its kind
```

Without ``data_root`` the environment variable ``DATAROOT`` says where the data are, and without
that they are in the folder ``data`` beside the file.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from idl_like_interfaces.declare import Value
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.mapping.coding import from_plain
from idl_like_interfaces.security.settings import ABSENT, SecurityTable
from nameserver.client import Address, parse_address
from objects.component.common_settings import COMMON, CommonSettings
from objects.component.config_path import find, with_found_files
from objects.component.site import Component

COMPONENTS = "obsorb.components"

DATA_ROOT_VARIABLE = "DATAROOT"

SUPERVISOR = "supervisor"
"""The component that runs the others; none of them can have this name."""

_NamePart = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._~+-]{1,64}$")]


class InstallationTable(Value, frozen=True, kw_only=True):
    """The table ``[installation]``."""

    name: _NamePart = "obsorb"
    root: _NamePart = "obs"
    data_root: str | None = None


class NameServerTable(Value, frozen=True, kw_only=True):
    """The table ``[name_server]``.

    Attributes:
        address: ``HOST:PORT``.
        second: The same of a second one, which follows and takes over; empty: none.
        start: Start them with the installation.
        store: A file below the data root, or ``memory``; that of the second one stands beside.
    """

    address: str = "localhost:9090"
    second: str = ""
    start: bool = True
    store: str = "names/names.sqlite"


class _File(Value, frozen=True, kw_only=True):
    installation: InstallationTable = InstallationTable()
    name_server: NameServerTable = NameServerTable()
    security: SecurityTable | None = None
    component: dict[_NamePart, dict[str, Any]] = {}


class Installation:
    """An installation file that was read and checked.

    Args:
        path: The file.

    Attributes:
        path: The file, absolute; a relative one that is not here is looked for in ``CFGPATH``.
        name: For people.
        root: Root context of all names.
        data_root: Folder of all data, absolute.
        name_server: Where the name server is, and whether to start it.
        name_servers: Addresses of it and of the second one, if there is one.
        security: Certificates, roles, audit log; its folder is absolute.
        components: Settings of each component by its name, with its ``kind``.

    Raises:
        BadParam: The file is missing, is not TOML, or a field in it is wrong.
    """

    def __init__(self, path: Path) -> None:
        self.path = _located(path).resolve()
        read = from_plain(_File, _read_toml(self.path))
        self.name = read.installation.name
        self.root = read.installation.root
        self.data_root = _data_root(read.installation.data_root, self.path.parent)
        self.name_server = read.name_server
        self.name_servers = _addresses(read.name_server)
        self.security = (read.security or ABSENT).below(self.path.parent)
        self.components = read.component
        _refuse_supervisor(self.components)
        for name in self.components:
            self._entry_point(name)
            self.common(name)

    def component_class(self, name: str) -> type[Component]:
        """Return the class of a component.

        Raises:
            BadParam: There is no such component, or its kind is missing or unknown.
        """
        loaded: type[Component] = self._entry_point(name).load()
        return loaded

    def _entry_point(self, name: str) -> EntryPoint:
        if name not in self.components:
            raise BadParam(
                f"{self.path.name} has no component {name!r}",
                field=f"component.{name}",
                remedy=f"choose one of {', '.join(sorted(self.components)) or '(none)'}",
            )
        return _entry_point(self.components[name].get("kind"), f"component.{name}.kind")

    def common(self, name: str) -> CommonSettings:
        """Return the settings of a component that do not depend on its kind.

        Raises:
            BadParam: One of them is wrong, or names a file that is not there.
        """
        plain = {key: value for key, value in self.components[name].items() if key in COMMON}
        common: CommonSettings = self._completed(
            from_plain(CommonSettings, plain, f"component.{name}"), name
        )
        return common

    def settings(self, name: str, overrides: Mapping[str, Any] | None = None) -> Any:
        """Return the checked settings of a component; its folders and files are absolute.

        Args:
            name: The component.
            overrides: What goes before the file, e.g. options of a command.

        Raises:
            BadParam: There is no such component, or a setting is missing, unknown or wrong.
        """
        declared = self.component_class(name).Settings
        table = self.components[name] | dict(overrides or {})
        plain = {key: value for key, value in table.items() if key not in COMMON}
        return self._completed(from_plain(declared, plain, f"component.{name}"), name)

    def _completed(self, settings: Any, name: str) -> Any:
        base = self.path.parent
        return with_found_files(_with_absolute_paths(settings, base), base, f"component.{name}")


def _located(path: Path) -> Path:
    """Look for a relative path that is not here in the folders of ``CFGPATH``."""
    if path.is_absolute() or path.exists():
        return path
    try:
        return find(path, field="installation")
    except BadParam:
        return path  # reading it says what is wrong


def _data_root(configured: str | None, base: Path) -> Path:
    """Take it from the file, else from the environment, else beside the file."""
    if configured is not None:
        return (base / configured).resolve()
    environment = os.environ.get(DATA_ROOT_VARIABLE, "")
    if environment and not Path(environment).is_absolute():
        raise BadParam(
            f"${DATA_ROOT_VARIABLE} is {environment!r}, which is no absolute path",
            field=DATA_ROOT_VARIABLE,
            remedy="give an absolute path, or data_root in the table [installation]",
        )
    return (Path(environment) if environment else base / "data").resolve()


def _refuse_supervisor(components: dict[str, dict[str, Any]]) -> None:
    if SUPERVISOR in components:
        raise BadParam(
            f"component.{SUPERVISOR}: this name is taken",
            field=f"component.{SUPERVISOR}",
            cause="it is that of who runs the installation (`obsorb up`)",
            remedy="give the component another name",
        )


def _addresses(table: NameServerTable) -> tuple[Address, ...]:
    first = parse_address(table.address, "name_server.address")
    if not table.second:
        return (first,)
    second = parse_address(table.second, "name_server.second")
    if second == first and second[1]:
        raise BadParam(
            f"both name servers have the address {table.second}",
            field="name_server.second",
            remedy="give the second one a port of its own",
        )
    return first, second


@cache
def _kinds() -> dict[str, EntryPoint]:
    """Return what is installed; looked for once, since every distribution is opened for it."""
    return {point.name: point for point in entry_points(group=COMPONENTS)}


def _entry_point(kind: object, field: str) -> EntryPoint:
    known = _kinds()
    if kind is None:
        raise BadParam(
            f"{field}: the field is missing",
            field=field,
            remedy=f"give one of {', '.join(sorted(known))}",
        )
    if not isinstance(kind, str) or kind not in known:
        raise BadParam(
            f"{field}: there is no kind of component {kind!r}",
            field=field,
            cause="it is misspelt, or the package that brings it is not installed",
            remedy=f"choose one of {', '.join(sorted(known))}",
        )
    return known[kind]


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadParam(
            f"there is no installation file {path}",
            field="installation",
            remedy="give the path of a TOML file; `obsorb demo` writes one to look at",
        ) from error
    except OSError as error:
        raise BadParam(
            f"the installation file {path} cannot be read: {error.strerror or error}",
            field="installation",
            cause="it is a folder, you may not read it, or its disk fails",
            remedy="give the path of a TOML file that you may read",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadParam(
            f"{path} cannot be read as TOML: {error}",
            field="installation",
            remedy="correct the line that is named",
        ) from error


def _with_absolute_paths(settings: msgspec.Struct, base: Path) -> msgspec.Struct:
    """Take relative ``Path`` settings from the folder of the installation file."""
    changed = {
        name: base / value
        for name in settings.__struct_fields__
        if isinstance(value := getattr(settings, name), Path)
    }
    return msgspec.structs.replace(settings, **changed) if changed else settings
