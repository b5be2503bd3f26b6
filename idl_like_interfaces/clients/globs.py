"""Globs over topics and names, matched in time that no pattern can blow up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from idl_like_interfaces.clients.topics import LONGEST, check_topic, shortened
from idl_like_interfaces.event_errors import InvalidTopic

Item = TypeVar("Item")

MOST_FILTERS = 1000
"""Of one reader: each of them is judged for each new topic, while others wait."""

_MOST_CACHED = 4096
_WILD = frozenset("*?")


def match_runs(
    pattern: Sequence[Item],
    subject: Sequence[Item],
    run: Item,
    fits: Callable[[Item, Item], bool],
) -> bool:
    """Match a sequence against a pattern in which ``run`` stands for any run of items.

    Only the last run has to be tried again when something does not fit (an earlier
    one could not do better), so the work is at most the product of the two lengths.
    """
    p = s = 0
    last_run, resume = -1, 0
    while s < len(subject):
        if p < len(pattern) and pattern[p] == run:
            last_run, resume = p, s
            p += 1
        elif p < len(pattern) and fits(pattern[p], subject[s]):
            p, s = p + 1, s + 1
        elif last_run >= 0:
            resume += 1
            p, s = last_run + 1, resume
        else:
            return False
    return all(item == run for item in pattern[p:])


def _fits_character(pattern: str, character: str) -> bool:
    return pattern in ("?", character)


def match_text(pattern: str, text: str) -> bool:
    """Match a text: ``*`` is any run of characters, ``?`` is one."""
    return match_runs(pattern, text, "*", _fits_character)


class TopicFilters:
    """The filters of one consumer; remembers the verdict on each topic.

    Attributes:
        patterns: The filters as given.
        takes_all: One of them is ``**``: there is no topic that does not match.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        if not patterns:
            raise InvalidTopic(
                "the list of topic filters is empty",
                topic="",
                cause="without a filter no event could ever be delivered",
                remedy="give at least one filter, for example '**' for all topics",
            )
        if len(patterns) > MOST_FILTERS:
            raise InvalidTopic(
                f"{len(patterns)} topic filters are too many",
                topic="",
                cause=f"one reader has at most {MOST_FILTERS}",
                remedy="take wider filters, such as 'daq/**', or read with several consumers",
            )
        for pattern in patterns:
            check_filter(pattern)
        self.patterns = list(patterns)
        self.takes_all = "**" in patterns
        self._topics = {pattern for pattern in patterns if not _WILD & set(pattern)}
        self._split = [each.split("/") for each in patterns if each not in self._topics]
        self._verdicts: dict[str, bool] = {}

    def matches(self, topic: str) -> bool:
        """Tell whether one of the filters matches a topic."""
        if self.takes_all or topic in self._topics:
            return True
        if not self._split:
            return False
        verdict = self._verdicts.get(topic)
        return self._judge(topic) if verdict is None else verdict

    def _judge(self, topic: str) -> bool:
        components = topic.split("/")
        verdict = any(match_runs(pattern, components, "**", match_text) for pattern in self._split)
        if len(self._verdicts) >= _MOST_CACHED:
            self._verdicts.clear()
        self._verdicts[topic] = verdict
        return verdict


def check_filter(pattern: str) -> None:
    """Refuse a text that is not a topic filter.

    Raises:
        InvalidTopic: With its wildcards replaced by letters it would not be a topic,
            or ``**`` is not a component of its own.
    """
    stars = [part for part in pattern.split("/") if "**" in part and part != "**"]
    try:
        check_topic(pattern.replace("*", "x").replace("?", "x"))
    except InvalidTopic:
        stars = [pattern]
    if stars:
        raise InvalidTopic(
            f"{shortened(pattern)!r} is not a topic filter",
            topic=shortened(pattern),
            cause=f"a filter is a topic of at most {LONGEST} characters in which '*' stands for "
            "characters within a component and '**', as a whole component, for any components",
            remedy="correct the filter; 'daq/**' takes all topics below daq",
        )
