"""Every command has help and stands in the reference."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from controller.cli.app import ENTRIES, app
from tests.unit.controller.running import ok, refused

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "cli.md"


def _commands() -> Iterator[tuple[str, Any]]:
    """Every command with its full name."""
    root: Any = typer.main.get_command(app)
    for name in root.list_commands(None):
        command = root.get_command(None, name)
        if hasattr(command, "list_commands"):
            for verb in command.list_commands(None):
                yield f"{name} {verb}", command.get_command(None, verb)
        else:
            yield name, command


COMMANDS = dict(_commands())


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_help(name: str) -> None:
    """One sentence at least, and every option and argument is explained."""
    text = ok(*name.split(), "--help")
    assert "Usage: " in text
    assert COMMANDS[name].help
    for parameter in COMMANDS[name].params:
        if parameter.name != "help":
            assert parameter.help, (name, parameter.name)


@pytest.mark.parametrize("name", COMMANDS)
def test_command_stands_in_the_reference(name: str) -> None:
    """With each of its own options."""
    text = REFERENCE.read_text(encoding="utf-8")
    assert f"`obsorb {name}" in text
    for parameter in COMMANDS[name].params:
        longest = max(parameter.opts, key=len)
        if longest.startswith("--") and longest != "--help":
            assert f"`{longest}" in text, (name, longest)


def test_help_of_the_root_shows_every_group() -> None:
    """From the table, without an import of any of them."""
    text = ok("--help")
    for name, entry in ENTRIES.items():
        assert name in text
        assert entry.summary in text


@pytest.mark.parametrize("name", [each for each in ENTRIES if each not in ("demo", "up", "serve")])
def test_table_agrees_with_the_group(name: str) -> None:
    """The module of the table has an application that says something."""
    root: Any = typer.main.get_command(app)
    assert root.get_command(None, name).help


def test_unknown_command_is_a_usage_error_with_a_hint() -> None:
    """Exit code 2, and what may have been meant."""
    assert "Did you mean 'names'" in refused("name", code=2)


@pytest.mark.parametrize("arguments", [[], ["names"], ["daq"], ["std"], ["daq", "stop"]])
def test_incomplete_command_is_a_usage_error(arguments: list[str]) -> None:
    """Exit code 2."""
    refused(*arguments, code=2)


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"], ["daq", "--help"]])
def test_help_loads_neither_rich_nor_astropy(arguments: list[str]) -> None:
    """Start-up time is what operators feel: heavy packages are imported where they are used."""
    code = (
        "import sys\n"
        "from controller.cli import main\n"
        "try:\n"
        f"    main({arguments!r})\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        "heavy = {'rich', 'astropy', 'numpy', 'Pyro5', 'objects'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_version_is_printed() -> None:
    """With the name of the distribution."""
    assert ok("--version").startswith("obsorb ")


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="no device that is always full")
@pytest.mark.parametrize("arguments", [["--version"], ["idl", "show", "OcmDaqControl"]])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_cannot_be_written_is_told(arguments: list[str], unbuffered: str) -> None:
    """In three lines and with exit code 1: whoever fills a disk with a log must see it."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-P", "-c", f"from controller.cli import main\nmain({arguments!r})"],
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    first, *rest = done.stderr.splitlines()
    assert first.startswith("error: the output cannot be written: ")
    assert [each.partition(":")[0] for each in rest] == ["cause", "remedy"]
