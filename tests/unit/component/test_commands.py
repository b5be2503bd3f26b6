"""How the parts of an installation are started."""

from __future__ import annotations

from pathlib import Path

import pytest

from idl_like_interfaces.logs import LogLevel
from objects.component.commands import Commands
from objects.component.installation import Installation

ADDRESS = ("localhost", 9090)


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    file = tmp_path / "installation.toml"
    file.write_text('[component.events]\nkind = "events"\n')
    return Installation(file)


@pytest.mark.parametrize(
    ("level", "of_names"),
    [
        (LogLevel.TRACE, "debug"),
        (LogLevel.DEBUG, "debug"),
        (LogLevel.STATE, "info"),
        (LogLevel.WARNING, "warning"),
        (LogLevel.CRITICAL, "error"),
    ],
)
def test_a_level_goes_to_every_part(
    installation: Installation, level: LogLevel, of_names: str
) -> None:
    """A name server knows fewer of them; it gets the next one that shows no less."""
    commands = Commands(installation, level)
    assert commands.component("events", "localhost:9090")[-1] == level
    assert commands.name_server(ADDRESS)[-2:] == ["--log-level", of_names]


def test_without_one_the_file_says(installation: Installation) -> None:
    """Nothing about it is in the command lines."""
    commands = Commands(installation)
    assert commands.component("events", "localhost:9090")[-1] == "localhost:9090"
    assert "--log-level" not in commands.name_server(ADDRESS)
