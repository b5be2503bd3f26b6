"""The further pages of the dashboard as text."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from controller.dashboard.loggers import LoggerHistory
from controller.dashboard.page import KEYS, Page, hints
from controller.dashboard.snapshot import ChannelLine, Snapshot
from idl_like_interfaces.accounts import Account, Balance, Drop, Flow, HopKind, Line, Verdict
from idl_like_interfaces.alarm_statistics import AlarmStats
from idl_like_interfaces.alarms import (
    Alarm,
    AlarmLine,
    AlarmReport,
    AlarmState,
    Column,
    Overview,
    Severity,
)
from idl_like_interfaces.errors import CommFailure
from idl_like_interfaces.event_quality import QoS
from idl_like_interfaces.events import ConsumerState, ConsumerStats, JournalStats
from idl_like_interfaces.oldb import OldbStats
from idl_like_interfaces.project import ProjectInformation
from idl_like_interfaces.supervision import PartState, PartStatus, SupervisorStatus
from tests.unit.controller.loggers import logger, run_control
from tests.unit.controller.pictures import NOON, component, draw, installation

MINUTE = timedelta(minutes=1)
SIZES = [(80, 24), (200, 50)]


def alarm(number: int, severity: Severity = Severity.MAJOR) -> AlarmLine:
    report = AlarmReport(
        object=f"obs/part{number}",
        name="crash loop",
        severity=severity,
        text=f"part{number} died 5 times",
        cause="a bug in it",
        remedy="mend it",
        time=NOON,
    )
    newest = Alarm(
        alarm_id=number,
        report=report,
        source="obs/supervisor",
        state=AlarmState.RAISED,
        column=Column.BAD,
        is_active=True,
        raised=NOON,
        changed=NOON,
    )
    return AlarmLine(severity=severity, text=report.text, count=3, alarms=[number], newest=newest)


def stats() -> AlarmStats:
    return AlarmStats(
        columns={"bad": 2},
        by_severity={},
        per_10_min=4,
        peak_per_10_min=4,
        top_offenders=[],
        chattering=[],
        stale=[],
        shelved=1,
        silent=[],
        lost=0,
    )


def line(source: str, verdict: Verdict = Verdict.BALANCED, **changes: Any) -> Line:
    values: dict[str, Any] = {
        "hop": source,
        "kind": HopKind.SUPPLIER,
        "flow": Flow.EVENTS,
        "source": source,
        "incarnation": "1",
        "taken": 70,
        "passed": 70,
        "in_flight": 0,
    }
    account = Account(**(values | changes))
    text = "" if verdict is Verdict.BALANCED else "2 by drop_oldest"
    return Line(account=account, seen=NOON, is_stale=False, verdict=verdict, text=text)


def consumer(name: str, **changes: Any) -> ConsumerStats:
    values: dict[str, Any] = {
        "name": name,
        "topics": ["**"],
        "qos": QoS(max_queue=500, max_bytes=1024, lease_s=60.0),
        "delivered": 9,
        "dropped": 0,
        "lag": 7,
    }
    return ConsumerStats(**(values | changes))


def part(name: str, **changes: Any) -> PartStatus:
    values: dict[str, Any] = {
        "name": name,
        "kind": "telemetry",
        "state": PartState.RUNNING,
        "pid": 4711,
        "since": NOON - MINUTE,
    }
    return PartStatus(**(values | changes))


def full(**changes: Any) -> Snapshot:
    """An installation with all services, none of them quite well."""
    lost = line("obs/host1", Verdict.LOST, hop="obs/events", drops=[Drop(reason="spool", count=2)])
    values: dict[str, Any] = {
        "alarms": Overview(lines=[alarm(1), alarm(2, Severity.INFO)], columns={"bad": 2}),
        "alarm_stats": stats(),
        "balance": Balance(
            time=NOON, lines=[line("obs/ocm"), line("obs/host1"), lost], silent={"gone": "away"}
        ),
        "oldb": OldbStats(base=0, keys=142, revision=9, bytes=2048, by_source={}),
        "project": ProjectInformation(
            project="VORTEX",
            operator="Anna",
            flight="",
            context={"iop": "7"},
            version=2,
            changed=NOON,
        ),
        "supervisor": SupervisorStatus(
            installation="demo",
            file="/demo.toml",
            host="here",
            started=NOON - MINUTE,
            parts=[
                part("ocm"),
                part(
                    "host1",
                    state=PartState.WAITING,
                    pid=0,
                    deaths=5,
                    last_death="signal SIGSEGV",
                    restart_in_s=4.0,
                    is_alarming=True,
                ),
            ],
        ),
        "channel": ChannelLine(
            events=1234,
            events_per_s=7.0,
            readers=(
                consumer("well"),
                consumer("slow", waiting=44, dropped=5, state=ConsumerState.QUARANTINED),
            ),
            journal=JournalStats(folder="/j", segments=1, bytes=4096, is_writable=False),
        ),
        "run_control": run_control(),
        "loggers": (logger(),),
    }
    return installation(**(values | changes))


WANTED = {
    Page.ALARMS: (
        "2 bad",
        "4 in 10 min",
        "major",
        "part1 died 5 times (+2)",
        "cause: a bug in it",
        "remedy: mend it",
    ),
    Page.CHANNEL: (
        "1234 events",
        "journal 4.0 KiB NOT WRITABLE",
        "slow",
        "quarantined",
        "44",
        "drop_oldest, 500 or 1.0 KiB, fifo, lease 60 s",
        "142 keys",
        "VORTEX, Anna, iop 7",
    ),
    Page.LEDGER: ("1 lost, 2 balanced", "silent: gone", "lost: 2 by", "obs/ocm", "1 hops"),
    Page.PARTS: ("demo on here, up 1m00s", "host1", "crash loop", "signal SIGSEGV"),
    Page.RUNS: (
        "1 active, last 1042; Anna at console pts/3",
        "PAUSED BY",
        "1042",
        "paused",
        "7m00s",
        "20000",
        "23.8 MiB",
        "RUNNING, 1 of 1 senders",
        "/data: 4.0 GiB free (4%), full in 42m00s, stream physics",
        "alarms disconnected since 11:52",
        "physics",
        "disk full on",
    ),
}


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("page", WANTED)
def test_a_page_shows_all_that_matters(page: Page, width: int, height: int) -> None:
    """At the size of a small terminal and of a wide one."""
    picture = draw(full(), width, height, page)
    for text in WANTED[page]:
        assert text in picture, text
    assert hints(page).strip() in picture
    assert len(picture.splitlines()) == height


@given(page=st.sampled_from(Page), width=st.integers(40, 220), height=st.integers(12, 60))
def test_any_size_can_be_drawn(page: Page, width: int, height: int) -> None:
    """No size makes a page fail or overflow."""
    lines = draw(full(), width, height, page).splitlines()
    assert len(lines) <= height
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize("page", Page)
def test_an_installation_without_the_services_can_be_shown(page: Page) -> None:
    """It need not have them."""
    assert draw(installation(channel=None), 80, 24, page)


def test_what_does_not_fit_is_counted() -> None:
    """Nothing disappears without a word."""
    many = [part(f"part{number:02}") for number in range(40)]
    status = full().supervisor
    assert status is not None
    picture = draw(full(supervisor=replace(status, parts=many)), 80, 24, Page.PARTS)
    assert "and 21 more" in picture
    consumers = tuple(consumer(f"reader {number:02}") for number in range(40))
    picture = draw(full(channel=ChannelLine(readers=consumers)), 80, 24, Page.CHANNEL)
    assert "more" in picture


def test_alarms_are_seen_on_every_page() -> None:
    """In the head."""
    for page in Page:
        assert "2 ALARMS" in draw(full(), 80, 24, page).splitlines()[0]


def test_quiet_is_said() -> None:
    """No alarm is not the same as not known."""
    quiet = full(alarms=Overview(lines=[], columns={}))
    assert "no condition is bad" in draw(quiet, 80, 24, Page.ALARMS)


def test_components_that_are_not_well_come_first() -> None:
    """Where not all fit."""
    many = [component(f"a{number:02}") for number in range(20)]
    snapshot = installation(components=(*many, component("zz", silent_s=99.0)))
    picture = draw(snapshot, 80, 24)
    assert "zz" in picture
    assert "more run" in picture


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("page", Page)
def test_every_page_says_which_keys_lead_on(page: Page, width: int, height: int) -> None:
    """On the last line; the present page stands in brackets."""
    last = draw(full(), width, height, page).splitlines()[-1]
    assert hints(page).strip() in last
    assert f"[{page}]" in last


def test_each_page_has_a_key() -> None:
    """The digits in their order."""
    assert list(KEYS) == ["1", "2", "3", "4", "5", "6", "7"]
    assert list(KEYS.values()) == list(Page)


def test_runs_can_be_watched_without_run_control() -> None:
    """Each logger knows its own; a run that run control does not know is shown, too."""
    alone = draw(full(run_control=None), 80, 24, Page.RUNS)
    assert "no run control" in alone
    assert "active" in alone
    strange = logger(1)
    runs = [replace(strange.status.runs[0], run=1043)]
    other = dataclasses.replace(strange, status=replace(strange.status, runs=runs))
    both = draw(full(loggers=(logger(), other)), 200, 50, Page.RUNS)
    assert "1043" in both
    assert "in obs/logger/1/control" in both


def test_a_logger_that_is_away_stays_with_the_reason() -> None:
    """What it said last is shown as long as its name is bound."""
    history = LoggerHistory()
    history.put({"obs/logger/0/control": logger().status})
    history.put({"obs/logger/0/control": CommFailure("connection refused")})
    (line,) = history.lines()
    assert line.status == logger().status
    assert line.rates == (100.0,)
    assert "refused" in draw(full(loggers=(line,)), 200, 50, Page.RUNS)
    history.put({})
    assert history.lines() == ()
