"""The master file of a site, and the defaults of an installation: what a session may begin with."""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.mapping.coding import from_plain
from idl_like_interfaces.project import Origin, Preset, ProjectChange, ProjectInformation
from objects.project.documents import canonical, check_name
from objects.project.rules import CONTEXT, FIELDS, check_change, values_of

log = logging.getLogger(__name__)


class Values(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Values to begin with; an empty text is none.

    Attributes:
        project: Name or id of the project.
        operator: Who is responsible.
        flight: Flight, night or programme.
        context: Whatever else belongs into files.
    """

    project: str = ""
    operator: str = ""
    flight: str = ""
    context: dict[str, str] = {}

    def by_field(self) -> dict[str, str]:
        """Return those that are given, by field.

        Raises:
            BadParam: One of them cannot stand in a file.
        """
        values: dict[str, str] = {name: text for name in FIELDS if (text := getattr(self, name))}
        check_change(ProjectChange(**values, context=self.context))
        return values | {f"{CONTEXT}{name}": text for name, text in self.context.items() if text}


class Master(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The master file (TOML).

    Attributes:
        project: The table ``[project]``, with ``[project.context]``.
        configuration: A table ``[configuration."NAME"]`` for each document: it is taken as long
            as there is none of that name.
    """

    project: Values = Values()
    configuration: dict[str, dict[str, Any]] = {}


def read_master(path: Path) -> Master:
    """Read a master file.

    Raises:
        BadParam: It cannot be read, or something in it is wrong.
    """
    try:
        plain = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadParam(
            f"the master file {path} cannot be read: {error}",
            field="master",
            cause="it is missing, you may not read it, or it is no TOML",
            remedy="correct it, or the setting 'master'",
        ) from error
    read = from_plain(Master, plain)
    read.project.by_field()
    for name, document in read.configuration.items():
        check_name(name)
        canonical(document)
    return read


class MasterFile:
    """A master file that may change, or be away for a while.

    Args:
        path: Of the file; None: there is none.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.problem = ""

    def read(self) -> Master:
        """Return its content now; nothing when it cannot be read (see ``problem``)."""
        if self._path is None:
            return Master()
        try:
            read = read_master(self._path)
        except BadParam as error:
            if error.message != self.problem:
                log.warning("presets come without the master file: %s", error)
            self.problem = error.message
            return Master()
        self.problem = ""
        return read


def presets(
    last: ProjectInformation,
    since: Mapping[str, datetime],
    master: Mapping[str, str],
    defaults: Mapping[str, str],
) -> list[Preset]:
    """Return all presets: by field, and of each field the one to be taken first at the front.

    Args:
        last: The information of the last session.
        since: Since when its values are what they are.
        master: Values of the master file by field.
        defaults: Default values by field.
    """
    found = [
        Preset(field=field, value=value, origin=Origin.LAST_SESSION, since=since.get(field))
        for field, value in values_of(last).items()
    ]
    found += [Preset(field=f, value=v, origin=Origin.MASTER) for f, v in master.items()]
    found += [Preset(field=f, value=v, origin=Origin.DEFAULT) for f, v in defaults.items()]
    # Sorting is stable: of one field they stay in the order of their origins.
    return sorted(found, key=lambda each: _rank(each.field))


def _rank(field: str) -> tuple[int, str]:
    return (FIELDS.index(field) if field in FIELDS else len(FIELDS), field)
