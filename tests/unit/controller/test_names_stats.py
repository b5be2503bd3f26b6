"""``obsorb names stats`` over a small installation."""

from __future__ import annotations

import json

import pytest

from controller.cli.names_stats import table
from controller.dashboard.text import latency
from controller.statistics import told
from idl_like_interfaces.errors import CommFailure
from tests.support.small import SmallInstallation
from tests.support.statistics import calls, statistics
from tests.unit.controller.running import document, obsorb, ok, refused

FAST = [1, 0, 0, 0, 0]


def test_calls_are_shown_by_operation(small: SmallInstallation) -> None:
    """Of one object: how many, and how long they took."""
    for _ in range(3):
        ok("events", "stats")
    lines = ok("names", "stats", "obs/events").splitlines()
    assert lines[0].startswith("obs/events, active since ")
    (line,) = [each.split() for each in lines if each.strip().startswith("get_stats")]
    assert line[1:7] == ["3", "0", "0", "0", "0", "0"]
    assert line[-1] in ("us", "ms", "s")


def test_all_objects_below_a_context_are_asked(small: SmallInstallation) -> None:
    """Without a name all that are bound; contexts are none."""
    assert [each["name"] for each in document("names", "stats", "obs/ocm")] == [
        "obs/ocm/daq", "obs/ocm/std",
    ]  # fmt: skip
    assert {"obs/log", "NameService"} <= {each["name"] for each in document("names", "stats")}


def test_the_name_server_tells_of_its_own_calls(small: SmallInstallation) -> None:
    """Although it is not bound."""
    (found,) = document("names", "stats", "NameService")
    assert "bind" in {each["operation"] for each in found["operations"]}


def test_a_document_has_the_estimates(small: SmallInstallation) -> None:
    """And says what they are worth."""
    ok("events", "stats")
    (found,) = document("names", "stats", "obs/events")
    (operation,) = [each for each in found["operations"] if each["operation"] == "get_stats"]
    assert operation["calls"] == 1
    assert 0 < operation["p50_s"] <= operation["p99_s"] <= found["highest_bound_s"]


def test_who_does_not_answer_fails_the_command(small: SmallInstallation) -> None:
    """The others are shown."""
    small.names.context.bind("obs/dead", "PYRO:obs/dead@localhost:1", "IDL:test/Dead:1.0", {}, "")
    result = obsorb("names", "stats")
    assert result.exit_code == 1
    assert "obs/events, active since" in result.stdout
    assert "obs/dead: no answer" in result.stdout
    assert "1 of 6 did not answer: obs/dead" in result.stderr


def test_a_name_that_is_not_bound_is_refused(small: SmallInstallation) -> None:
    """As everywhere."""
    assert "obs/nothing" in refused("names", "stats", "obs/nothing")


def test_watching_shows_what_came_since(
    small: SmallInstallation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With rates; one document a line for programs."""
    monkeypatch.setattr("controller.cli.names_stats.PERIOD_S", 0.05)
    for _ in range(5):
        ok("events", "stats")
    lines = ok("names", "stats", "obs/events", "--watch", "-n", "2", "--json").splitlines()
    assert len(lines) == 2
    for line in lines:
        rates = {each["operation"]: each for each in json.loads(line)[0]["operations"]}
        assert rates["get_stats"]["calls"] == 0
        assert rates["get_statistics"]["per_s"] > 0
    assert "UTC\nobs/events" in ok("names", "stats", "obs/events", "-w", "-n", "1")


def test_the_table_has_a_line_for_each_operation() -> None:
    """The busiest first; what is estimated from the last bucket may be more."""
    found = statistics(
        calls("rare", [1, 0, 0, 0, 0]), calls("slow", [0, 0, 0, 0, 9], total_s=27.0, failed=2)
    )
    lines = table([told("obs/a", found), told("obs/b", CommFailure("nobody"))]).splitlines()
    assert lines[0] == "obs/a, active since 2026-03-01 12:00:00 UTC"
    assert " ".join(lines[2].split()) == "slow 9 0 2 0 0 0 3.0 s >1.0 s >1.0 s"
    assert lines[3].split()[0] == "rare"
    assert lines[4] == "obs/b: no answer: nobody"
    assert max(map(len, lines)) <= 80


def test_a_span_gives_rates_in_place_of_counts() -> None:
    """Of what came within it."""
    before, after = statistics(calls("work", FAST)), statistics(calls("work", [21, 0, 0, 0, 0]))
    lines = table([told("obs/a", after, before, 4.0)]).splitlines()
    assert lines[1].split()[:2] == ["operation", "calls/s"]
    assert lines[2].split()[:2] == ["work", "5.0"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0.0, "0.0 us"),
        (64e-6, "64 us"),
        (0.9996e-3, "1.0 ms"),
        (0.0099, "9.9 ms"),
        (0.0123, "12 ms"),
        (0.9999, "1.0 s"),
        (33.5, "34 s"),
    ],
)
def test_a_latency_is_short(seconds: float | None, text: str) -> None:
    """Two figures and a unit."""
    assert latency(seconds) == text
