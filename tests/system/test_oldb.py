"""The online database of a running installation: killed, damaged, mirrored, asked by command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from idl_like_interfaces.announcements import HEARTBEAT_TOPIC
from idl_like_interfaces.clients import Event, EventConsumer, OldbWatcher, OldbWriter
from idl_like_interfaces.events import EventChannel
from idl_like_interfaces.oldb import DataPoint, OnlineDatabase, Quality
from nameserver.client import Names, parse_address
from tests.support.eventually import PATIENCE_S, eventually
from tests.support.installation import OBSORB, START_DEADLINE_S, Running, start
from tests.support.redis import SERVER, RedisServer, needs_redis

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

INSTALLATION = """
[installation]
name = "tested"
data_root = "data"
[name_server]
address = "localhost:0"
[component.events]
kind = "events"
[component.oldb]
kind = "oldb"
[component.dpm]
kind = "dpm"
"""


class Watched:
    """A running installation, and a thread that watches its database.

    Attributes:
        watcher: Sees everything.
        told: All changes that it told.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        (folder / "installation.toml").write_text(INSTALLATION)
        self.folder = folder
        self.running: Running = start(str(OBSORB), "up", "installation.toml", *options, cwd=folder)
        self.address = self.running.await_line("name server: ", START_DEADLINE_S)
        self.running.await_line("tested is up")
        self.names = Names(parse_address(self.address))
        self.database = self.names.narrow("obs/oldb", OnlineDatabase, 3.0)
        self.channel = self.names.narrow("obs/events", EventChannel, 3.0)
        self.watcher = OldbWatcher(self.database, self.channel, ["**"], name="test")
        self.told: list[DataPoint] = []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while not self._is_over.is_set():
            self.told += self.watcher.read(0.2)

    def value(self, key: str) -> Any:
        point = self.watcher.known.get(key)
        return None if point is None else point.value

    def await_value(self, key: str, is_wanted: Callable[[Any], bool]) -> Any:
        eventually(lambda: is_wanted(self.value(key)), f"{key} is as wanted")
        return self.value(key)

    def await_heartbeat(self, source: str) -> None:
        """Wait until the database listens, and then for the next heartbeat of a source."""

        def listens() -> bool:
            consumers = self.channel.get_stats().consumers
            return any(each.topics == [HEARTBEAT_TOPIC] for each in consumers)

        eventually(listens, "the database listens")
        with EventConsumer(self.channel, [HEARTBEAT_TOPIC], name="test") as hearts:
            eventually(
                lambda: any(
                    isinstance(each, Event) and each.source == source for each in hearts.read(0.2)
                ),
                f"{source} beats",
            )

    def kill(self, component: str, number: signal.Signals = signal.SIGKILL) -> int:
        pid: int = self.await_value(f"{component}/pid", bool)
        os.kill(pid, number)
        return pid

    def obsorb(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(OBSORB), "--names", self.address, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def close(self) -> None:
        self._is_over.set()
        self.watcher.close()
        self._thread.join()
        self.names.close()
        code = self.running.end()
        assert code == 0, (self.folder / "stderr.log").read_text()[-2000:]


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis server; where there is none nobody listens."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    if SERVER is not None:
        server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, redis: RedisServer) -> Iterator[Watched]:
    """One installation for all of them: what one test kills has healed when the next begins."""
    made = Watched(
        tmp_path_factory.mktemp("installation"), "--db-host", redis.address, "--log-level", "ACTION"
    )
    yield made
    made.close()


