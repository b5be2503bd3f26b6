"""``obsorb events`` and ``obsorb log`` against the real services."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import typer

from controller.cli.times import parse_time
from idl_like_interfaces.logs import LogLevel
from tests.support.small import SmallInstallation, status
from tests.unit.controller.running import document, ok, refused

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def test_tail_prints_matching_events(small: SmallInstallation) -> None:
    """From the oldest on, as many as were asked for."""
    small.beat()
    small.publish_status(status())
    (line,) = ok("events", "tail", "daq/*", "--from", "oldest", "--count", "1").splitlines()
    assert "daq/status" in line
    assert '"fileId":"STIS.d1"' in line


def test_tail_as_json_prints_a_document_a_line(small: SmallInstallation) -> None:
    """With a cursor from which another run goes on."""
    small.publish_status(status("d1"), status("d2"))
    lines = ok("events", "tail", "--from", "oldest", "-n", "2", "--json").splitlines()
    first, second = map(json.loads, lines)
    assert (first["type"], first["body"]["id"], second["body"]["id"]) == ("event", "d1", "d2")
    again = ok("events", "tail", "--from", first["cursor"], "-n", "1", "--json")
    assert json.loads(again)["body"]["id"] == "d2"


@pytest.mark.parametrize("arguments", [["--from", "nonsense"], ["//"]])
def test_tail_refuses_what_is_no_cursor_or_filter(
    small: SmallInstallation, arguments: list[str]
) -> None:
    """Exit code 1, with the text that was wrong."""
    assert arguments[-1] in refused("events", "tail", *arguments)


@pytest.mark.parametrize(
    ("body", "read"), [('{"a": [1]}', {"a": [1]}), ("plain words", "plain words"), ("5", 5)]
)
def test_publish_sends_json_or_text(small: SmallInstallation, body: str, read: object) -> None:
    """And prints the sequence number."""
    assert ok("events", "publish", "notes/operator", body) == "1\n"
    (line,) = ok("events", "tail", "--from", "oldest", "-n", "1", "--json").splitlines()
    assert json.loads(line)["body"] == read


def test_publish_refuses_broken_json(small: SmallInstallation) -> None:
    """What looks like JSON must be it."""
    assert "not JSON" in refused("events", "publish", "notes/operator", '{"a": ')


def test_log_query_filters(small: SmallInstallation) -> None:
    """By level, component and text."""
    small.record("shutter opens", "shutter sticks")
    small.record("no space left", level=LogLevel.ERROR, component="ocm")
    assert len(ok("log", "query").splitlines()) == 3
    assert "no space" in ok("log", "query", "--level", "warning")
    assert len(ok("log", "query", "--component", "d*").splitlines()) == 2
    assert "sticks" in ok("log", "query", "--text", "STICKS")
    assert len(ok("log", "query", "--limit", "1").splitlines()) == 1


def test_log_query_cuts_out_a_time(small: SmallInstallation) -> None:
    """From ``--since`` on and before ``--until``."""
    small.record("at ten in the evening")
    assert ok("log", "query", "--since", "2026-03-01T22:00:00", "--until", "2026-03-01T22:00:01")
    assert not ok("log", "query", "--since", "2026-03-01T22:00:01Z")
    assert not ok("log", "query", "--until", "2026-03-01T22:00:00Z")


def test_log_query_as_json_has_records(small: SmallInstallation) -> None:
    """With their number in the store."""
    small.record("shutter opens")
    (found,) = document("log", "query")
    assert found["record"]["text"] == "shutter opens"
    assert found["record"]["level"] == "INFO"


@pytest.mark.parametrize(
    "arguments",
    [["--since", "yesterday"], ["--until", "25:00"], ["--level", "LOUD"], ["--limit", "0"]],
)
def test_log_query_refuses_wrong_options(small: SmallInstallation, arguments: list[str]) -> None:
    """As usage errors."""
    refused("log", "query", *arguments, code=2)


def test_moments_are_read() -> None:
    """ISO-8601, UTC without a zone, or an age."""
    assert parse_time("", NOON, "--since") is None
    assert parse_time("90s", NOON, "--since") == datetime(2026, 3, 1, 11, 58, 30, tzinfo=UTC)
    assert parse_time("1.5h", NOON, "--since") == datetime(2026, 3, 1, 10, 30, tzinfo=UTC)
    assert parse_time("2026-03-01T12:00:00", NOON, "--since") == NOON
    assert parse_time("2026-03-01T13:00:00+01:00", NOON, "--since") == NOON
    with pytest.raises(typer.BadParameter, match="--since"):
        parse_time("soon", NOON, "--since")


@pytest.mark.parametrize("age", ["800000d", "9999999999999999d", "1" + "0" * 400 + "s"])
def test_an_age_before_all_calendars_is_refused(age: str) -> None:
    """Not with an overflow."""
    with pytest.raises(typer.BadParameter, match=r"--since.*year 1"):
        parse_time(age, NOON, "--since")
