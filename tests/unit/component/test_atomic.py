"""Atomic writing of small files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from idl_like_interfaces.daqif import StorageStatus
from objects.component.atomic import fsync_folder, write_json_atomic, write_text_atomic


def test_a_struct_becomes_indented_json(tmp_path: Path) -> None:
    """People read these files at night."""
    path = tmp_path / "status.json"
    write_json_atomic(path, StorageStatus(capacity=3, free=2, available=1))
    assert json.loads(path.read_text()) == {"capacity": 3, "free": 2, "available": 1}
    assert path.read_text().count("\n") == 5


def test_nothing_but_the_file_is_left(tmp_path: Path) -> None:
    """No part file stays behind, however often the file is written."""
    for text in ("one", "two"):
        write_text_atomic(tmp_path / "a.txt", text)
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "two"
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o644


def test_a_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk refuses, the old content is untouched and no part is left."""
    path = tmp_path / "a.txt"
    write_text_atomic(path, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_text_atomic(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_that_is_not_there_cannot_be_synced(tmp_path: Path) -> None:
    """A missing folder is told, not ignored."""
    with pytest.raises(FileNotFoundError):
        fsync_folder(tmp_path / "missing")
