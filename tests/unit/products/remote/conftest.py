"""A real ssh server for all tests of this folder, and a network that reaches it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import pytest

from objects.products.locations import Location
from objects.products.remote import Network, NetworkSettings
from objects.products.remote.rsync import RsyncSettings
from tests.support.sshd import HOST, SshServer

MakeNetwork = Callable[..., Network]


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    """Yield a running server."""
    with SshServer(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def network(sshd: SshServer) -> Network:
    """Return a network whose host ``far`` is this one."""
    settings = RsyncSettings(ssh_command=sshd.command())
    return Network(NetworkSettings(rsync=settings))


@pytest.fixture
def far_folder(tmp_path: Path) -> Path:
    """Return a folder of the other host."""
    folder = tmp_path / "far host"
    folder.mkdir()
    return folder


def on_far(path: Path) -> Location:
    """Return the location of a file on the other host."""
    return Location(host=HOST, path=PurePosixPath(path))
