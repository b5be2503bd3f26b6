"""Small real disks for tests: file systems in memory, of a given size."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.eventually import eventually


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a file system of that size (``1m``) there; skip the test where that is forbidden."""
    folder.mkdir(parents=True, exist_ok=True)
    mount(folder, f"size={size}")
    try:
        yield folder
    finally:
        eventually(lambda: _unmounted(folder), f"nobody uses {folder}")


def _unmounted(folder: Path) -> bool:
    """Unmount it; a process of another host, so to speak, may just be ending."""
    return subprocess.run(["umount", folder], capture_output=True, check=False).returncode == 0


def mount(folder: Path, options: str) -> None:
    """Mount it, or mount it anew with other options (``remount,ro``)."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("this machine does not let a test mount a small file system")


def fill(folder: Path, *, but: int = 0) -> Path:
    """Take all room of a disk with one file, but so many bytes; return the file."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass
    if but:
        with ballast.open("r+b") as file:
            file.truncate(max(0, ballast.stat().st_size - but))
    return ballast
