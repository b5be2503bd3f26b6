"""Each script runs against one installation, as a user would run it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from astropy.io import fits

from idl_like_interfaces.declare import interface_of
from idl_like_interfaces.stdif import StdCmds
from nameserver.client import Names
from tests.support.installation import running_installation, start

EXAMPLES = Path(__file__).parents[2] / "examples"
OURS = {"idl_like_interfaces", "nameserver", "objects", "controller"}

SCRIPT_DEADLINE_S = 60.0
STATES = [
    "StateAcquiring/Acquiring",
    "StateAcquiring/Stopped",
    "StateMerging/Merging",
    "StateCompleted/Completed",
]

pytestmark = [pytest.mark.system, pytest.mark.timeout(150)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a listener and the script that acquired meanwhile printed."""

    listener: list[str]
    script: list[str]
    product: Path
    observed: str | None


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run one installation for all scripts; give its name server's address."""
    with running_installation(tmp_path_factory.mktemp("installation")) as address:
        yield address


@pytest.fixture(scope="module", params=["typed", "stock"])
def said(
    request: pytest.FixtureRequest, names: str, tmp_path_factory: pytest.TempPathFactory
) -> Said:
    """Let a script acquire while a script listens."""
    folder = tmp_path_factory.mktemp(request.param)
    observed = "HD 101998" if request.param == "typed" else None
    if observed:
        environment = {"OBSORB_NAMES": names}
        listener, script = ["listen.py"], ["acquire.py", "products", observed]
    else:
        environment = {}
        listener, script = ["listen_stock.py", names], ["acquire_stock.py", "products", names]
    listening = start(*_python(*listener), cwd=folder, environment=environment)
    try:
        listening.await_line("listening")
        done = _run(*script, cwd=folder, environment=environment)
        assert done.returncode == 0, done.stderr
        # It ends by itself; a signal that comes later finds nobody.
        assert listening.process.wait(SCRIPT_DEADLINE_S) == 0, (folder / "stderr.log").read_text()
    finally:
        listening.end()
    lines = done.stdout.splitlines()
    product = folder / lines[-1].removeprefix("product: ")
    return Said(listener=listening.lines, script=lines, product=product, observed=observed)


def test_a_script_follows_its_acquisition_step_by_step(said: Said) -> None:
    """It prints each step on the way and, as last line, the product."""
    assert [line for line in said.script if line.startswith("State")] == STATES
    assert said.script[-1].startswith("product: products/")


def test_the_product_has_the_frames_and_the_telemetry(said: Said) -> None:
    """The receiver got one file with the extensions of both sources; checksums are good."""
    with fits.open(said.product, checksum=True) as product:
        assert [each.name for each in product][1:] == [*("SCI", "ERR", "DQ") * 2, "HOST"]
        assert product[0].header.get("OBJECT") == said.observed


def test_a_listener_hears_every_state_in_order(said: Said) -> None:
    """From the first to the last; it ends when the acquisition has ended."""
    told = [line.rpartition(" ")[2] for line in said.listener]
    assert [state for state in told if state in STATES] == STATES
    assert said.listener[-1].endswith(STATES[-1])


def test_an_overview_has_a_line_for_each_component(names: str, tmp_path: Path) -> None:
    """One that is bound and does not answer has a line that says so; the others are not held up."""
    host, _, port = names.partition(":")
    with Names((host, int(port))) as client:
        interface = interface_of(StdCmds).repository_id
        gone = "PYRO:gone~0@localhost:1"
        client.context.bind("obs/gone", gone, interface)
        try:
            done = _run("overview.py", cwd=tmp_path, environment={"OBSORB_NAMES": names})
        finally:
            client.context.unbind("obs/gone")
    assert done.returncode == 0, done.stderr
    told = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert "cannot be reached" in told.pop("obs/gone")
    assert {"obs/ocm/std"} <= told.keys()
    for name, answer in told.items():
        assert re.search(r"Operational.*, version .+, \d+ calls$", answer), f"{name}: {answer}"


@pytest.mark.parametrize("script", ["acquire_stock.py", "listen_stock.py"])
def test_a_stock_script_imports_nothing_of_ours(script: str) -> None:
    """Pyro5 and the standard library are all that it needs."""
    tree = ast.parse((EXAMPLES / script).read_text(encoding="utf-8"))
    imported = {
        name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    }
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    packages = {name.partition(".")[0] for name in imported}
    assert packages <= {"Pyro5"} | sys.stdlib_module_names
    assert not packages & OURS


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        ("acquire.py", []),
        ("acquire_planned.py", ["/data/dark.fits"]),
        ("listen.py", []),
        ("overview.py", []),
        ("acquire_stock.py", ["products", "localhost:1"]),
        ("listen_stock.py", ["localhost:1"]),
    ],
)
def test_without_a_name_server_a_script_says_so(
    script: str, arguments: list[str], tmp_path: Path
) -> None:
    """A few lines for a person, no traceback, exit code 1."""
    done = _run(script, *arguments, cwd=tmp_path, environment={"OBSORB_NAMES": "localhost:1"})
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "name" in done.stderr


def _python(script: str, *arguments: str) -> list[str]:
    return [sys.executable, "-W", "error", str(EXAMPLES / script), *arguments]


def _run(*script: str, cwd: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _python(*script),
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SCRIPT_DEADLINE_S,
        check=False,
    )
