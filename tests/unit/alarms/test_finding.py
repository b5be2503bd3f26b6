"""Filters, the overview and the rates."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.alarms import (
    Alarm,
    AlarmFilter,
    AlarmState,
    Column,
    Severity,
)
from idl_like_interfaces.clients.globs import match_text
from idl_like_interfaces.errors import BadParam
from objects.alarms.filters import Filter, Globs
from objects.alarms.grouping import make_overview
from objects.alarms.rates import MOST_KEYS, Rates
from tests.support.alarms import NIGHT, report


def alarm(number: int, column: Column = Column.BAD, **changes: object) -> Alarm:
    """An alarm that stands."""
    state = AlarmState.RAISED if column is Column.BAD else AlarmState.ACKNOWLEDGED
    return Alarm(
        alarm_id=number,
        report=report(**changes),  # type: ignore[arg-type]
        source="obs/dpm",
        state=AlarmState.CLEARED if column is Column.GOOD else state,
        column=column,
        is_active=column is not Column.GOOD,
        raised=NIGHT,
        changed=NIGHT + timedelta(seconds=number),
    )


@given(st.text("ab*?[]{}.", min_size=1, max_size=12), st.text("ab*?[]{}.\n", max_size=12))
def test_globs_match_as_those_of_topics_do(pattern: str, text: str) -> None:
    """Only the asterisk and the question mark mean something."""
    assert Globs([pattern], "f").take(text) is match_text(pattern, text)
    assert Globs([f"!{pattern}"], "f").take(text) is not match_text(pattern, text)


def test_no_glob_blows_up() -> None:
    """The one that takes a naive translation for ever."""
    globs = Globs(["*a" * 100 + "b"], "f")
    begin = time.monotonic()
    assert not globs.take("a" * 255)
    assert time.monotonic() - begin < 20.0


def test_thousands_of_filters_are_bounded() -> None:
    """A thousand patterns in a list are judged once for each text; more are refused."""
    globs = Globs([f"crate {number}*" for number in range(1000)], "f")
    assert all(globs.take(f"crate {number}x") for number in range(1000))
    assert not globs.take("rack 7")
    with pytest.raises(BadParam) as refusal:
        Filter(AlarmFilter(attributes=["a"] * 1001))
    assert refusal.value.field == "filter.attributes"


def test_a_filter_that_says_nothing_takes_all() -> None:
    """And its negation nothing."""
    assert Filter(AlarmFilter()).takes(alarm(1))
    assert not Filter(AlarmFilter(negate=True)).takes(alarm(1))


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 10])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(Severity)),
            st.sampled_from(["fan 1 broken", "fan 2 broken", "disk full", "door open"]),
            st.integers(0, 40),
            st.sampled_from(list(Column)),
            st.sampled_from(["", "cooling", "archive"]),
        ),
        max_size=60,
    )
)
def test_an_overview_is_short_complete_and_sorted(
    limit: int, some: list[tuple[Severity, str, int, Column, str]]
) -> None:
    """Whatever there is: no alarm is left out, none counts twice, the worst stands first."""
    alarms = [
        alarm(
            number, column, name=name, severity=severity, object=f"crate {crate}", subsystem=where
        )
        for number, (severity, name, crate, column, where) in enumerate(some, 1)
    ]
    overview = make_overview(alarms, limit)
    standing = [each for each in alarms if each.column is not Column.GOOD]
    assert len(overview.lines) <= limit
    named = [number for line in overview.lines for number in line.alarms]
    assert sorted(named) == [each.alarm_id for each in standing]
    assert sum(line.count for line in overview.lines) == len(standing)
    assert sum(overview.columns.values()) == len(alarms)
    bad = [each.report.severity for each in standing if each.column is Column.BAD]
    if bad:
        assert overview.lines[0].severity.is_at_least(max(bad, key=list(Severity).index))


def test_few_alarms_are_not_grouped() -> None:
    """Each has its own line while there is room."""
    alarms = [alarm(number, object=f"crate {number}") for number in range(1, 11)]
    lines = make_overview(alarms, 10).lines
    assert [line.count for line in lines] == 10 * [1]
    assert lines[0].text == "crate 10: disk full: 3 MB are left"


def test_alike_ones_share_a_line() -> None:
    """It says how many there are, and between which they lie."""
    alarms = [alarm(number, object=f"crate {number}") for number in range(1, 12)]
    (line,) = make_overview(alarms, 10).lines
    assert line.text == "disk full of 11 objects (crate 1 … crate 11)"
    assert (line.count, line.newest.alarm_id) == (11, 11)


def test_what_fits_nowhere_shares_the_last_line() -> None:
    """No kind of alarm can hide another."""
    alarms = [
        alarm(number, name=f"odd {chr(96 + number)}", object="x", subsystem=f"s{chr(96 + number)}")
        for number in range(1, 16)
    ]
    lines = make_overview(alarms, 4).lines
    assert [line.count for line in lines] == [1, 1, 1, 12]
    assert lines[-1].text == "and 12 more alarms of 12 kinds"


def test_rates_are_those_of_the_last_day() -> None:
    """What is older counts no more, and memory is bounded."""
    rates = Rates()
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    for minute in range(3000):
        rates.count("crate", "fan", noon + timedelta(minutes=minute))
    now = noon + timedelta(minutes=2999)
    assert (rates.recent(now), rates.peak(now)) == (10, 10)
    (offender,) = rates.offenders(now)
    assert 1400 <= offender.count <= 1500
    assert len(rates.tally.minutes) <= 1440
    assert len(rates.tally.hours) <= 26


def test_the_peak_is_remembered_for_a_day() -> None:
    """Also when it is quiet since."""
    rates = Rates()
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    for second in range(600):
        rates.count("crate", "fan", noon + timedelta(seconds=second))
    later = noon + timedelta(hours=23)
    assert (rates.recent(later), rates.peak(later)) == (0, 600)
    assert rates.peak(noon + timedelta(hours=25)) == 0


def test_a_clock_that_was_wrong_leaves_nothing_behind() -> None:
    """What it put into the future goes, once there is much."""
    rates = Rates()
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    for day in range(30):
        rates.count("crate", "fan", noon + timedelta(days=365 + day))
    rates.count("crate", "fan", noon)
    assert rates.recent(noon) == 1
    for hour in range(30):
        rates.count("crate", "fan", noon + timedelta(hours=hour))
    now = noon + timedelta(hours=29)
    assert max(rates.tally.hours) == int(now.timestamp()) // 3600


def test_endless_kinds_are_counted_together() -> None:
    """Nobody fills the memory by inventing names."""
    rates = Rates()
    for number in range(MOST_KEYS + 500):
        rates.count("crate", f"fan {number}", NIGHT)
    (hour,) = rates.tally.hours.values()
    assert len(hour) == MOST_KEYS + 1
    assert hour["\n"] == 500
    assert all(re.fullmatch(r"fan \d+", each.name) for each in rates.offenders(NIGHT))
