"""Which events tell of something that an operator must see, and what of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from idl_like_interfaces.alarms import (
    ALARM_TOPIC,
    PAUSE_TOPIC,
    Alarm,
    Column,
    PauseCondition,
    Severity,
)
from idl_like_interfaces.announcements import HEARTBEAT_TOPIC, ComponentState, Heartbeat
from idl_like_interfaces.clients.records import Event
from idl_like_interfaces.clients.sight import Blindness
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.events import Gap

_MOST_KNOWN = 10_000

_SEVERITIES = {
    "error": Severity.MAJOR,
    "critical": Severity.FATAL,
    "failure": Severity.FATAL,
    "major": Severity.MAJOR,
    "fatal": Severity.FATAL,
}
"""What other events call what must be seen."""


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Something that an operator must see.

    Attributes:
        channel: On which it was told.
        source: Who told it; empty: the channel itself.
        severity: How bad it is.
        text: What to read.
        cause: The probable cause, if it was told.
        remedy: What to do, if it was told.
    """

    channel: str
    source: str
    severity: Severity
    text: str
    cause: str = ""
    remedy: str = ""


class Troubles:
    """Tells troubles from the rest, each once for as long as it lasts."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, ...], str] = OrderedDict()

    def of(self, channel: str, item: Event | Gap | Blindness) -> list[Trouble]:
        """Return what is new and must be seen."""
        match item:
            case Gap():
                return [_of_gap(channel, item)]
            case Blindness():
                return [] if item.is_over else [_of_blindness(channel, item)]
            case Event(topic=topic) if topic in _KNOWN_TOPICS:
                try:
                    return self._of_known(channel, item)
                except BadParam as error:
                    return [_made(channel, item, Severity.MINOR, error.message, "", error.remedy)]
            case _:
                return list(self._of_others(channel, item))

    def _of_known(self, channel: str, event: Event) -> list[Trouble]:
        if event.topic == ALARM_TOPIC:
            return self._of_alarm(channel, event, event.as_(Alarm))
        if event.topic == PAUSE_TOPIC:
            return _of_pause(channel, event, event.as_(PauseCondition))
        return self._of_heartbeat(channel, event, event.as_(Heartbeat))

    def _of_alarm(self, channel: str, event: Event, alarm: Alarm) -> list[Trouble]:
        report = alarm.report
        is_bad = alarm.column is Column.BAD
        stands = f"{report.severity}, {alarm.is_chattering}" if is_bad else ""
        if not self._is_new((channel, "alarm", report.object, report.name), stands):
            return []
        text = f"{report.object}: {report.name}: {report.text}"
        return [_made(channel, event, report.severity, text, report.cause, report.remedy)]

    def _of_heartbeat(self, channel: str, event: Event, heartbeat: Heartbeat) -> list[Trouble]:
        stands = heartbeat.detail if heartbeat.state is ComponentState.ERROR else ""
        is_error = heartbeat.state is ComponentState.ERROR
        key = (channel, "heartbeat", event.source)
        if not self._is_new(key, f"error: {stands}" if is_error else ""):
            return []
        text = f"{event.source} is in error: {heartbeat.detail}"
        cause = "it says so itself, once a second"
        return [_made(channel, event, Severity.MAJOR, text, cause, "see its log")]

    def _of_others(self, channel: str, event: Event) -> Iterator[Trouble]:
        """Find what says itself that it is an error, e.g. the alerts of an acquisition."""
        if not isinstance(event.body, Mapping):
            return
        about = str(event.body.get("id", ""))
        for each in [event.body, *_alerts(event.body)]:
            severity = _SEVERITIES.get(str(each.get("severity", "")).lower())
            if severity is None:
                continue
            text = str(each.get("description") or each.get("text") or each.get("message") or each)
            key = (channel, event.topic, event.source, about, str(each.get("id", "")))
            if self._is_new(key, f"{severity}: {text}"):
                said = f"{event.source}: {about + ': ' if about else ''}{text}"
                cause, remedy = str(each.get("cause", "")), str(each.get("remedy", ""))
                yield _made(channel, event, severity, said, cause, remedy)

    def _is_new(self, key: tuple[str, ...], stands: str) -> bool:
        """Tell whether it stands so since now; empty: it stands no more."""
        if not stands:
            self._known.pop(key, None)
            return False
        is_new = self._known.get(key) != stands
        self._known[key] = stands
        self._known.move_to_end(key)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return is_new


_KNOWN_TOPICS = frozenset({ALARM_TOPIC, PAUSE_TOPIC, HEARTBEAT_TOPIC})


def _alerts(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    alerts = body.get("alerts")
    found = alerts if isinstance(alerts, list) else []
    return [each for each in found if isinstance(each, Mapping)]


def _of_pause(channel: str, event: Event, pause: PauseCondition) -> list[Trouble]:
    if pause.is_over:
        return []
    report = pause.alarm.report
    text = f"a run must pause ({pause.number}): {report.object}: {report.name}: {report.text}"
    return [_made(channel, event, report.severity, text, report.cause, report.remedy)]


def _of_gap(channel: str, gap: Gap) -> Trouble:
    count = "an unknown number of" if gap.count < 0 else str(gap.count)
    return Trouble(
        channel=channel,
        source="",
        severity=Severity.WARNING,
        text=f"{count} events are missing ({gap.reason})",
        cause="the channel was restarted, or it could not hold them for so long",
        remedy="what they told is not known here: ask the services themselves",
    )


def _of_blindness(channel: str, blindness: Blindness) -> Trouble:
    return Trouble(
        channel=channel,
        source="",
        severity=Severity.MAJOR,
        text=f"the channel does not answer since {blindness.since:%H:%M:%S} UTC",
        cause=blindness.cause or "it was killed, hangs, or its host or network is away",
        remedy="see `obsorb names ping`; what happens meanwhile comes later, or as a gap",
    )


def _made(
    channel: str, event: Event, severity: Severity, text: str, cause: str, remedy: str
) -> Trouble:
    return Trouble(
        channel=channel,
        source=event.source,
        severity=severity,
        text=text,
        cause=cause,
        remedy=remedy,
    )
