"""``obsorb oldb`` against the real services; how values look on terminals of all widths."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typing_extensions import override

from controller.cli.db_host import VARIABLE, mirrored_to
from controller.cli.oldb_text import (
    point_lines,
    render_tree,
    stats_text,
    value_document,
    value_text,
)
from idl_like_interfaces.declare import Value
from idl_like_interfaces.oldb import DataPoint, OldbStats, OnlineDatabase, Quality
from objects.oldb.component import FROM_COMMAND_LINE
from objects.oldb.database import Database
from objects.oldb.servant import OldbServant
from objects.oldb.store import SqliteOldbStore
from tests.contract.oldb import NIGHT, removal, write
from tests.support.site import FakeSite
from tests.support.small import SmallInstallation
from tests.unit.controller.running import document, ok, refused

WIDTHS = [80, 200]


class Site(FakeSite):
    """Publishes into the channel of a small installation."""

    small: SmallInstallation

    @override
    def publish(self, topic: str, body: Value, *_: Any) -> None:
        self.small.publish(topic, body)


@pytest.fixture
def database(small: SmallInstallation, tmp_path: Path) -> Iterator[OldbServant]:
    """An online database with a few keys."""
    site = Site(tmp_path, name="oldb")
    site.small = small
    store = SqliteOldbStore(tmp_path / "oldb.sqlite", site.clock)
    servant = OldbServant(Database(site, store, 1000))
    small.offer("oldb", {"obs/oldb": (servant, OnlineDatabase)})
    servant.write(
        "obs/ocm",
        "i1",
        [
            write("ocm/state", "running"),
            write("ocm/cfg/limits", {"merge": 1}),
            write("ocm/pid", 7, quality=Quality.SUSPECT),
            write("dpm/state", "stopped"),
        ],
    )
    yield servant
    store.close()


def test_get_prints_the_value_alone(database: OldbServant) -> None:
    """A script needs nothing else; what has parts comes as JSON."""
    assert ok("oldb", "get", "ocm/state") == "running\n"
    assert json.loads(ok("oldb", "get", "ocm/cfg/limits")) == {"merge": 1}
    assert document("oldb", "get", "ocm/state")["source"] == "obs/ocm"


def test_a_doubt_goes_to_stderr(database: OldbServant) -> None:
    """The value is printed all the same."""
    from tests.unit.controller.running import obsorb

    result = obsorb("oldb", "get", "ocm/pid")
    assert (result.exit_code, result.stdout) == (0, "7\n")
    assert "suspect: obs/ocm has fallen silent" in result.stderr


def test_get_with_a_filter_prints_a_line_each(database: OldbServant) -> None:
    """Time, quality, key and value, sorted."""
    lines = ok("oldb", "get", "*/state").splitlines()
    assert [line.split()[1:] for line in lines] == [
        ["ok", "dpm/state", "stopped"],
        ["ok", "ocm/state", "running"],
    ]
    assert [each["key"] for each in document("oldb", "get", "ocm/**")] == [
        "ocm/cfg/limits",
        "ocm/pid",
        "ocm/state",
    ]


def test_what_is_not_there_is_told_with_a_remedy(database: OldbServant) -> None:
    """For a key, a filter, and the tree."""
    for arguments in (["get", "nope"], ["get", "no/*"], ["ls", "nope"]):
        assert "obsorb oldb ls" in refused("oldb", *arguments)
    for arguments in (["get", "a//b"], ["get", "a//*"], ["watch", "a//b"], ["remove", "/"]):
        assert "is not a key" in refused("oldb", *arguments)


def test_an_installation_without_a_database_is_told(small: SmallInstallation) -> None:
    """With what to add to its file."""
    assert 'kind = "oldb"' in refused("oldb", "ls")


def test_ls_draws_a_tree(database: OldbServant) -> None:
    """All of it, a part, some levels, or as JSON."""
    assert "state  running" in ok("oldb", "ls")
    part = ok("oldb", "ls", "ocm")
    assert part.startswith("ocm\n")
    assert "pid  7  (suspect)" in part
    assert "stopped" not in part
    assert "… 1 more" in ok("oldb", "ls", "--depth", "2")
    assert ok("oldb", "ls", "ocm/state") == "ocm/state  running\n"
    assert document("oldb", "ls", "ocm")[0] == {"name": "cfg", "is_value": False, "below": 1}


def test_an_empty_database_is_no_error(database: OldbServant) -> None:
    """Removing says how many there were."""
    assert ok("oldb", "remove", "**") == "4 keys removed\n"
    assert ok("oldb", "ls") == ""


def test_stats_say_how_much_there_is(database: OldbServant) -> None:
    """As text and as JSON."""
    assert "4 keys" in ok("oldb", "stats")
    assert document("oldb", "stats")["by_source"] == {"obs/ocm": 4}


def test_watch_prints_what_is_there_and_what_changes(database: OldbServant) -> None:
    """Until so many lines are printed."""
    change = threading.Timer(
        1.0, lambda: database.write("obs/ocm", "i1", [removal("ocm/state", 1)])
    )
    change.start()
    lines = ok("oldb", "watch", "ocm/**", "--count", "4").splitlines()
    change.join()
    assert [line.split()[2] for line in lines[:3]] == ["ocm/cfg/limits", "ocm/pid", "ocm/state"]
    assert lines[3].split()[1:] == ["removed", "ocm/state"]
    (line,) = ok("oldb", "watch", "dpm/*", "-n", "1", "--json").splitlines()
    assert json.loads(line)["value"] == "stopped"


def point(key: str, value: Any = 1, **more: Any) -> DataPoint:
    fields: dict[str, Any] = {"quality": Quality.OK, "time": NIGHT, "source": "obs/x"}
    return DataPoint(key=key, value=value, revision=1, **(fields | more))


POINTS = [
    point("a", "root"),
    point("a/b/c", "x" * 500, quality=Quality.BAD),
    point("a/b/d", [1, {"y": None}], quality=Quality.SUSPECT),
    point("k" * 60 + "/e", "\x1b[2Jevil\n", time=NIGHT - timedelta(days=3)),
    point("z", None, is_removed=True),
]


@pytest.mark.parametrize("width", WIDTHS)
def test_lines_fit_the_terminal(width: int) -> None:
    """Cut with a mark; without a terminal they are whole. Nothing steers the terminal."""
    lines = list(point_lines(POINTS, width, NIGHT))
    assert max(map(len, lines[:3])) <= width
    assert lines[1].endswith("…")
    assert lines[0].startswith("22:00:00   ok      a ")
    assert lines[3].startswith("2026-02-26 ok")
    assert not any("\x1b" in line or "\n" in line for line in lines)
    whole = list(point_lines(POINTS, 0, NIGHT))
    assert "x" * 500 in whole[1]
    assert whole[4].split() == ["22:00:00", "removed", "z"]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_tree_fits_the_terminal(width: int) -> None:
    """Values that do not are cut; doubts stay visible."""
    output = StringIO()
    console = Console(file=output, width=width, soft_wrap=True, color_system=None)
    console.print(render_tree("", POINTS[:3], width=width))
    lines = output.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert any("…  (bad)" in line for line in lines)
    assert any(line.endswith('d  [1, {"y": null}]  (suspect)') for line in lines)


def test_values_are_said_in_words() -> None:
    """A text stands without quotes, unless one could not see it."""
    assert [value_text(each) for each in ("a b", "", None, True, 1.5, [1])] == [
        "a b",
        '""',
        "null",
        "true",
        "1.5",
        "[1]",
    ]
    assert "\x1b" not in value_document({"a": "\x1b"})
    assert value_document({}) == "{}"


def test_statistics_name_mirror_and_problem() -> None:
    """Those that there are."""
    stats = OldbStats(keys=1, revision=7, base=3, bytes=2048, by_source={})
    assert stats_text(stats) == "1 keys in 2 KiB, 4 changes so far"
    told = stats_text(
        OldbStats(
            keys=1,
            revision=7,
            base=3,
            bytes=2048,
            by_source={},
            mirror="db:6379",
            mirror_behind=2,
            problem="it is away",
        )
    )
    assert "mirror db:6379: 2 changes behind" in told
    assert "problem: it is away" in told


def test_the_option_reaches_the_component(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through a variable that both sides know, and only for what is started within."""
    import os

    assert VARIABLE == FROM_COMMAND_LINE
    monkeypatch.delenv(VARIABLE, raising=False)
    with mirrored_to("db:1"):
        assert os.environ[VARIABLE] == "db:1"
        with mirrored_to("db:2"):
            assert os.environ[VARIABLE] == "db:2"
        with mirrored_to(None):
            assert os.environ[VARIABLE] == "db:1"
    assert VARIABLE not in os.environ
