"""Loads the dictionaries that a component is configured with."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from idl_like_interfaces.dictionaries import Duplicate
from objects.dictionaries.lookup import Dictionaries
from objects.dictionaries.reading import read_dictionary

log = logging.getLogger(__name__)

_MOST_NAMED = 10


def load_dictionaries(paths: Sequence[Path]) -> Dictionaries:
    """Read dictionaries; a file that is listed twice counts once.

    What is odd in them, and what several of them have, is logged.

    Raises:
        BadDictionary: One is missing or faulty.
    """
    read = [read_dictionary(path) for path in dict.fromkeys(path.resolve() for path in paths)]
    for each in read:
        log.info("dictionary %s: %d keywords (%s)", each.name, len(each.records), each.path)
        for note in each.notes:
            log.info("dictionary %s: %s", each.name, note)
    found = Dictionaries(read)
    for text in duplicates_told(found.duplicates):
        log.warning("%s", text)
    return found


def duplicates_told(duplicates: Sequence[Duplicate]) -> list[str]:
    """Say which keywords stand in several dictionaries and differ, a line for each pair of files."""

    def files(each: Duplicate) -> tuple[str, str]:
        return each.used.rpartition(":")[0], each.unused.rpartition(":")[0]

    differing = sorted((each for each in duplicates if not each.is_same), key=files)
    told = []
    for (used, unused), group in groupby(differing, files):
        names = [each.name for each in group]
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        listed = ", ".join(names[:_MOST_NAMED])
        told.append(f"{used} and {unused} differ in {listed}{more}: the first one counts")
    return told
