"""Which alarms a filter takes; its globs are compiled once and never blow up."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from idl_like_interfaces.alarms import Alarm, AlarmFilter
from idl_like_interfaces.errors import BadParam

MOST_PATTERNS = 1000
LONGEST_PATTERN = 255


class Globs:
    """A list of patterns, one of which must match; what begins with ``!`` must not.

    Args:
        patterns: With ``*`` for any run of characters and ``?`` for one.
        field: Where they stand, for the refusal.

    Raises:
        BadParam: A pattern is empty or too long, or there are too many.
    """

    def __init__(self, patterns: Sequence[str], field: str) -> None:
        if len(patterns) > MOST_PATTERNS:
            raise _refusal(
                f"there are {len(patterns)} patterns, the most are {MOST_PATTERNS}", field
            )
        for place, pattern in enumerate(patterns):
            if not 0 < len(pattern.removeprefix("!")) <= LONGEST_PATTERN:
                text = f"{pattern[:LONGEST_PATTERN]!r} is no pattern of 1 to {LONGEST_PATTERN} characters"
                raise _refusal(text, f"{field}[{place}]")
        self._wanted = _Matcher([each for each in patterns if not each.startswith("!")])
        self._unwanted = _Matcher([each[1:] for each in patterns if each.startswith("!")])
        self._verdicts: dict[str, bool] = {}

    def take(self, text: str) -> bool:
        """Tell whether they let a text pass."""
        verdict = self._verdicts.get(text)
        if verdict is None:
            wanted = self._wanted.is_empty or self._wanted.matches(text)
            verdict = self._verdicts[text] = wanted and not self._unwanted.matches(text)
        return verdict


class _Matcher:
    def __init__(self, patterns: list[str]) -> None:
        self.is_empty = not patterns
        self._texts = {each for each in patterns if not {"*", "?"} & set(each)}
        self._globs = [_compiled(each) for each in patterns if each not in self._texts]

    def matches(self, text: str) -> bool:
        return text in self._texts or any(each.fullmatch(text) for each in self._globs)


def _compiled(glob: str) -> re.Pattern[str]:
    """Translate a glob. An earlier run never has to be tried again: it is an atomic group."""
    first, *rest = [
        "".join("." if each == "?" else re.escape(each) for each in part)
        for part in re.split(r"\*+", glob)
    ]
    if not rest:
        return re.compile(first, re.DOTALL)
    *middle, last = rest
    runs = "".join(f"(?>.*?{part})" for part in middle)
    return re.compile(f"{first}{runs}.*{last}", re.DOTALL)


class Filter:
    """A declared filter, ready to judge many alarms.

    Raises:
        BadParam: One of its patterns is none.
    """

    def __init__(self, declared: AlarmFilter, field: str = "filter") -> None:
        self._declared = declared
        self._globs: list[tuple[Globs, Callable[[Alarm], str]]] = [
            (Globs(patterns, f"{field}.{name}"), read)
            for name, patterns, read in (
                ("names", declared.names, lambda alarm: alarm.report.name),
                ("objects", declared.objects, lambda alarm: alarm.report.object),
                ("attributes", declared.attributes, lambda alarm: alarm.report.attribute),
                ("subsystems", declared.subsystems, lambda alarm: alarm.report.subsystem),
                ("system_ids", declared.system_ids, lambda alarm: alarm.report.system_id),
            )
            if patterns
        ]

    def takes(self, alarm: Alarm) -> bool:
        """Tell whether an alarm passes."""
        return self._matches(alarm) is not self._declared.negate

    def _matches(self, alarm: Alarm) -> bool:
        wanted = self._declared
        return (
            alarm.report.severity.is_at_least(wanted.severity)
            and (not wanted.columns or alarm.column in wanted.columns)
            and (not wanted.states or alarm.state in wanted.states)
            and all(globs.take(read(alarm)) for globs, read in self._globs)
        )


def _refusal(text: str, field: str) -> BadParam:
    return BadParam(
        text,
        field=field,
        remedy="give globs such as 'disk*' ('*' any characters, '?' one), with '!' in front to "
        "leave out what matches",
    )
