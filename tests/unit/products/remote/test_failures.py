"""What went wrong between two hosts, why, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from objects.products.cancel import Cancel
from objects.products.remote import Network, NetworkSettings
from objects.products.remote.failures import ConnectionLost, failure
from objects.products.remote.rsync import RsyncSettings
from objects.products.transfer import TransferFailed
from tests.support.products import make_source
from tests.support.sshd import SshServer
from tests.unit.products.remote.conftest import on_far


def fetched_in_vain(folder: Path, ssh_command: str, program: str = "rsync") -> TransferFailed:
    settings = RsyncSettings(program=program, ssh_command=ssh_command)
    origin = make_source(folder / "a.fits")
    with pytest.raises(TransferFailed) as failed:
        Network(NetworkSettings(rsync=settings)).fetch(on_far(origin), folder / "got", Cancel())
    assert failed.value.remedy
    return failed.value


def test_a_host_whose_key_is_unknown_is_not_trusted(sshd: SshServer, tmp_path: Path) -> None:
    """Nobody is asked; the remedy says where the key belongs."""
    told = fetched_in_vain(tmp_path, sshd.command("-o", "UserKnownHostsFile=/dev/null"))
    assert "Host key verification failed" in told.description
    assert "exit code 255: ssh failed" in told.description
    assert "known_hosts" in told.remedy
    assert not told.passing


def test_a_refused_key_is_told(sshd: SshServer, tmp_path: Path) -> None:
    """No password is asked for."""
    told = fetched_in_vain(tmp_path, sshd.command(key="strange_key"))
    assert "Permission denied (publickey" in told.description
    assert "authorized_keys" in told.remedy
    assert not told.passing


def test_a_host_that_is_down_is_asked_again(sshd: SshServer, tmp_path: Path) -> None:
    """It may come back by itself."""
    command = sshd.command().replace(f"-p {sshd.port}", "-p 1")
    told = fetched_in_vain(tmp_path, command)
    assert "Connection refused" in told.description
    assert told.passing


@pytest.mark.parametrize(
    ("ssh_command", "program", "says"),
    [
        ("no-such-ssh", "rsync", "ssh_command"),
        ("ssh", "no-such-rsync", "install it"),
        ("ssh", "/etc/passwd", "install it"),
    ],
)
def test_a_missing_program_is_told(
    sshd: SshServer, tmp_path: Path, ssh_command: str, program: str, says: str
) -> None:
    """Which one, and by which setting it is found."""
    assert sshd.port
    assert says in fetched_in_vain(tmp_path, ssh_command, program).remedy


@pytest.mark.parametrize(
    ("code", "errors", "cause", "passing"),
    [
        (127, "bash: line 1: rsync: command not found", "not installed on host far", False),
        (127, "sh: 1: rsync: not found", "not installed on host far", False),
        (12, "bash: /opt/rsync: No such file or directory", "not installed on host far", False),
        (255, "ssh: Could not resolve hostname far: Name or service not known", "no host", False),
        (255, "ssh: connect to host far port 22: No route to host", "switched off", True),
        (255, "ssh: connect to host far port 22: Connection timed out", "switched off", True),
        (255, "@@@\nWARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!", "has changed", False),
        (11, 'write failed on "/x": No space left on device (28)', "of the desk is full", True),
        (12, "mkstemp: No space left on device (28)", "of the desk is full", True),
        (11, "write failed: Disk quota exceeded (122)", "quota", True),
        (23, 'mkstemp "/x" failed: Read-only file system (30)', "read-only", False),
        (23, 'send_files failed to open "/x": Permission denied (13)', "permission", False),
        (24, "file has vanished: /x", "moved or deleted", False),
        (30, "rsync error: timeout in data send/receive (code 30)", "stood still", True),
        (10, "", "broke off", True),
        (11, "", "the desk is full or has a fault", True),
        (-9, "", "broke off", True),
        (2, "protocol version mismatch -- is your shell clean?", "see the description", False),
        (99, "", "see the description", False),
    ],
)
def test_texts_of_rsync_and_ssh_are_understood(
    code: int, errors: str, cause: str, passing: bool
) -> None:
    """Each has a cause and a remedy; what may be over by itself is marked so."""
    told = failure(code, errors, host="far", place="the desk")
    assert cause in told.cause
    assert told.remedy
    assert told.passing is passing
    assert str(abs(code)) in told.description


def test_a_full_disk_is_no_lost_connection() -> None:
    """Then the part that has come is in the way of everybody."""
    assert isinstance(failure(12, "", host="h", place="p"), ConnectionLost)
    full = failure(12, "No space left on device (28)", host="h", place="p")
    assert not isinstance(full, ConnectionLost)


def test_the_first_line_that_says_something_is_passed_on() -> None:
    """What only follows from it is left out."""
    errors = "rsync: connection unexpectedly closed\nthe reason\nrsync error: (code 12)"
    told = failure(12, errors, host="h", place="p")
    assert (
        told.description == "rsync ended with exit code 12: the conversation broke off; the reason"
    )