def test_the_settings_of_a_component_are_shown_with_what_went_before_its_file(
    watched: Watched,
) -> None:
    """Those of its kind and those that all have, here the level that `obsorb up` was told."""
    watched.await_value("dpm/cfg/log_level", lambda value: value == "ACTION")
    watched.await_value("dpm/cfg/kind", lambda value: value == "dpm")
    watched.await_value("dpm/cfg/workers", lambda value: value == 16)


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.soak)])
@pytest.mark.timeout(1800)
def test_nothing_is_lost_when_the_database_is_killed(watched: Watched, kills: int) -> None:
    """Every key ends with its last value, in the database and at who watches, each change once."""
    watched.await_value("oldb/pid", bool)
    with OldbWriter(watched.database, "obs/test", "i1") as writer:
        for turn in range(kills):
            for number in range(300):
                writer.write(f"test/{number % 30}", [turn, number])
            assert writer.flush(PATIENCE_S)
            pid = watched.kill("oldb")
            for number in range(300, 400):
                writer.write(f"test/{number % 30}", [turn, number])
            eventually(lambda pid=pid: watched.value("oldb/pid") != pid)  # type: ignore[misc]
        assert writer.flush(PATIENCE_S)
        assert writer.dropped == 0
    wanted = {f"test/{number % 30}": [kills - 1, number] for number in range(300, 400)}
    eventually(
        lambda: wanted.items() <= {k: p.value for k, p in watched.watcher.known.items()}.items()
    )
    page = watched.database.read_all(["test/*"])
    assert {each.key: each.value for each in page.points} == wanted
    newest: dict[str, int] = {}
    for each in watched.told:
        assert each.revision > newest.get(each.key, 0)
        newest[each.key] = each.revision


def test_a_damaged_database_is_filled_again(watched: Watched) -> None:
    """It is kept aside; every component writes again what it wrote, whoever watches sees it."""
    incarnation = watched.await_value("dpm/incarnation", bool)
    base = watched.database.get_stats().base
    pid = watched.kill("oldb")
    file = watched.folder / "data" / "oldb" / "oldb.sqlite"
    for end in ("-wal", "-shm"):
        file.with_name(file.name + end).unlink(missing_ok=True)
    file.write_bytes(b"nonsense " * 4000)
    eventually(lambda: watched.value("oldb/pid") not in (pid, None))
    assert watched.database.get_stats().base > base
    assert list(file.parent.glob("oldb.sqlite.damaged-*"))
    eventually(lambda: watched.value("dpm/incarnation") == incarnation)
    eventually(lambda: watched.database.read_all(["dpm/cfg/**"]).points)


def test_values_of_who_hangs_or_dies_are_suspect(watched: Watched) -> None:
    """Until it goes on, or its next start has written them."""

    def quality() -> Quality:
        return watched.watcher.known["dpm/state"].quality

    watched.await_value("dpm/state", lambda value: value == "running")
    watched.await_heartbeat("obs/dpm")  # only who has beaten can fall silent
    pid = watched.kill("dpm", signal.SIGSTOP)
    begun = time.monotonic()
    eventually(lambda: quality() is Quality.SUSPECT)
    assert time.monotonic() - begun > 1.0
    shown = watched.obsorb("oldb", "get", "dpm/state")
    assert (shown.stdout, shown.returncode) == ("running\n", 0)
    assert "suspect: obs/dpm has fallen silent" in shown.stderr
    os.kill(pid, signal.SIGCONT)
    eventually(lambda: quality() is Quality.OK)
    watched.kill("dpm")
    eventually(lambda: watched.value("dpm/pid") != pid)
    eventually(lambda: quality() is Quality.OK)


def test_ctrl_c_is_the_way_to_end_watching(watched: Watched) -> None:
    """With exit code 0, also when it says that it is blind."""
    watch = start(
        str(OBSORB), "--names", watched.address, "oldb", "watch", "dpm/*", cwd=watched.folder
    )
    watch.await_line("", 60.0)
    assert watch.end(signal.SIGINT) == 0
    assert any("dpm/" in line for line in watch.lines)


@needs_redis
def test_the_option_mirrors_into_redis(watched: Watched, redis: RedisServer) -> None:
    """What the command line says reaches the process of the database."""

    def mirrored(key: str) -> Any:
        with redis.client() as client:
            found = client.get(f"oldb:/obs/{key}")
        return json.loads(found)["value"] if found else None

    watched.await_value("dpm/state", lambda value: value == "running")
    eventually(lambda: mirrored("dpm/state") == "running")
    stats = watched.obsorb("oldb", "stats")
    assert f"mirror {redis.address}: " in stats.stdout
