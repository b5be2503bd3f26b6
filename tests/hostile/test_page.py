"""The page of limits says what the code says."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from idl_like_interfaces.mapping.hosting.limits import Limits
from tests.hostile.attacks import ATTACKS
from tests.hostile.table import rows_of

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "limits.md"


def test_the_page_has_every_attack_with_its_answer() -> None:
    """In the order of the table, and no other."""
    rows = re.findall(r"^\| (?!attack|---).*\|$", _section("## Attacks"), re.MULTILINE)
    assert rows == rows_of(ATTACKS.values())


def test_the_page_has_every_limit_with_its_default() -> None:
    """In the order in which they are declared."""
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", _section("## Limits"), re.MULTILINE)
    assert rows == [(each.name, f"{each.default}") for each in dataclasses.fields(Limits)]


def test_at_least_twenty_attacks_are_tried() -> None:
    """Of different names, each with something that it expects."""
    assert len(ATTACKS) >= 20
    assert all(each.expects and each.does and each.answer for each in ATTACKS.values())


def _section(heading: str) -> str:
    _, _, rest = PAGE.read_text().partition(heading + "\n")
    return rest.partition("\n## ")[0]
