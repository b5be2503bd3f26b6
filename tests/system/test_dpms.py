"""DPMs as processes: one for a queue, several on a host."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from idl_like_interfaces.daqif import DaqSubstate
from objects.products.component import DpmSettings
from tests.support.products import MergerControl, make_source, running, specification

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

OBSORB = Path(sys.executable).with_name("obsorb")

_INSTALLATION = """
[installation]
data_root = "data"

[name_server]
address = "localhost:1"
start = false

[component.dpm]
kind = "dpm"
bin_merge = {command}

[component.dpm2]
kind = "dpm"
bin_merge = {command}
"""


@pytest.fixture
def merger(tmp_path: Path) -> Iterator[MergerControl]:
    """Yield the control of the stand-in merger."""
    control = MergerControl(tmp_path / "merger")
    yield control
    control.close()


@pytest.fixture
def installation(tmp_path: Path, merger: MergerControl) -> Path:
    """Return the file of an installation with two DPMs; nobody else runs."""
    file = tmp_path / "installation.toml"
    file.write_text(_INSTALLATION.format(command=json.dumps(merger.command)))
    (tmp_path / "data").mkdir()
    return file


def serve(installation: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a component to its end."""
    command = [str(OBSORB), "serve", str(installation), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@contextmanager
def serving(installation: Path, name: str) -> Iterator[None]:
    """Run a component meanwhile."""
    with subprocess.Popen(
        [OBSORB, "serve", installation, name],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"ready {name}\n"
        yield
        process.terminate()
        assert process.wait(30) == 0


@pytest.mark.spec("ESO-103")
def test_poll_once_works_off_the_queue_and_ends(
    installation: Path, tmp_path: Path, merger: MergerControl
) -> None:
    """What was stuck is tried, and what cannot go on is left for the next time."""
    data_root, late = tmp_path / "data", tmp_path / "late.fits"
    with running(data_root, DpmSettings(bin_merge=merger.command)) as dpm:
        for id, file in (("A.1", late), ("B.1", tmp_path / "never.fits")):
            dpm.daq.queue_daq(specification(id, file))
            dpm.wait(id, DaqSubstate.COLLECTING, error=True)
    make_source(late)
    done = serve(installation, "dpm", "--poll-once")
    assert (done.returncode, done.stdout) == (0, "ready dpm\n")
    assert (data_root / "dpm/result/A.1.fits").read_bytes() == b"merged:frames"
    assert json.loads((data_root / "dpm/queue.json").read_text()) == ["B.1"]


def test_several_work_on_one_host_each_in_its_workspace(installation: Path, tmp_path: Path) -> None:
    """One that is given the workspace of another is refused with a remedy."""
    with serving(installation, "dpm"):
        done = serve(installation, "dpm2", "--poll-once")
        assert done.returncode == 0
        refused = serve(installation, "dpm2", "--workspace", "dpm")
        assert refused.returncode == 1
        assert "another DPM works in workspace" in refused.stderr
        assert "a workspace of its own" in refused.stderr
    assert sorted(path.name for path in (tmp_path / "data").glob("dpm*")) == ["dpm", "dpm2"]
