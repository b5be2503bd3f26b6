"""Every snippet of README and documentation runs."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.docs.page import Page, all_pages

_DRIVER = Path(__file__).with_name("driver.py")
_DEADLINE_S = 300.0
_DEFAULT_ADDRESS = "localhost:9090"
_PAGES = [page for page in all_pages() if any(step.kind != "file" for step in page.steps())]


def _name(page: Page) -> str:
    return page.name


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    "page", [page for page in _PAGES if not page.needs_installation], ids=_name
)
def test_every_snippet_of_a_page_runs(page: Page, tmp_path: Path) -> None:
    """In the order of the page, in a folder and a process of its own."""
    code, output = run_page(page, tmp_path, _free_address() if page.needs_port else None)
    assert code == 0, output


@pytest.mark.timeout(400)
@pytest.mark.parametrize("page", [page for page in _PAGES if page.needs_installation], ids=_name)
def test_every_snippet_runs_beside_an_installation(page: Page, names: str, tmp_path: Path) -> None:
    """The pages share one; what they start has names and ids of their own."""
    code, output = run_page(page, tmp_path, names)
    assert code == 0, output


def _free_address() -> str:
    with socket.create_server(("localhost", 0)) as server:
        return f"localhost:{server.getsockname()[1]}"


def run_page(page: Page, folder: Path, names: str | None = None) -> tuple[int, str]:
    """Run a page's steps in a folder; return the exit code and all that was printed."""
    plan = json.dumps({"page": page.name, "steps": [asdict(step) for step in page.steps()]})
    if page.needs_port and names is not None:
        plan = plan.replace(_DEFAULT_ADDRESS, names)
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
