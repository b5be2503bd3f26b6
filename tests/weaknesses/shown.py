"""Runs stock Pyro5 in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_DEADLINE_S = 50.0


def stock(number: int, *arguments: str) -> dict[str, Any]:
    """Let stock Pyro5 show a weakness; return what was seen."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.weaknesses.stock", str(number), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen
