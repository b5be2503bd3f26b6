"""What the doctor makes of the shared services."""

from __future__ import annotations

from datetime import UTC, datetime

from controller.health.finding import Verdict
from controller.health.shared import (
    judge_alarms,
    judge_channel,
    judge_ledger,
    judge_log,
    judge_oldb,
    judge_project,
)
from idl_like_interfaces.accounts import Account, Balance, Flow, HopKind, Line
from idl_like_interfaces.accounts import Verdict as Balanced
from idl_like_interfaces.alarm_statistics import AlarmStats
from idl_like_interfaces.event_quality import QoS
from idl_like_interfaces.events import ChannelStats, ConsumerState, ConsumerStats, JournalStats
from idl_like_interfaces.logs import LogStats
from idl_like_interfaces.oldb import OldbStats
from idl_like_interfaces.project import ProjectInformation
from tests.support.small import SmallInstallation
from tests.unit.controller.running import ok

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def channel(journal: JournalStats | None, *consumers: ConsumerStats) -> ChannelStats:
    return ChannelStats(
        epoch="e",
        first=1,
        last=9,
        held_bytes=100,
        events_per_s=1.0,
        topics={},
        suppliers=[],
        consumers=list(consumers),
        journal=journal,
    )


def test_a_journal_that_cannot_be_written_is_bad() -> None:
    """The channel goes on in memory, and somebody must look after the disk."""
    well = JournalStats(folder="/j", segments=1, bytes=2048, is_writable=True)
    full = JournalStats(folder="/j", segments=1, bytes=9, is_writable=False, problem="disk full")
    (good,) = judge_channel("event channel", channel(well))
    (bad,) = judge_channel("event channel", channel(full))
    assert (good.verdict, "journal of 2.0 KiB" in good.found) == (Verdict.GOOD, True)
    assert (bad.verdict, "disk full" in bad.found) == (Verdict.BAD, True)


def test_a_consumer_in_quarantine_is_noted() -> None:
    """By its name, with how much waits for it."""
    held = ConsumerStats(
        name="archiver",
        topics=["**"],
        qos=QoS(),
        delivered=1,
        dropped=0,
        lag=5,
        waiting=5,
        state=ConsumerState.QUARANTINED,
    )
    _, note = judge_channel("event channel", channel(None, held))
    assert (note.subject, note.verdict) == ("consumer archiver", Verdict.NOTE)
    assert "5 events wait" in note.found


def test_a_log_that_cannot_be_stored_is_bad() -> None:
    """With its own words."""
    stats = LogStats(records=1, last=1, lost=0, by_level={}, by_component={}, problem="disk full")
    (found,) = judge_log("log service", stats)
    assert (found.verdict, found.found) == (Verdict.BAD, "1 records, 0 lost; disk full")


def test_alarms_that_nobody_has_acknowledged_are_noted() -> None:
    """The service itself is well."""
    stats = AlarmStats(
        columns={"bad": 2, "acknowledged": 1},
        by_severity={},
        per_10_min=2,
        peak_per_10_min=2,
        top_offenders=[],
        chattering=[],
        stale=[],
        shelved=0,
        silent=[],
        lost=0,
    )
    service, note = judge_alarms("alarm service", stats)
    assert service.verdict is Verdict.GOOD
    assert (note.subject, note.verdict) == ("alarms", Verdict.NOTE)


def test_a_database_tells_how_far_its_mirror_is_behind() -> None:
    """And what is wrong with either."""
    stats = OldbStats(
        base=0, keys=3, revision=9, bytes=512, by_source={}, mirror="r:1", mirror_behind=4
    )
    (found,) = judge_oldb("online database", stats)
    assert found.found == "3 keys, 512 B, mirror r:1 4 behind"


def line(verdict: Balanced, text: str = "") -> Line:
    account = Account(
        hop="obs/events",
        kind=HopKind.CHANNEL,
        flow=Flow.EVENTS,
        source="obs/ocm",
        incarnation="1",
        taken=5,
        passed=5,
        in_flight=0,
    )
    return Line(account=account, seen=NOON, is_stale=False, verdict=verdict, text=text)


def test_losses_that_nobody_explains_are_bad() -> None:
    """Those that are explained are noted."""

    def judged(*lines: Line) -> tuple[Verdict, str]:
        (found,) = judge_ledger("ledger", Balance(time=NOON, lines=list(lines)))
        return found.verdict, found.found

    balanced, lost = line(Balanced.BALANCED), line(Balanced.LOST, "2 dropped")
    unexplained = line(Balanced.UNEXPLAINED, "1 has vanished")
    assert judged() == (Verdict.GOOD, "0 accounts: none")
    assert judged(balanced, balanced) == (Verdict.GOOD, "2 accounts: 2 balanced")
    assert judged(balanced, lost) == (Verdict.NOTE, "2 accounts: 1 balanced, 1 lost")
    assert judged(lost, unexplained) == (Verdict.BAD, "2 accounts: 1 lost, 1 unexplained")


def test_the_project_is_named() -> None:
    """Or that there is none."""
    none = ProjectInformation(project="", operator="", flight="", version=1, changed=NOON)
    (found,) = judge_project("project service", none)
    assert found.found == "no project, no operator, version 1"


def test_services_that_an_installation_does_not_have_are_noted(small: SmallInstallation) -> None:
    """They are no failure; channel and log are there."""
    text = ok("doctor")
    for name in ("alarm service", "online database", "ledger", "project service"):
        assert f"note {name}: is no part of this installation" in text
