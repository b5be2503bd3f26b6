"""Every interface has a contract suite, and every suite runs in all ways of calling."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from idl_like_interfaces.object import Object
from tests.unit.idl.test_declare import declared_interfaces

HERE = Path(__file__).parent


@cache
def wired_interfaces() -> dict[str, set[str]]:
    """Return for each interface the modules whose suite calls it in every mode."""
    found: dict[str, set[str]] = {}
    for module in HERE.glob("test_*.py"):
        text = module.read_text()
        if "MODES" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            match node:
                case ast.Call(func=ast.Name(id="wired"), args=[_, ast.Name(id=interface), mode]):
                    if not isinstance(mode, ast.Constant):
                        found.setdefault(interface, set()).add(module.name)
                case _:
                    pass
    return found


@pytest.mark.parametrize(
    "interface", [each.__name__ for each in declared_interfaces() if each is not Object]
)
def test_an_interface_has_its_suite(interface: str) -> None:
    """In-process, over the typed stub and over a stock proxy."""
    assert wired_interfaces().get(interface), f"no module of tests/contract wires {interface}"
