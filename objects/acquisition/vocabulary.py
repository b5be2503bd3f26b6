"""Which keywords an acquisition takes: those of dictionaries, or any when there are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from idl_like_interfaces.documents import (
    FitsFileSource,
    FitsKeywordsSource,
    MetadataSource,
    PrimarySource,
    StartSource,
)
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.keywords import FitsKeyword
from objects.acquisition.refusals import refused_for
from objects.acquisition.sources import WITHOUT_IT
from objects.acquisition.specification import Plan
from objects.dictionaries.checking import KeywordRefused, complete_keyword
from objects.dictionaries.lookup import Dictionaries

_MOST_TOLD = 200
_MOST_HINTS = 5


class Vocabulary:
    """Checks keywords and writes them as the dictionaries say.

    Args:
        dictionaries: ``None``: any keyword is taken, as it is.
    """

    def __init__(self, dictionaries: Dictionaries | None = None) -> None:
        self._dictionaries = dictionaries

    def plan(self, plan: Plan, keywords: str, sources: str) -> Plan:
        """Return a plan with its keywords in the form in which they go into the product.

        Args:
            plan: What a client asks for.
            keywords: Path of the plan's own keywords, for the refusal.
            sources: Path of its sources.

        Raises:
            DaqException: Naming every keyword that is refused, by its path.
        """
        paths = [
            f"{sources}[{place}].{_MEMBER.get(type(source), '')}"
            for place, source in enumerate(plan.sources)
        ]
        lists = {keywords: plan.keywords}
        for source, path in zip(plan.sources, paths, strict=True):
            lists[path] = _keywords_of(source)
        try:
            found = self.checked(lists)
        except BadParam as error:
            raise refused_for(plan.id, error) from error
        complete = [
            _with_keywords(source, found[path])
            for source, path in zip(plan.sources, paths, strict=True)
        ]
        return replace(plan, keywords=found[keywords], sources=complete)

    def update(self, id: str, keywords: Sequence[FitsKeyword]) -> list[FitsKeyword]:
        """Do the same with the keywords of an update.

        Raises:
            DaqException: Naming every keyword that is refused, by its path.
        """
        try:
            return self.checked({"keywords": keywords})["keywords"]
        except BadParam as error:
            raise refused_for(id, error) from error

    def of_source(self, keywords: Sequence[FitsKeyword]) -> list[FitsKeyword]:
        """Do the same with what a source says at its stop.

        Raises:
            BadParam: Naming every keyword that is refused, by its path.
        """
        try:
            return self.checked({"keywords": keywords})["keywords"]
        except BadParam as error:
            raise BadParam(
                error.message,
                field=error.field,
                cause=error.cause,
                remedy=f"correct the source, or the dictionaries; {WITHOUT_IT}",
            ) from error

    def checked(self, lists: Mapping[str, Sequence[FitsKeyword]]) -> dict[str, list[FitsKeyword]]:
        """Check several lists of keywords, all or nothing.

        Args:
            lists: By the path of each.

        Returns:
            The same lists of finished cards.

        Raises:
            BadParam: Naming every keyword that is refused, by its path.
        """
        if self._dictionaries is None:
            return {path: list(keywords) for path, keywords in lists.items()}
        bad = _Complaints(self._dictionaries)
        found: dict[str, list[FitsKeyword]] = {path: [] for path in lists}
        for path, keywords in lists.items():
            for place, keyword in enumerate(keywords):
                try:
                    found[path].append(complete_keyword(keyword, self._dictionaries))
                except KeywordRefused as error:
                    bad.add(f"{path}[{place}]", error)
        bad.refuse()
        return found


ANY: Final = Vocabulary()
"""Takes every keyword as it is."""


class _Complaints:
    """What is wrong with the keywords of one command."""

    def __init__(self, dictionaries: Dictionaries) -> None:
        self._dictionaries = dictionaries
        self._told: list[str] = []
        self._count = 0
        self._hints = 0
        self._first = ""

    def add(self, path: str, error: KeywordRefused) -> None:
        self._first = self._first or path
        self._count += 1
        if self._count <= _MOST_TOLD:
            self._told.append(f"{path} ({error.name}): {error}{self._hint(error)}")

    def refuse(self) -> None:
        if not self._count:
            return
        message = self._told[0]
        if self._count > 1:
            more = self._count - len(self._told)
            rest = [f"and {more} more"] if more else []
            message = "\n  ".join([f"{self._count} keywords are refused:", *self._told, *rest])
        raise BadParam(
            message,
            field=self._first,
            cause=f"only keywords of {', '.join(self._dictionaries.names)} are taken",
            remedy="correct the keywords, or the dictionaries"
            " (`obsorb dictionary show FILE KEYWORD` tells what they say)",
        )

    def _hint(self, error: KeywordRefused) -> str:
        """Name what may have been meant; that takes a while, so it is not done for all."""
        if not error.is_unknown or self._hints >= _MOST_HINTS:
            return ""
        self._hints += 1
        similar = self._dictionaries.similar(error.name)
        return f"; did you mean {' or '.join(similar)}?" if similar else ""


_MEMBER: dict[type, str] = {
    FitsKeywordsSource: "keywords",
    PrimarySource: "initialKeywords",
    MetadataSource: "initialKeywords",
}


def _keywords_of(source: StartSource) -> list[FitsKeyword]:
    match source:
        case FitsKeywordsSource():
            return source.keywords
        case PrimarySource() | MetadataSource():
            return source.initial_keywords
        case FitsFileSource():
            return []


def _with_keywords(source: StartSource, keywords: list[FitsKeyword]) -> StartSource:
    match source:
        case FitsKeywordsSource():
            return replace(source, keywords=keywords)
        case PrimarySource() | MetadataSource():
            return replace(source, initial_keywords=keywords)
        case FitsFileSource():
            return source
