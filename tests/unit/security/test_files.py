"""Files of keys: who can read them, at which moment."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from idl_like_interfaces.security.files import check_private, make_folder, write_private
from idl_like_interfaces.security.refusals import AlreadyIssued, KeyNotSafe, NoCertificate


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_modes_do_not_depend_on_the_umask(tmp_path: Path, mask: int) -> None:
    """Nobody else may enter or read, however careless the shell is."""
    with umask(mask):
        make_folder(tmp_path / "a" / "keys")
        write_private(tmp_path / "a" / "keys" / "k", b"x")
    assert mode(tmp_path / "a" / "keys") == 0o700
    assert mode(tmp_path / "a" / "keys" / "k") == 0o600


def test_a_key_can_be_read_by_others_at_no_moment(tmp_path: Path) -> None:
    """Whatever a watcher sees in the folder while files are written is closed to others."""
    seen: set[int] = set()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            for each in os.scandir(tmp_path):
                try:
                    seen.add(stat.S_IMODE(each.stat(follow_symlinks=False).st_mode))
                except FileNotFoundError:
                    continue

    watcher = threading.Thread(target=look)
    watcher.start()
    with umask(0):
        for index in range(200):
            write_private(tmp_path / f"{index}.key", b"x" * 1000)
    done.set()
    watcher.join()
    assert seen <= {0o600}


def test_a_file_is_not_overwritten(tmp_path: Path) -> None:
    """It stays as it is, and nothing is left beside it."""
    write_private(tmp_path / "k", b"old")
    with pytest.raises(AlreadyIssued, match="not overwritten"):
        write_private(tmp_path / "k", b"new")
    assert (tmp_path / "k").read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["k"]
    write_private(tmp_path / "k", b"new", replace=True)
    assert (tmp_path / "k").read_bytes() == b"new"


def test_an_open_folder_is_refused(tmp_path: Path) -> None:
    """With the command that closes it."""
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    with pytest.raises(KeyNotSafe, match="mode 755") as caught:
        make_folder(folder)
    assert f"chmod 700 {folder}" in caught.value.remedy


@pytest.mark.parametrize("bad", [0o640, 0o604, 0o660, 0o666])
def test_an_open_key_is_refused(tmp_path: Path, bad: int) -> None:
    """With the command that closes it."""
    make_folder(tmp_path / "keys")
    key = tmp_path / "keys" / "a.key"
    write_private(key, b"x")
    key.chmod(bad)
    with pytest.raises(KeyNotSafe, match=f"mode {bad:o}") as caught:
        check_private(key)
    assert f"chmod 600 {key}" in caught.value.remedy


def test_a_folder_that_others_can_write_is_refused(tmp_path: Path) -> None:
    """Who can write the folder can put another key into the place of ours."""
    folder = tmp_path / "keys"
    make_folder(folder)
    write_private(folder / "a.key", b"x")
    folder.chmod(0o770)
    with pytest.raises(KeyNotSafe, match="keys has mode 770"):
        check_private(folder / "a.key")


def test_a_key_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """Its owner can change it at any time."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    make_folder(tmp_path / "keys")
    key = tmp_path / "keys" / "a.key"
    write_private(key, b"x")
    os.chown(key, 12345, 12345)
    with pytest.raises(KeyNotSafe, match="belongs to user 12345"):
        check_private(key)


def test_a_missing_key_is_refused(tmp_path: Path) -> None:
    """It says where it was looked for."""
    with pytest.raises(NoCertificate, match=r"nothing\.key"):
        check_private(tmp_path / "nothing.key")
