"""Several dictionaries as one: which record a keyword has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

import msgspec

from idl_like_interfaces.dictionaries import Dictionary, DictionaryRecord, Duplicate
from objects.dictionaries import names

_MOST_COMPARED = 20_000


class Dictionaries:
    """Finds records by the names of keywords.

    A name without placeholders goes before those with some, fewer placeholders before more,
    and the first dictionary before the others.

    Args:
        dictionaries: In the order in which they count.

    Attributes:
        names: Of the dictionaries.
        duplicates: Names that stand in more than one of them.
    """

    def __init__(self, dictionaries: Sequence[Dictionary]) -> None:
        self.names = [each.name for each in dictionaries]
        self.duplicates: list[Duplicate] = []
        self._records: dict[str, DictionaryRecord] = {}
        self._indexed: dict[str, list[tuple[re.Pattern[str], DictionaryRecord]]] = {}
        self._paths: dict[str, str] = {}
        for dictionary in dictionaries:
            self._take(dictionary)
        for candidates in self._indexed.values():
            candidates.sort(key=lambda each: each[1].name.count("#"))

    def __len__(self) -> int:
        """Return how many records there are."""
        return len(self._records)

    def find(self, name: str) -> DictionaryRecord | None:
        """Return the record of a keyword, e.g. of ``INS2 FILT3 ID``; ``None``: there is none."""
        found = self._records.get(name)
        if found is not None and not names.has_index(name):
            return found
        for pattern, record in self._indexed.get(names.skeleton(name), ()):
            if pattern.fullmatch(name):
                return record
        return None

    def similar(self, name: str) -> list[str]:
        """Return names that may have been meant, at most 3."""
        known = list(self._records)[:_MOST_COMPARED]
        return get_close_matches(name, known, n=3, cutoff=0.75)

    def _take(self, dictionary: Dictionary) -> None:
        for record in dictionary.records:
            known = self._records.setdefault(record.name, record)
            if known is not record:
                self._note_duplicate(known, record, dictionary.path)
                continue
            self._paths[record.name] = dictionary.path
            if names.has_index(record.name):
                same = self._indexed.setdefault(names.skeleton(record.name), [])
                same.append((names.matcher(record.name), record))

    def _note_duplicate(self, used: DictionaryRecord, unused: DictionaryRecord, path: str) -> None:
        self.duplicates.append(
            Duplicate(
                name=used.name,
                used=f"{self._paths[used.name]}:{used.line}",
                unused=f"{path}:{unused.line}",
                is_same=_meaning(used) == _meaning(unused),
            )
        )


def _meaning(record: DictionaryRecord) -> DictionaryRecord:
    return msgspec.structs.replace(record, dictionary="", line=0, description="")
