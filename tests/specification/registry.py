"""The registry of specification rows, read from one TOML file for each system."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "rows"
SYSTEMS = ("eso", "d0", "eldora", "kloe")


class RegistryError(ValueError):
    """A row file says something twice, or something that means nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One observable behaviour that a specification asks for.

    Attributes:
        id: Its id in markers, e.g. ``ESO-023``.
        system: The system that it comes from.
        chapter: The part of the system that it belongs to.
        title: What must hold.
        own: It is a decision of this project where the original is silent.
        waived: Why it is not done; empty when it is to be done.
    """

    id: str
    system: str
    chapter: str
    title: str
    own: bool
    waived: str


def load_rows(folder: Path = FOLDER, systems: tuple[str, ...] = SYSTEMS) -> dict[str, Row]:
    """Return every row by its id, in the order in which the specifications tell them.

    Raises:
        RegistryError: An id stands twice, an own id is no row, or a waiver has no reason.
    """
    rows: dict[str, Row] = {}
    for system in systems:
        text = (folder / f"{system}.toml").read_text(encoding="utf-8")
        for row in _rows_of(tomllib.loads(text)):
            if row.id in rows:
                raise RegistryError(f"{system}.toml: row {row.id} is there already")
            rows[row.id] = row
    return rows


def _rows_of(document: dict[str, Any]) -> list[Row]:
    own = set(document.get("own", ()))
    rows = [
        _row(row_id, entry, document["system"], chapter["title"], own)
        for chapter in document["chapter"]
        for row_id, entry in chapter["rows"].items()
    ]
    unknown = own - {row.id for row in rows}
    if unknown:
        raise RegistryError(f"own decisions that are no rows: {', '.join(sorted(unknown))}")
    return rows


def _row(row_id: str, entry: str | dict[str, str], system: str, chapter: str, own: set[str]) -> Row:
    fields = {"title": entry} if isinstance(entry, str) else entry
    if set(fields) - {"title", "waived"}:
        raise RegistryError(f"row {row_id} has other keys than title and waived: {sorted(fields)}")
    if "waived" in fields and not fields["waived"].strip():
        raise RegistryError(f"row {row_id} is waived without a reason")
    return Row(
        id=row_id,
        system=system,
        chapter=chapter,
        title=fields["title"],
        own=row_id in own,
        waived=fields.get("waived", ""),
    )
