"""``obsorb serve`` with the options and variables of the original's servers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

OBSORB = Path(sys.executable).with_name("obsorb")


def _free_port() -> int:
    with socket.create_server(("localhost", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@pytest.mark.spec("ESO-158", "ESO-161")
def test_a_dpm_takes_the_words_of_the_original(tmp_path: Path) -> None:
    """File over CFGPATH, option over file, file over environment; a log file below DAQ_LOGS.

    The DPM has nothing to do and is to look once, so it ends by itself.
    """
    config, logs, data = tmp_path / "etc" / "config", tmp_path / "logs", tmp_path / "data"
    for folder in (config, logs):
        folder.mkdir(parents=True)
    (config / "log.properties").write_text("log4cplus.logger.daq.dpm = DEBUG\n")
    (config / "dpm.toml").write_text(
        "[name_server]\naddress = 'localhost:0'\n"
        "[component.dpm]\nkind = 'dpm'\nworkspace = 'of-file'\nwarm_mergers = 0\n"
        "log_level = 'ERROR'\nlog_properties = 'log.properties'\n"
    )
    port = _free_port()
    done = subprocess.run(
        [
            str(OBSORB), "serve", "-c", "config/dpm.toml", "-n", "dpm", "-l", "info",
            "--workspace", "of-option", "--poll-once",
            "--rr-uri", f"zpb.rr://127.0.0.1:{port}/", "--ps-uri", "zpb.ps://127.0.0.1:12084/",
            "--names", f"localhost:{_free_port()}",
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False,
        env=os.environ | {
            "CFGPATH": f"{tmp_path}/none:{tmp_path}/etc",
            "DATAROOT": str(data), "DAQ_LOGS": str(logs),
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "ready dpm\n"
    assert "--ps-uri zpb.ps://127.0.0.1:12084/ is not needed" in done.stderr
    assert (data / "of-option" / "result").is_dir()
    assert not (data / "of-file").exists()
    logged = (logs / "dpm.log").read_text()
    assert "INFO     objects.component.host: dpm is ready" in logged
