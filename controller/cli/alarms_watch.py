"""``obsorb alarms watch`` and ``list --follow``: alarms and errors as they come."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from controller.cli.alarms_text import STYLES, alarm_lines, overview_lines
from controller.cli.output import print_json, print_note
from controller.cli.samples import listening
from controller.cli.session import Session
from controller.cli.styled import Styled, print_styled, width
from controller.failure import CommandFailed
from idl_like_interfaces.alarms import (
    ALARM_TOPIC,
    Alarm,
    AlarmFilter,
    AlarmService,
    Column,
    Overview,
)
from idl_like_interfaces.clients.monitor import Monitor
from idl_like_interfaces.clients.troubles import Trouble
from idl_like_interfaces.errors import CommFailure, ObjectNotExist, PersistStore
from idl_like_interfaces.events import EventChannel
from idl_like_interfaces.naming import NotFound

if TYPE_CHECKING:
    from rich.console import Console

    from nameserver.client import Names

_PERIOD_S = 1.0
_LOOK_S = 10.0
_MOST = 10_000
_KEPT = 200

Timed: TypeAlias = tuple[datetime, Trouble]

_AWAY = (CommFailure, NotFound, ObjectNotExist, PersistStore)


def follow(session: Session, client: Names, filter: AlarmFilter) -> None:
    """Print what stands and then each change, until it is interrupted.

    What happens is told by the event channel, what stands is asked of the service: so nothing
    is missed while one of them is away.
    """
    service = client.narrow(session.path("alarms"), AlarmService)
    with listening(session, client, [ALARM_TOPIC]) as consumer:
        known = {alarm.alarm_id: alarm for alarm in service.get_alarms(filter, _MOST)}
        _print_alarms(session, (each for each in known.values() if each.column is not Column.GOOD))
        is_away = False
        while True:
            consumer.read(_LOOK_S)
            try:
                found = {alarm.alarm_id: alarm for alarm in service.get_alarms(filter, _MOST)}
            except _AWAY as error:
                if not is_away:
                    print_note(f"-- the alarm service does not answer: {error.briefly()}")
                is_away = True
                threading.Event().wait(_PERIOD_S)
                continue
            if is_away:
                print_note("-- the alarm service answers again")
            is_away = False
            news = (each for number, each in found.items() if _is_news(known.get(number), each))
            _print_alarms(session, sorted(news, key=lambda alarm: alarm.changed))
            known = found


def _is_news(before: Alarm | None, after: Alarm) -> bool:
    if before is None:
        return True
    return (before.changed, before.report.text, before.is_stale) != (
        after.changed,
        after.report.text,
        after.is_stale,
    )


def _print_alarms(session: Session, alarms: Iterable[Alarm]) -> None:
    now = datetime.now(UTC)
    for alarm in alarms:
        if session.as_json:
            print_json(alarm, lines=True)
        else:
            print_styled(alarm_lines(alarm, now, width()))


def watch_alarms(
    session: Session,
    client: Names,
    filter: AlarmFilter,
    channels: list[str],
    log: str,
    count: int,
) -> None:
    """Show alarms and what goes wrong on event channels, until it is interrupted."""
    service = client.narrow(session.path("alarms"), AlarmService)
    desk = _Popups(count)
    stubs = {name: client.narrow(name, EventChannel) for name in channels}
    try:
        monitor = Monitor(stubs, desk.take, file=Path(log) if log else None)
    except OSError as error:
        raise CommandFailed(
            f"{log} cannot be written: {error.strerror or error}",
            remedy="give another file with --log",
        ) from error
    with monitor:
        _watch(session, service, filter, monitor, desk)


class _Popups:
    """The troubles of late; any thread may take them up."""

    def __init__(self, count: int) -> None:
        self.recent: deque[Timed] = deque(maxlen=_KEPT)
        self.fresh: deque[Timed] = deque(maxlen=_KEPT)
        self._count = count
        self._taken = 0
        self.news = threading.Event()

    @property
    def is_done(self) -> bool:
        return 0 < self._count <= self._taken

    def take(self, trouble: Trouble) -> None:
        if self.is_done:
            return
        self._taken += 1
        timed = datetime.now(UTC), trouble
        self.recent.appendleft(timed)
        self.fresh.append(timed)
        self.news.set()

    def drain(self) -> list[Timed]:
        return [self.fresh.popleft() for _ in range(len(self.fresh))]


def _watch(
    session: Session,
    service: AlarmService,
    filter: AlarmFilter,
    monitor: Monitor,
    popups: _Popups,
) -> None:
    from rich.console import Console

    console = Console()
    if session.as_json or not console.is_terminal:
        while not popups.is_done or popups.fresh:
            popups.news.wait(_PERIOD_S)
            popups.news.clear()
            for each in popups.drain():
                _print_trouble(session, each)
        return
    _watch_live(console, service, filter, monitor, popups)


def _print_trouble(session: Session, timed: Timed) -> None:
    if session.as_json:
        print_json({"time": timed[0], "trouble": timed[1]}, lines=True)
    else:
        print_styled(trouble_lines(timed, width()))


def _watch_live(
    console: Console,
    service: AlarmService,
    filter: AlarmFilter,
    monitor: Monitor,
    popups: _Popups,
) -> None:
    from rich.live import Live
    from rich.text import Text

    with Live(console=console, screen=True, auto_refresh=False, transient=True) as live:
        while not popups.is_done:
            try:
                overview: Overview | None = service.overview(filter, 10)
            except _AWAY:
                overview = None
            if popups.drain():
                console.bell()
            lines = screen(overview, list(popups.recent), monitor, datetime.now(UTC), console.width)
            shown = lines[: console.height]
            frame = Text("\n").join(Text(each.text, style=each.style) for each in shown)
            live.update(frame, refresh=True)
            popups.news.wait(_PERIOD_S)
            popups.news.clear()


def screen(
    overview: Overview | None,
    troubles: list[Timed],
    monitor: Monitor | None,
    now: datetime,
    wide: int,
) -> list[Styled]:
    """Return the lines of the screen, what matters most first; a terminal shows as many as fit."""
    lines = [Styled(f"alarms at {now:%H:%M:%S} UTC".ljust(wide), "reverse")]
    if overview is None:
        lines.append(Styled("the alarm service does not answer", "bold red"))
    else:
        lines += overview_lines(overview, now, wide)
    if monitor is not None:
        lines += [
            Styled(f"{name} does not answer: nothing is known from it", "bold red")
            for name in monitor.blind
        ]
        lines += [Styled(monitor.problem, "bold red")] if monitor.problem else []
    lines.append(Styled(""))
    lines.append(Styled(f"what went wrong, newest first ({len(troubles)})".ljust(wide), "reverse"))
    for each in troubles:
        lines += trouble_lines(each, wide)
    return lines


def trouble_lines(timed: Timed, wide: int) -> list[Styled]:
    """Say a trouble, with its cause and its remedy below."""
    time, trouble = timed
    style = STYLES[trouble.severity]
    begin = f"{time:%H:%M:%S}  {trouble.severity:<7} {trouble.channel}  "
    lines = [Styled(_cut(begin + trouble.text, wide), style)]
    for name, text in (("cause: ", trouble.cause), ("remedy:", trouble.remedy)):
        if text:
            lines.append(Styled(_cut(f"          {name} {text}", wide), "dim"))
    return lines


def _cut(text: str, wide: int) -> str:
    line = " ".join(text.splitlines())
    return line if len(line) <= wide else line[: wide - 1] + "…"
