"""The planned acquisition runs as a user would run it, with a file of another host."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from astropy.io import fits

from tests.support.fits import image, write_fits
from tests.support.installation import TEMPLATE, running_installation
from tests.support.sshd import HOST, SshServer

SCRIPT = Path(__file__).parents[2] / "examples" / "acquire_planned.py"
DEADLINE_S = 120.0

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run an installation whose DPM reaches another host; give its name server's address."""
    with SshServer(tmp_path_factory.mktemp("sshd")) as sshd:
        dpm = f'kind = "dpm"\nssh_command = {json.dumps(sshd.command())}'
        text = TEMPLATE.replace('kind = "dpm"', dpm)
        with running_installation(tmp_path_factory.mktemp("installation"), text) as address:
            yield address


def run(*arguments: str, cwd: Path, names: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", str(SCRIPT), *arguments],
        cwd=cwd,
        env={"OBSORB_NAMES": names},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


def test_it_begins_in_time_gets_keywords_and_takes_a_file_of_another_host(
    names: str, tmp_path: Path
) -> None:
    """The product has them all, and nothing was recorded before its time."""
    dark = write_fits(tmp_path / "dark.fits", extensions=[image("DARK")])
    before = datetime.now(UTC).timestamp() - 60  # left alone since long
    os.utime(dark, (before, before))
    started = datetime.now(UTC)
    done = run(f"{HOST}:{dark}", "products", "2", cwd=tmp_path, names=names)
    assert done.returncode == 0, done.stderr
    first, last = done.stdout.splitlines()
    assert re.fullmatch(r"acquisition \S+ begins at \d\d:\d\d:\d\d UTC", first)
    with fits.open(tmp_path / last.removeprefix("product: "), checksum=True) as product:
        assert [each.name for each in product][1:] == [*("SCI", "ERR", "DQ") * 2, "DARK"]
        header = product[0].header
        written = datetime.fromisoformat(header["DATE"]).replace(tzinfo=UTC)
    assert header["OBSERVER"] == "night shift"
    assert header["ESO TEL AMBI FWHM"] == pytest.approx(0.83)
    assert written >= started + timedelta(seconds=1)  # DATE has whole seconds


def test_it_says_what_stops_it(names: str, tmp_path: Path) -> None:
    """Here that the start lies in the past."""
    done = run(f"{HOST}:/no/such.fits", "products", "-9", cwd=tmp_path, names=names)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "startTime" in done.stderr
