"""Speed and cost of the shared services are measured, each beside a limit or a peer."""

from __future__ import annotations

import pytest

from benchmarks.alarms import LINES, measure_alarms
from benchmarks.counts import QUICK
from benchmarks.figures import Figure
from benchmarks.held import RECORDS, measure_held
from benchmarks.journal import measure_journal
from benchmarks.logs import PEER, measure_logs
from benchmarks.steady import measure_steady
from benchmarks.steady_obsorb import CatchUp
from benchmarks.subscribers import ONE_TOPIC, OWN_TOPICS, measure_subscribers

pytestmark = pytest.mark.timeout(120)


def _named(rows: list[Figure], name: str) -> Figure:
    return next(row for row in rows if row.name.startswith(name))


def test_a_consumer_that_stands_still_loses_nothing_and_costs_nobody_anything() -> None:
    """It catches up; ages are told of the others."""
    rows = measure_steady(QUICK)
    assert len({row.group for row in rows}) == 1
    assert "one stopped" in rows[0].group
    for name in ("lost", "twice"):
        assert _named(rows, name).ours.median == 0
        assert _named(rows, name).met is True
    half, most, worst = (row.ours.median for row in rows[:3])
    assert 0 < half <= most <= worst


def test_a_reader_has_caught_up_when_it_was_farthest_behind() -> None:
    """A short delay later does not count."""
    catch_up = CatchUp()
    for age_us in (5e3, 8e3):
        catch_up.note(age_us)
    assert catch_up.at == 0
    for age_us in (20e6, 10e6, 5e3):
        catch_up.note(age_us)
    at = catch_up.at
    assert at > 0
    for age_us in (0.2e6, 5e3):
        catch_up.note(age_us)
    assert catch_up.at == at


def test_what_is_kept_on_disk_stands_beside_nothing_there() -> None:
    """Over a kill of the channel, over a loss of power, and over a kill of the supplier."""
    rows = measure_journal(QUICK)
    rates = [row for row in rows if row.unit == "1/s"]
    assert len(rates) == 3
    assert all(row.ratio is not None and row.lost == 0 for row in rates)


def test_held_events_stand_beside_their_records() -> None:
    """And beside a stream of Redis, where that is installed."""
    rows = measure_held(QUICK)
    assert rows[0].peer == RECORDS
    assert rows[0].theirs is not None
    assert rows[0].theirs.median > 80


def test_subscribers_get_their_own_events_or_all() -> None:
    """Nothing is lost; each event to one of them comes alone."""
    rows = measure_subscribers(QUICK)
    own, every = (
        [row for row in rows if row.group.endswith(kind)] for kind in (OWN_TOPICS, ONE_TOPIC)
    )
    assert len(own) == len(every) > 0
    assert {row.lost for row in rows if row.lost is not None} == {0}
    assert _named(own, "deliveries in a reply").ours.median == 1
    assert _named(every, "deliveries in a reply").ours.median >= 1


def test_log_records_are_all_stored_and_the_spool_is_empty_again() -> None:
    """What a record costs its program stands beside a file's handler."""
    rows = measure_logs(QUICK)
    assert rows[0].peer == PEER
    assert rows[0].ratio is not None
    assert _named(rows, "lost").met is True


def test_a_flood_of_alarms_is_a_short_list_that_leaves_none_out() -> None:
    """However long it takes to be known."""
    rows = measure_alarms(QUICK)
    assert _named(rows, LINES).met is True
    assert _named(rows, "alarms heard of").met is True
    assert _named(rows, "alarms that it stands for").met is True
