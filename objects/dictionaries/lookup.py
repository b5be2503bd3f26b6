"""Several dictionaries as one: which record a keyword has.

A keyword is looked for by its name, and by its name with some of its numbers replaced by
``#``: that is a handful of looks into a table, however many records there are. Names in
which an index stands beside a digit, or with very many numbers, are told by expressions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from itertools import product

import msgspec

from idl_like_interfaces.dictionaries import Dictionary, DictionaryRecord, Duplicate
from objects.dictionaries import names

_MOST_NUMBERS = 6
"""A name with more numbers is told by an expression: its looks would double with each."""

_NUMBER = re.compile(r"[0-9]+")
_PLACE = re.compile(r"[0-9]+|\(#\)|#")
_OPTIONAL = re.compile(r"\(#\)")
_BESIDE_DIGIT = re.compile(r"[0-9](?:#|\(#\))|(?:#|\(#\))[0-9]")

_MOST_COMPARED = 2000
_LENGTHS_APART = 3


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
        self._paths: dict[str, str] = {}
        self._indexed: dict[str, list[DictionaryRecord]] = {}
        self._unusual: dict[str, list[tuple[re.Pattern[str], DictionaryRecord]]] = {}
        for dictionary in dictionaries:
            self._take(dictionary)

    def __len__(self) -> int:
        """Return how many records there are."""
        return len(self._records)

    def find(self, name: str) -> DictionaryRecord | None:
        """Return the record of a keyword, e.g. of ``INS2 FILT3 ID``; ``None``: there is none."""
        if names.has_index(name):
            return None
        found = self._records.get(name)
        if found is not None:
            return found
        return min(self._fitting(name), key=_placeholders, default=None)

    def similar(self, name: str) -> list[str]:
        """Return names that may have been meant, at most 3."""
        words = name.count(" ")
        near = [
            known
            for known in self._records
            if known.count(" ") == words and abs(len(known) - len(name)) <= _LENGTHS_APART
        ]
        return get_close_matches(name, near[:_MOST_COMPARED], n=3, cutoff=0.75)

    def _fitting(self, name: str) -> Iterator[DictionaryRecord]:
        if len(_NUMBER.findall(name)) <= _MOST_NUMBERS:
            for key in _generalised(name):
                yield from self._indexed.get(key, ())
        for pattern, record in self._unusual.get(names.skeleton(name), ()):
            if pattern.fullmatch(name):
                yield record

    def _take(self, dictionary: Dictionary) -> None:
        for record in dictionary.records:
            known = self._records.setdefault(record.name, record)
            if known is not record:
                self._note_duplicate(known, record, dictionary.path)
                continue
            self._paths[record.name] = dictionary.path
            if names.has_index(record.name):
                self._index(record)

    def _index(self, record: DictionaryRecord) -> None:
        name = record.name
        if _BESIDE_DIGIT.search(name) or len(_PLACE.findall(name)) > _MOST_NUMBERS:
            same = self._unusual.setdefault(names.skeleton(name), [])
            same.append((names.matcher(name), record))
            return
        for key in _written_out(name):
            self._indexed.setdefault(key, []).append(record)

    def _note_duplicate(self, used: DictionaryRecord, unused: DictionaryRecord, path: str) -> None:
        self.duplicates.append(
            Duplicate(
                name=used.name,
                used=f"{self._paths[used.name]}:{used.line}",
                unused=f"{path}:{unused.line}",
                is_same=_meaning(used) == _meaning(unused),
            )
        )


def _generalised(name: str) -> Iterator[str]:
    """Return a name with every choice of its numbers replaced by ``#``."""
    texts, numbers = _NUMBER.split(name), _NUMBER.findall(name)
    for chosen in product(*((number, "#") for number in numbers)):
        yield "".join(part for pair in zip(texts, (*chosen, ""), strict=True) for part in pair)


def _written_out(name: str) -> Iterator[str]:
    """Return a name with every choice of its optional indices being there or not."""
    texts = _OPTIONAL.split(name)
    for chosen in product(("#", ""), repeat=len(texts) - 1):
        yield "".join(part for pair in zip(texts, (*chosen, ""), strict=True) for part in pair)


def _placeholders(record: DictionaryRecord) -> int:
    return record.name.count("#")


def _meaning(record: DictionaryRecord) -> DictionaryRecord:
    return msgspec.structs.replace(record, dictionary="", line=0, description="")
