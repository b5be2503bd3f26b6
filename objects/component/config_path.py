"""Configuration paths: absolute ones, and those that are looked for in the folders of ``CFGPATH``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar, get_args, get_type_hints

import msgspec
from msgspec import Meta

from idl_like_interfaces.errors import BadParam

VARIABLE = "CFGPATH"
"""Folders with a colon between, searched in this order."""

_MARK = {"is_config_path": True}

ConfigPath: TypeAlias = Annotated[str, Meta(extra=_MARK)]
"""Type of a setting that names a configuration file; lists of it, too.

An installation makes them absolute: first hit over ``CFGPATH``, then beside its own file.
"""

Settings = TypeVar("Settings", bound=msgspec.Struct)


def find(
    path: str | Path,
    *,
    field: str = "path",
    beside: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Path:
    """Return the configuration file that a path means.

    Args:
        path: Absolute (or from ``~``): taken as it is. Relative: the first file of that name
            over the folders of ``CFGPATH``, in their order.
        field: What names it, for the refusal.
        beside: A folder that is looked into after those of ``CFGPATH``.
        environment: Where ``CFGPATH`` is.

    Raises:
        BadParam: There is no such file.
    """
    wanted = Path(path).expanduser()
    tried = [folder / wanted for folder in _folders(environment, beside)]
    for each in [wanted] if wanted.is_absolute() else tried:
        # It answers False also for what may not be looked at, where a path would raise.
        if os.path.isfile(each):  # noqa: PTH113 (see above)
            return each.absolute()
    raise _missing(wanted, field, tried)


def with_found_files(settings: Settings, beside: Path, field: str) -> Settings:
    """Return settings whose ``ConfigPath`` members, and lists of them, are absolute.

    Args:
        settings: As they stand in a file; an empty path stays empty.
        beside: The folder of that file.
        field: Path of the settings, for refusals.

    Raises:
        BadParam: One of the files is not there.
    """
    found: dict[str, Any] = {}
    for name, is_list in _config_paths(type(settings)):
        value = getattr(settings, name)
        if is_list:
            found[name] = [
                str(find(each, field=f"{field}.{name}[{place}]", beside=beside))
                for place, each in enumerate(value)
            ]
        elif value:
            found[name] = str(find(value, field=f"{field}.{name}", beside=beside))
    return msgspec.structs.replace(settings, **found) if found else settings


def _config_paths(declared: type[msgspec.Struct]) -> Iterator[tuple[str, bool]]:
    for name, hint in get_type_hints(declared, include_extras=True).items():
        if _is_config_path(hint):
            yield name, False
        elif any(_is_config_path(each) for each in get_args(hint)):
            yield name, True


def _is_config_path(hint: Any) -> bool:
    marks = [each.extra for each in getattr(hint, "__metadata__", ()) if isinstance(each, Meta)]
    return _MARK in marks


def _folders(environment: Mapping[str, str], beside: Path | None) -> list[Path]:
    listed = environment.get(VARIABLE, "").split(":")
    # An empty entry is a slip of the pen: the working directory would be a surprise.
    folders = [Path(each).expanduser() for each in listed if each.strip()]
    return [*folders, beside] if beside is not None else folders


def _missing(wanted: Path, field: str, tried: list[Path]) -> BadParam:
    if wanted.is_absolute():
        remedy = "correct the path, or let it be relative to a folder of $CFGPATH"
        return BadParam(f"{field}: there is no file {wanted}", field=field, remedy=remedy)
    places = ", ".join(map(str, tried))
    return BadParam(
        f"{field}: there is no configuration file {wanted}",
        field=field,
        cause=f"none of these is a file: {places}" if places else "$CFGPATH names no folder",
        remedy="add its folder to $CFGPATH (folders with a colon between), or give an absolute path",
    )
