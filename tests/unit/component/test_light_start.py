"""What a start loads: ten components start together, so each pays for what all import."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("numpy", "astropy", "yaml", "matplotlib", "sqlalchemy", "rich", "typer")


def loaded_by(program: str, modules: tuple[str, ...]) -> list[str]:
    """Return which of the modules a program has loaded at its end."""
    program += f"; import sys; print(*(each for each in {modules!r} if each in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.split()


def test_to_read_the_settings_of_every_kind_loads_nothing_heavy() -> None:
    """The supervisor reads them all before it starts anything."""
    program = (
        "from objects.component import process, supervisor; "
        "from importlib.metadata import entry_points; "
        "from objects.component.installation import COMPONENTS; "
        "[each.load().Settings for each in entry_points(group=COMPONENTS)"
        " if each.value.startswith('objects.')]"
    )
    assert loaded_by(program, HEAVY) == []


def test_a_client_that_awaits_nothing_does_not_load_asyncio() -> None:
    """Every command of the console is one."""
    assert loaded_by("import nameserver.client", ("asyncio",)) == []
