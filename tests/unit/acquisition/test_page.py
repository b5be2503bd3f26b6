"""The reference page shows the tables that the code has."""

from __future__ import annotations

from pathlib import Path

from objects.acquisition.component import OcmSettings
from objects.acquisition.states import LEGAL, TRANSITIONS, Command, Phase

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "acquisition.md"


def rows(begin: str) -> list[list[str]]:
    """Return the cells of the first table behind a text, without its head."""
    behind = PAGE.read_text().partition(begin)[2].lstrip("\n").splitlines()
    first = next(number for number, line in enumerate(behind) if line.startswith("|"))
    table = behind[first + 2 :]
    end = next(number for number, line in enumerate(table) if not line.startswith("|"))
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in table[:end]]


def camel(phase: Phase) -> str:
    """Return the name of a phase as the page writes it."""
    return "".join(part.capitalize() for part in phase.name.split("_"))


def test_the_transitions_are_those_of_the_code() -> None:
    """Row by row."""
    coded = [[camel(b), str(t), camel(e)] for (b, t), e in TRANSITIONS.items()]
    assert rows("<!-- table: transitions -->") == coded


def test_the_legal_commands_are_those_of_the_code() -> None:
    """Every state against every command."""
    coded = [
        [camel(phase), *("yes" if phase in LEGAL[command] else "no" for command in Command)]
        for phase in Phase
    ]
    assert rows("<!-- table: legal -->") == coded


def test_every_setting_is_described() -> None:
    """By its name, in the order of the struct."""
    assert [row[0] for row in rows("## Settings")] == list(OcmSettings.__struct_fields__)
