"""A real Redis server on the loopback interface, started for a test."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any, Self

import pytest

from tests.support.eventually import eventually

SERVER = shutil.which("redis-server")

needs_redis = pytest.mark.skipif(
    SERVER is None, reason="there is no redis-server on this machine (apt-get install redis-server)"
)


class RedisServer:
    """A context manager; it can be killed and started again on the same port, empty.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def address(self) -> str:
        """As ``db_host`` takes it."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        assert SERVER is not None
        options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [SERVER, "--port", str(self.port), *options, "--dir", str(self._folder)],
            stdout=subprocess.DEVNULL,
        )
        eventually(self._answers, "the Redis server answers")

    def kill(self) -> None:
        """End it as a crash does; what it had is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def client(self) -> Any:
        """Return a client, to be closed by the caller."""
        from redis import Redis

        return Redis(host="127.0.0.1", port=self.port, decode_responses=True)

    def _answers(self) -> bool:
        from redis.exceptions import RedisError

        with self.client() as client:
            try:
                return bool(client.ping())
            except RedisError:
                return False
