"""A supervisor is found by its name, however long that takes, and never waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from idl_like_interfaces.supervision import ComponentObject, Supervisor, SupervisorStatus
from nameserver.client import Names
from nameserver.server import NameServer
from objects.component import presence as presence_module
from objects.component.installation import Installation
from objects.component.presence import Presence, SupervisorSettings
from objects.component.supervisor_servant import SupervisorServant
from tests.support.eventually import eventually

PATIENCE_S = 30.0


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer("localhost", 0) as server:
        yield server


def presence(folder: Path, port: int, name: str = "tested") -> Presence:
    """Return the presence of a supervisor of an installation of this name."""
    folder.mkdir(exist_ok=True)
    file = folder / "installation.toml"
    file.write_text(f'[installation]\nname = "{name}"\n')
    status = SupervisorStatus(
        installation=name, file=str(file), host="here", started=datetime.now(UTC), parts=[]
    )
    settings = SupervisorSettings(
        servant=SupervisorServant(lambda: status, lambda _: False),
        detail=lambda: "nothing to do",
        problem=lambda: "",
    )
    return Presence(Installation(file), ("localhost", port), settings)


def test_it_is_found_by_both_its_names(server: NameServer, tmp_path: Path) -> None:
    """As the supervisor, and as a component that says how it stands."""
    with presence(tmp_path, server.port) as present, Names(("localhost", server.port)) as names:
        present.await_attempt(PATIENCE_S)
        found = names.narrow("obs/supervisor", Supervisor).get_status()
        assert found.installation == "tested"
        itself = names.narrow("obs/components/supervisor", ComponentObject)
        eventually(lambda: itself.get_health().is_ready, "it is ready")
        assert itself.get_health().detail == "nothing to do"


def test_a_name_that_is_taken_is_tried_again(
    server: NameServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another supervisor has it; when that has ended this one is found."""
    monkeypatch.setattr(presence_module, "RETRY_S", 0.05)
    with Names(("localhost", server.port)) as names:
        supervisor = names.narrow("obs/supervisor", Supervisor)
        with presence(tmp_path / "a", server.port, "first") as first:
            first.await_attempt(PATIENCE_S)
            second = presence(tmp_path / "b", server.port, "second")
            second.await_attempt(PATIENCE_S)
            assert supervisor.get_status().installation == "first"
        with second:

            def is_found() -> bool:
                found = [each.name for each in names.context.list("obs", False).bindings]
                return "obs/supervisor" in found

            eventually(is_found, "the other one is found")
            assert supervisor.get_status().installation == "second"


def test_it_ends_while_there_is_no_name_server(tmp_path: Path) -> None:
    """What it could not do holds up nobody."""
    with NameServer("localhost", 0) as gone:
        port = gone.port
    with presence(tmp_path, port) as present:
        present.await_attempt(PATIENCE_S)
