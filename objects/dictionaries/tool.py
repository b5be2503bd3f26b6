"""Dictionaries for programs: files checked, keywords looked up.

Offered under the entry points ``dictionary_check`` and ``dictionary_show`` of the group
``obsorb.tools``; nothing is printed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from idl_like_interfaces.dictionaries import (
    Dictionary,
    DictionaryCheck,
    DictionaryRecord,
    DictionaryReport,
)
from idl_like_interfaces.errors import BadParam
from objects.component.config_path import find
from objects.dictionaries.flaws import BadDictionary
from objects.dictionaries.lookup import Dictionaries
from objects.dictionaries.reading import read_dictionary

_ESO = "HIERARCH ESO "


def check(paths: Sequence[Path]) -> DictionaryCheck:
    """Check dictionaries, each by itself and all together.

    Args:
        paths: As they are, else looked for over the folders of ``CFGPATH``.
    """
    reports: list[DictionaryReport] = []
    good: list[Dictionary] = []
    for path in paths:
        try:
            read = read_dictionary(_located(path))
        except BadDictionary as error:
            reports.append(DictionaryReport(path=error.path, flaws=error.flaws))
            continue
        good.append(read)
        reports.append(
            DictionaryReport(
                path=read.path,
                name=read.name,
                form=read.form,
                keywords=len(read.records),
                notes=read.notes,
            )
        )
    return DictionaryCheck(files=reports, duplicates=Dictionaries(good).duplicates)


def show(path: Path, keyword: str = "") -> list[DictionaryRecord]:
    """Return what a dictionary says of a keyword, or of all.

    Args:
        path: As it is, else looked for over the folders of ``CFGPATH``.
        keyword: With its indices, e.g. ``INS FILT1 ID``; empty: all.

    Raises:
        BadDictionary: It is missing or faulty.
        BadParam: It does not have the keyword.
    """
    read = read_dictionary(_located(path))
    if not keyword:
        return read.records
    name = " ".join(keyword.split()).removeprefix(_ESO)
    known = Dictionaries([read])
    exact = [record for record in read.records if record.name == name]
    found = exact[0] if exact else known.find(name)
    if found is None:
        similar = known.similar(name)
        hint = f"; did you mean {' or '.join(similar)}?" if similar else ""
        raise BadParam(
            f"{read.name} has no keyword {name!r}{hint}",
            field="keyword",
            remedy=f"see all of them with `obsorb dictionary show {path}`",
        )
    return [found]


def _located(path: Path) -> Path:
    if path.exists() or path.is_absolute():
        return path
    try:
        return find(path)
    except BadParam:
        return path  # reading it says what is wrong
