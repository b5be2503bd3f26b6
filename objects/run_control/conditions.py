"""For what runs pause by themselves, and when they may go on (pure).

A condition is known by a key. It comes from who raises an alarm (``pauses_run``), from a rule of
a run's configuration, or from a member that asks for it (a disk that fills up).
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from idl_like_interfaces.alarms import Alarm, Column, PauseCondition
from idl_like_interfaces.declare import Value
from idl_like_interfaces.run_configuration import PauseRule, RunConfiguration
from idl_like_interfaces.run_control import Member


class Cause(Value, frozen=True, kw_only=True):
    """A condition for which a run must pause now.

    Attributes:
        key: By which it is known.
        text: What it is, for people.
        resumes: The run goes on by itself when it is over.
    """

    key: str
    text: str
    resumes: bool = False


class Conditions:
    """All conditions that hold now. Not thread-safe: its owner has a lock."""

    def __init__(self) -> None:
        self._declared: dict[str, PauseCondition] = {}
        self._alarms: dict[str, Alarm] = {}
        self._wishes: dict[str, str] = {}

    def hear_condition(self, told: PauseCondition) -> None:
        """Take what the alarm service says of a condition that must pause a run."""
        key = alarm_key(told.alarm)
        if told.is_over:
            self._declared.pop(key, None)
        else:
            self._declared[key] = told

    def hear_alarm(self, alarm: Alarm) -> None:
        """Take an alarm that has changed; one that was acknowledged is no reason any more."""
        key = alarm_key(alarm)
        if is_bad(alarm):
            self._alarms[key] = alarm
        else:
            self._alarms.pop(key, None)

    def hear_all(self, conditions: Iterable[PauseCondition], alarms: Iterable[Alarm]) -> None:
        """Take all that holds now instead of what was heard before."""
        self._declared = {alarm_key(each.alarm): each for each in conditions if not each.is_over}
        self._alarms = {alarm_key(each): each for each in alarms if is_bad(each)}

    def hear_members(self, members: Iterable[Member]) -> None:
        """Take what all present members wish."""
        self._wishes = {each.name: each.pause_wish for each in members if each.pause_wish}

    def all_texts(self) -> list[str]:
        """Return the conditions that would pause any run, in words."""
        texts = {f"alarm:{key}": _said(each.alarm) for key, each in self._declared.items()}
        texts |= {f"wish:{name}": _wish(name, text) for name, text in self._wishes.items()}
        return sorted(texts.values())

    def causes(self, configuration: RunConfiguration, members: Iterable[str]) -> list[Cause]:
        """Return for what a run must pause now.

        Args:
            configuration: Of the run.
            members: Components that write it.
        """
        found = {
            key: Cause(key=f"alarm:{key}", text=_said(each.alarm))
            for key, each in self._declared.items()
        }
        for key, alarm in self._alarms.items():
            rule = matching(configuration.pause_rules, alarm)
            if rule is not None and key not in found:
                found[key] = Cause(key=f"alarm:{key}", text=_said(alarm), resumes=rule.resumes)
        wanted = set(members)
        wishes = [
            Cause(key=f"wish:{name}", text=_wish(name, text))
            for name, text in self._wishes.items()
            if name in wanted
        ]
        return sorted([*found.values(), *wishes], key=lambda each: each.key)


def matching(rules: Iterable[PauseRule], alarm: Alarm) -> PauseRule | None:
    """Return the first rule that an alarm fits; one that resumes by itself yields to others."""
    report = alarm.report
    fitting = [
        each
        for each in rules
        if fnmatchcase(report.object, each.object)
        and fnmatchcase(report.name, each.name)
        and report.severity.is_at_least(each.severity)
    ]
    return min(fitting, key=lambda each: each.resumes, default=None)


def is_bad(alarm: Alarm) -> bool:
    """Tell whether an alarm holds and nobody has taken note of it."""
    return alarm.is_active and alarm.column is Column.BAD


def alarm_key(alarm: Alarm) -> str:
    """Return by what a condition is known."""
    return f"{alarm.report.object}: {alarm.report.name}"


def _said(alarm: Alarm) -> str:
    return f"{alarm_key(alarm)} ({alarm.report.severity.value}): {alarm.report.text}"


def _wish(name: str, text: str) -> str:
    return f"{name} asks for a pause: {text}"
