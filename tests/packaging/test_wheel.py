"""The distribution: what is installed is what stands in the tree, and it works."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import distribution, entry_points
from pathlib import Path

import pytest

PACKAGES = ("idl_like_interfaces", "nameserver", "objects", "controller")
ROOT = Path(os.environ.get("OBSORB_TREE", Path(__file__).parents[2]))
"""The tree that the wheel was built from."""

pytestmark = pytest.mark.wheel


def installed_files() -> set[str]:
    """Return the Python files of the installed distribution."""
    files = distribution("obsorb").files or []
    return {
        str(each)
        for each in files
        if each.parts[0] in PACKAGES and each.suffix in {".py", ".typed"}
    }


def test_the_four_packages_are_installed_as_they_are() -> None:
    """Each file of the tree is in the wheel, and nothing else."""
    in_tree = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in {".py", ".typed"}
    }
    found = installed_files()
    if not found:
        pytest.skip("the distribution is installed editable; the wheel's list is compared in CI")
    assert found == in_tree


@pytest.mark.parametrize("group", ["obsorb.components", "obsorb.tools"])
def test_every_entry_point_loads(group: str) -> None:
    """What the distribution promises can be imported."""
    points = [
        each for each in entry_points(group=group) if each.dist and each.dist.name == "obsorb"
    ]
    assert points
    for each in points:
        assert callable(each.load()), each


@pytest.mark.parametrize("command", ["obsorb", "obsorb-nameserver"])
def test_every_command_has_help(command: str) -> None:
    """The console scripts run."""
    program = Path(sys.executable).with_name(command)
    ran = subprocess.run(
        [program, "--help"], capture_output=True, text=True, timeout=60, check=True
    )
    assert "--help" in ran.stdout


def test_types_are_shipped() -> None:
    """Type checkers of users see our annotations."""
    markers = distribution("obsorb").files or []
    names = {str(each) for each in markers}
    if not any(name.endswith(".py") for name in names):
        pytest.skip("the distribution is installed editable")
    assert {f"{package}/py.typed" for package in PACKAGES} <= names
