"""The import contracts hold, and each breaks when it is violated."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("idl_like_interfaces", "nameserver", "objects", "controller")
LINT = Path(sys.executable).with_name("lint-imports")

pytestmark = pytest.mark.skipif(not LINT.exists(), reason="import-linter is a development tool")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the packages, so that they can be spoilt."""
    copy = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / "pyproject.toml", copy)
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    return copy


def lint(tree: Path) -> str:
    """Run import-linter on a tree and return its report."""
    environment = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(
        [LINT, "--no-cache"],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ran.stdout + ran.stderr


def test_the_contracts_hold(tree: Path) -> None:
    """Nothing is broken as it stands."""
    report = lint(tree)
    assert " 0 broken" in report, report


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("objects/component/spoilt.py", "import controller.cli", "Clients and servants"),
        ("controller/spoilt.py", "import objects.component.site", "Clients and servants"),
        ("nameserver/spoilt.py", "import objects.component.site", "Clients and servants"),
        ("idl_like_interfaces/spoilt.py", "import nameserver.client", "Clients and servants"),
        ("controller/spoilt.py", "import nameserver.tree", "Only the name server's public client"),
        ("objects/component/spoilt.py", "import Pyro5.api", "Pyro5 is spoken"),
        ("idl_like_interfaces/spoilt.py", "import Pyro5.api", "Pyro5 is spoken"),
        ("idl_like_interfaces/spoilt.py", "import numpy", "Declarations and client libraries"),
        ("objects/component/spoilt.py", "import rich", "Terminals belong"),
        ("nameserver/spoilt.py", "import cryptography.x509", "Certificates are made"),
        ("objects/messaging/spoilt.py", "import apscheduler", "Periodic work"),
        ("objects/dictionaries/spoilt.py", "import yaml", "YAML is parsed"),
        ("objects/dictionaries/spoilt.py", "import objects.acquisition", "Inside objects"),
        ("objects/acquisition/spoilt.py", "import objects.products.schedule", "Inside objects"),
        ("objects/component/spoilt.py", "import objects.messaging", "Inside objects"),
        ("objects/component/spoilt.py", "import objects.messaging", "No cycles"),
    ],
)
def test_a_violation_breaks_its_contract(tree: Path, module: str, line: str, contract: str) -> None:
    """One forbidden import is enough, and the report names the contract."""
    spoilt = tree / module
    spoilt.write_text(line + "\n")
    try:
        report = lint(tree)
    finally:
        spoilt.unlink()
    broken = [each for each in report.splitlines() if each.endswith("BROKEN")]
    assert any(each.startswith(contract) for each in broken), report
