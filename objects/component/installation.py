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
instrument_id = "STIS"         # settings of its kind
```
"""

from __future__ import annotations

import tomllib
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
from objects.component.site import Component

COMPONENTS = "obsorb.components"

SUPERVISOR = "supervisor"
"""The component that runs the others; none of them can have this name."""

_NamePart = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._~+-]{1,64}$")]


class InstallationTable(Value, frozen=True, kw_only=True):
    """The table ``[installation]``."""

    name: _NamePart = "obsorb"
    root: _NamePart = "obs"
    data_root: str = "data"


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
        path: The file, absolute.
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
        self.path = path.resolve()
        read = from_plain(_File, _read_toml(self.path))
        self.name = read.installation.name
        self.root = read.installation.root
        self.data_root = (self.path.parent / read.installation.data_root).resolve()
        self.name_server = read.name_server
        self.name_servers = _addresses(read.name_server)
        self.security = (read.security or ABSENT).below(self.path.parent)
        self.components = read.component
        _refuse_supervisor(self.components)
        for name in self.components:
            self._entry_point(name)

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

    def settings(self, name: str) -> Any:
        """Return the checked settings of a component; its folders are absolute.

        Raises:
            BadParam: There is no such component, or a setting is missing, unknown or wrong.
        """
        declared = self.component_class(name).Settings
        plain = {key: value for key, value in self.components[name].items() if key != "kind"}
        settings = from_plain(declared, plain, f"component.{name}")
        return _with_absolute_paths(settings, self.path.parent)


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


def _entry_point(kind: object, field: str) -> EntryPoint:
    known = {point.name: point for point in entry_points(group=COMPONENTS)}
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
