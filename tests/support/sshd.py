"""A real ssh server on the loopback interface, with keys of its own, and rsync behind it."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from typing_extensions import override

from idl_like_interfaces.closing import Closing
from tests.support.eventually import PATIENCE_S, eventually

HOST = "far"
"""The name by which tests reach the server."""

_CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
"""


class SshServer(Closing):
    """Serves this user's files to whoever has the key.

    Args:
        folder: For keys and configuration.

    Attributes:
        folder: Likewise.
        port: Where it listens.
    """

    def __init__(self, folder: Path) -> None:
        require_ssh()
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("host_key", "user_key", "strange_key"):
            self._make_key(name)
        self.port = _free_port()
        public = (folder / "host_key.pub").read_text()
        (folder / "known_hosts").write_text(f"{HOST} {public}")
        (folder / "sshd_config").write_text(_CONFIG.format(port=self.port, folder=folder))
        self._process = self._start()

    @override
    def close(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_S)

    def command(self, *options: str, key: str = "user_key") -> str:
        """Return the setting ``ssh_command`` that reaches it as the host ``far``."""
        words = [
            *("ssh", "-F", "none", "-p", str(self.port), "-i", str(self.folder / key)),
            *("-o", "IdentitiesOnly=yes", "-o", "Hostname=127.0.0.1", "-o", f"HostKeyAlias={HOST}"),
            *options,
            *("-o", f"UserKnownHostsFile={self.folder / 'known_hosts'}"),
            *("-o", "GlobalKnownHostsFile=/dev/null", "-o", "ConnectTimeout=20"),
        ]
        return shlex.join(words)

    def _make_key(self, name: str) -> None:
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / name)],
            check=True,
            stdin=subprocess.DEVNULL,
        )

    def _start(self) -> subprocess.Popen[bytes]:
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # its own separation of privileges
        log = self.folder / "sshd.log"
        with log.open("wb") as writing:
            process = subprocess.Popen(
                [_sshd(), "-D", "-e", "-f", str(self.folder / "sshd_config")],
                stderr=writing,
                stdin=subprocess.DEVNULL,
            )

        def listens() -> bool:
            return "Server listening" in log.read_text() or process.poll() is not None

        eventually(listens, "sshd listens")
        if process.poll() is not None:
            pytest.skip(f"sshd does not start here: {log.read_text()}")
        return process


def require_ssh() -> None:
    """Skip a test where there is no ssh server, no ssh or no rsync."""
    missing = [name for name in ("ssh", "ssh-keygen", "rsync") if not shutil.which(name)]
    missing += [] if _sshd() else ["sshd"]
    if missing:
        pytest.skip(f"{', '.join(missing)} cannot be found (.ci/run installs them where it may)")


def _sshd() -> str:
    return shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") or ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
