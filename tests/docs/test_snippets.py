"""Every snippet of README and documentation runs."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.docs.page import Page, all_pages

_DRIVER = Path(__file__).with_name("driver.py")
_DEADLINE_S = 100.0
_PAGES = [page for page in all_pages() if any(step.kind != "file" for step in page.steps())]


@pytest.fixture
def names(page: Page, tmp_path: Path) -> Iterator[str | None]:
    """Give a page that needs it a running installation: the address of its name server."""
    place: AbstractContextManager[str | None] = nullcontext()
    if page.needs_installation:
        folder = tmp_path / "installation"
        folder.mkdir()
        place = importlib.import_module("tests.support.installation").running_installation(folder)
    with place as address:
        yield address


@pytest.mark.timeout(150)
@pytest.mark.parametrize("page", _PAGES, ids=[page.name for page in _PAGES])
def test_every_snippet_of_a_page_runs(page: Page, names: str | None, tmp_path: Path) -> None:
    """In the order of the page, in a folder and a process of its own."""
    folder = tmp_path / "page"
    folder.mkdir()
    code, output = run_page(page, folder, names)
    assert code == 0, output


def run_page(page: Page, folder: Path, names: str | None = None) -> tuple[int, str]:
    """Run a page's steps in a folder; return the exit code and all that was printed."""
    plan = json.dumps({"page": page.name, "steps": [asdict(step) for step in page.steps()]})
    with subprocess.Popen(
        [sys.executable, "-W", "error", str(_DRIVER)],
        cwd=folder,
        env=_environment(names),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as driver:
        try:
            output, _ = driver.communicate(plan, timeout=_DEADLINE_S)
        except subprocess.TimeoutExpired:
            os.killpg(driver.pid, signal.SIGKILL)
            output, _ = driver.communicate()
            output += f"\n{page.name} did not end within {_DEADLINE_S:.0f} s"
    return driver.returncode, output


def _environment(names: str | None) -> dict[str, str]:
    scripts = Path(sys.executable).parent
    environment = dict(os.environ) | {
        "PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "TERM": "dumb",
    }
    environment.pop("OBSORB_NAMES", None)
    return environment if names is None else environment | {"OBSORB_NAMES": names}
