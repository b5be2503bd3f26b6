"""Configuration paths: absolute ones, and those that are looked for in the folders of ``CFGPATH``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from msgspec import Meta

from idl_like_interfaces.errors import BadParam

VARIABLE = "CFGPATH"
"""Folders with a colon between, searched in this order."""

_MARK = {"is_config_path": True}

ConfigPath: TypeAlias = Annotated[str, Meta(extra=_MARK)]
"""Type of a setting that names a configuration file; lists of it, too.

An installation makes them absolute: first hit over ``CFGPATH``, then beside its own file.
"""


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


def is_config_path(hint: Any) -> bool:
    """Tell whether an annotation is ``ConfigPath``."""
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
