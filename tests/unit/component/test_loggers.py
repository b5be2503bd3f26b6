"""The loggers that ESO names are those that the code uses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import objects
from idl_like_interfaces.logs import LEVEL_NUMBERS
from objects.component import loggers

_USED = re.compile(r'getLogger\("(daq\.[a-z.]+)"\)')
_ROOT = Path(str(objects.__file__)).parent


def used() -> set[str]:
    """Return the names that modules of acquisition and products log under."""
    found = {loggers.OCM}  # that of its state machine is given to it
    for package in ("acquisition", "products"):
        for module in (_ROOT / package).rglob("*.py"):
            found |= set(_USED.findall(module.read_text()))
    return found


def test_each_name_is_used_and_each_used_one_is_named() -> None:
    """Nothing is documented that never says a word, and nothing speaks under an unknown name."""
    assert used() == set(loggers.NAMED)


@pytest.mark.parametrize(
    ("number", "level"),
    [
        (loggers.STATE, "STATE"),
        (loggers.EVENT, "EVENT"),
        (loggers.ACTION, "ACTION"),
        (loggers.TRACE, "TRACE"),
    ],
)
def test_levels_have_the_declared_numbers(number: int, level: str) -> None:
    """Those that the log service knows."""
    assert {str(each): value for each, value in LEVEL_NUMBERS.items()}[level] == number
