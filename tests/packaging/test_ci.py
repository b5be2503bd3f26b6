"""The gates fail without what the tests of transfers need, unless somebody says that they may."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / ".ci" / "require-ssh"
PROGRAMS = ("rsync", "ssh", "ssh-keygen", "sshd")

pytestmark = pytest.mark.skipif(not SCRIPT.exists(), reason="runs in the tree of the project only")


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Return the only folder of programs of a machine; its user is root, and it has no apt."""
    give(tmp_path, "id", "echo 0")
    return tmp_path


def give(folder: Path, name: str, body: str = "true") -> None:
    """Make a program."""
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


def installer(folder: Path) -> str:
    """Return the body of an apt-get that installs everything."""
    made = "; ".join(f"/bin/cp {folder}/id {folder}/{name}" for name in PROGRAMS)
    return f'[ "$1" = update ] || {{ {made}; }}'


def run(programs: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/bash", str(SCRIPT)],
        env={"PATH": str(programs), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_where_they_are_nobody_need_be_root(programs: Path) -> None:
    """Nothing is installed."""
    give(programs, "id", "echo 1000")
    give(programs, "apt-get", "exit 1")
    for name in PROGRAMS:
        give(programs, name)
    done = run(programs)
    assert (done.returncode, done.stdout) == (0, "all are here\n")


def test_root_installs_them(programs: Path) -> None:
    """On a fresh machine."""
    give(programs, "apt-get", installer(programs))
    done = run(programs)
    assert (done.returncode, done.stdout) == (0, "all are here\n"), done.stderr


@pytest.mark.parametrize(("user", "apt"), [("0", "exit 100"), ("0", "true"), ("1000", "true")])
def test_without_them_it_fails_and_says_what_to_do(programs: Path, user: str, apt: str) -> None:
    """Where the installer fails, installs nothing, or may not be asked."""
    give(programs, "id", f"echo {user}")
    give(programs, "apt-get", apt)
    done = run(programs)
    assert done.returncode == 1
    assert "rsync openssh-client" in done.stderr
    assert "OBSORB_WITHOUT_SSHD=1" in done.stderr


def test_the_tests_may_be_skipped_on_request(programs: Path) -> None:
    """By a variable, and it is said."""
    done = run(programs, OBSORB_WITHOUT_SSHD="1")
    assert done.returncode == 0
    assert "will be skipped" in done.stdout
