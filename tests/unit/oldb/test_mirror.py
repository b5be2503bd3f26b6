"""The mirror of the online database in a real Redis server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from idl_like_interfaces.errors import BadParam
from objects.oldb import component as component_module
from objects.oldb.component import FROM_COMMAND_LINE, FROM_ENVIRONMENT, OldbComponent, OldbSettings
from objects.oldb.database import Database
from objects.oldb.mirror import Mirror, MirrorSettings, parse_host
from objects.oldb.servant import OldbServant
from objects.oldb.store import SqliteOldbStore
from tests.contract.oldb import removal, write
from tests.support.eventually import eventually
from tests.support.redis import RedisServer, needs_redis
from tests.support.site import FakeSite

PREFIX = "oldb:/o?s/"


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path) as server:
        yield server


class Mirrored:
    """A database with its mirror."""

    def __init__(self, folder: Path, port: int) -> None:
        self.site = FakeSite(folder)
        self.store = SqliteOldbStore(folder / "oldb.sqlite", self.site.clock)
        settings = MirrorSettings(host="127.0.0.1", port=port, prefix=PREFIX, incarnation="i1")
        self.mirror = Mirror(self.store, settings)
        self.servant = OldbServant(
            Database(self.site, self.store, 100_000, self.mirror.nudge), self.mirror
        )

    def write(self, *points: Any) -> None:
        self.servant.write("obs/ocm", "i1", list(points))

    def await_it(self) -> None:
        def is_there() -> bool:
            stats = self.servant.get_stats()
            return not stats.mirror_behind and not stats.problem

        eventually(is_there, "the mirror has everything")

    def close(self) -> None:
        self.mirror.close()
        self.store.close()


@pytest.fixture
def mirrored(redis: RedisServer, tmp_path: Path) -> Iterator[Mirrored]:
    made = Mirrored(tmp_path, redis.port)
    yield made
    made.close()


def held(redis: RedisServer) -> dict[str, Any]:
    """Return the values in the mirror by key."""
    with redis.client() as client:
        names = [name for name in client.scan_iter() if name.startswith(PREFIX) and "@" not in name]
        return {name.removeprefix(PREFIX): json.loads(client.get(name))["value"] for name in names}


@needs_redis
class TestMirror:
    """Each change is set and published; after any outage both sides are the same again."""

    def test_changes_are_set_and_published(self, redis: RedisServer, mirrored: Mirrored) -> None:
        """As JSON, under the prefix; a removed key is deleted and told."""
        mirrored.await_it()
        with redis.client() as client, client.pubsub() as heard:
            heard.psubscribe("oldb:/*")
            assert heard.get_message(timeout=20)["type"] == "psubscribe"
            mirrored.write(write("ocm/state", "running"))
            told = heard.get_message(timeout=20)
            assert told["channel"] == PREFIX + "ocm/state"
            document = json.loads(told["data"])
            assert (document["value"], document["source"]) == ("running", "obs/ocm")
            mirrored.await_it()
            assert json.loads(client.get(PREFIX + "ocm/state")) == document
            mirrored.write(removal("ocm/state", 1))
            assert json.loads(heard.get_message(timeout=20)["data"])["is_removed"]
        mirrored.await_it()
        assert held(redis) == {}

    def test_a_restarted_server_is_filled_again(
        self, redis: RedisServer, mirrored: Mirrored
    ) -> None:
        """What changed meanwhile is there as well; the database did not wait."""
        mirrored.write(*(write(f"a/{at}", at) for at in range(1200)))
        mirrored.await_it()
        redis.kill()
        mirrored.write(write("a/0", "new", 1), removal("a/1", 1))
        eventually(lambda: mirrored.servant.get_stats().problem)
        stats = mirrored.servant.get_stats()
        assert stats.mirror_behind == 2
        assert redis.address in stats.problem
        redis.start()
        mirrored.await_it()
        wanted = {f"a/{at}": at for at in range(2, 1200)} | {"a/0": "new"}
        assert held(redis) == wanted

    def test_a_server_that_was_emptied_is_filled_again(
        self, redis: RedisServer, mirrored: Mirrored
    ) -> None:
        """Without any outage that one could see, and without a change."""
        mirrored.write(write("a", 1))
        mirrored.await_it()
        with redis.client() as client:
            client.flushall()
        eventually(lambda: held(redis) == {"a": 1})

    def test_what_is_only_there_is_removed(self, redis: RedisServer, tmp_path: Path) -> None:
        """What a mirror of before has left, below the prefix and nowhere else."""
        with redis.client() as client:
            client.set(PREFIX + "old/key", "1")
            client.set("oldb:/obs/other", "2")
        mirrored = Mirrored(tmp_path, redis.port)
        mirrored.write(write("a", 1))
        mirrored.await_it()
        assert held(redis) == {"a": 1}
        with redis.client() as client:
            assert client.get("oldb:/obs/other") == "2"
        mirrored.close()

    def test_a_database_that_was_begun_anew_is_mirrored_anew(
        self, redis: RedisServer, mirrored: Mirrored
    ) -> None:
        """What it lost is lost in the mirror too."""
        mirrored.write(write("a", 1), write("b", 2))
        mirrored.await_it()
        mirrored.store.begin_anew(ValueError("tried"))
        mirrored.write(write("b", 3))
        eventually(lambda: held(redis) == {"b": 3})


def test_an_absent_server_costs_nothing(tmp_path: Path) -> None:
    """The database works, and says that nothing is mirrored."""
    mirrored = Mirrored(tmp_path, 1)
    mirrored.write(write("a", 1))
    eventually(lambda: "127.0.0.1:1: " in mirrored.servant.get_stats().problem)
    stats = mirrored.servant.get_stats()
    assert (stats.mirror, stats.mirror_behind) == ("127.0.0.1:1", 1)
    mirrored.close()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("db", ("db", 6379)),
        ("db:7000", ("db", 7000)),
        ("[::1]:7000", ("::1", 7000)),
        ("[::1]", ("::1", 6379)),
        ("::1", ("::1", 6379)),
    ],
)
def test_addresses_are_read(text: str, address: tuple[str, int]) -> None:
    """The port may be left out."""
    assert parse_host(text) == address


@pytest.mark.parametrize("text", [":7000", "db:", "db:x", "db:0", "db:65536", "[]:1"])
def test_what_is_no_address_is_refused(text: str, tmp_path: Path) -> None:
    """When the component is made, before anything is opened."""
    with pytest.raises(BadParam) as caught:
        OldbComponent(FakeSite(tmp_path), OldbSettings(db_host=text))
    assert caught.value.field == "db_host"


def test_the_command_line_goes_before_file_and_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the file before the environment."""
    site = FakeSite(tmp_path)

    def host(file: str) -> str:
        found = component_module._mirror_settings(site, OldbSettings(db_host=file))
        return found.host if found else ""

    assert host("") == ""
    monkeypatch.setenv(FROM_ENVIRONMENT, "environment")
    assert (host(""), host("file")) == ("environment", "file")
    monkeypatch.setenv(FROM_COMMAND_LINE, "line")
    assert (host(""), host("file")) == ("line", "line")


def test_a_missing_client_library_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to install."""
    monkeypatch.setattr(component_module, "redis_is_installed", lambda: False)
    with pytest.raises(BadParam, match="not installed") as caught:
        OldbComponent(FakeSite(tmp_path), OldbSettings(db_host="db"))
    assert "obsorb[redis]" in caught.value.remedy
