"""The folder of a source: one writer, and order after a crash."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from astropy.io import fits

from idl_like_interfaces.errors import SystemRefusal
from objects.data_source.output import FolderInUse, OutputFolder, announcement
from objects.data_source.readiness import SourceNotReady

ENDLESS = """
import sys
from pathlib import Path
from objects.data_source.recorder import Recorder
from objects.data_source.output import OutputFolder
from idl_like_interfaces.recif import RecProperties
from tests.support.site import FakeSite
from tests.unit.data_source.frames import NumberedFrames

def tell(number):
    if number == 4:
        print("three frames are written", flush=True)

recorder = Recorder(FakeSite(Path(sys.argv[1])), NumberedFrames(before=tell), OutputFolder(Path(sys.argv[1])))
recorder.rec_start(RecProperties(id="killed"))
recorder.rec_wait(60.0)
"""


def test_what_a_killed_recorder_left_is_put_aside(tmp_path: Path) -> None:
    """After SIGKILL no half file looks like data, and its whole frames can be read."""
    with subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(tmp_path)], stdout=subprocess.PIPE, text=True,
        cwd=Path(__file__).parents[3],
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline().startswith("three")
        process.send_signal(signal.SIGKILL)
    assert not list(tmp_path.glob("*.fits"))
    folder = OutputFolder(tmp_path)
    folder.recover()
    folder.close()
    (broken,) = tmp_path.glob("*.broken")
    assert broken.name == "killed.fits.broken"
    assert not list(tmp_path.glob("*.part"))
    with fits.open(broken, memmap=False, lazy_load_hdus=True) as hdus:
        assert [int(hdus[number].data[0, 0]) for number in (1, 2, 3)] == [1, 2, 3]


def test_a_second_left_over_of_one_name_gets_a_number(tmp_path: Path) -> None:
    """Nothing that was put aside is lost later."""
    (tmp_path / "s1.fits.broken").write_text("first")
    (tmp_path / "s1.fits.part").write_text("second")
    folder = OutputFolder(tmp_path)
    folder.recover()
    folder.close()
    assert (tmp_path / "s1.fits.broken").read_text() == "first"
    assert (tmp_path / "s1.fits.2.broken").read_text() == "second"


def test_a_second_instance_is_refused(tmp_path: Path) -> None:
    """It would take the file that grows for a left-over."""
    first, second = OutputFolder(tmp_path), OutputFolder(tmp_path)
    first.ensure_open()
    (tmp_path / "s1.fits.part").touch()
    with pytest.raises(FolderInUse, match="in use by another process"):
        second.ensure_open()
    with pytest.raises(SystemRefusal, match="in use") as refused:
        second.recover()
    assert refused.value.remedy
    assert (tmp_path / "s1.fits.part").exists()
    first.close()
    second.ensure_open()
    second.close()


def test_a_folder_that_cannot_be_made_is_refused_with_a_remedy(tmp_path: Path) -> None:
    """Its name, the cause of the system, and what to do."""
    (tmp_path / "file").touch()
    folder = OutputFolder(tmp_path / "file" / "out")
    with pytest.raises(SourceNotReady, match="cannot be written into") as refused:
        folder.ensure_open()
    assert str(folder.path) in refused.value.message
    assert refused.value.cause
    assert "writable" in refused.value.remedy


def test_a_folder_that_cannot_be_made_does_not_keep_a_process_down(tmp_path: Path) -> None:
    """The source comes up and can be asked; each start is refused until it is repaired."""
    place = tmp_path / "file"
    place.touch()
    folder = OutputFolder(place / "out")
    folder.recover()
    place.unlink()
    folder.ensure_open()
    folder.close()
    assert (place / "out").is_dir()


def test_a_finished_file_is_announced_with_size_and_digest(tmp_path: Path) -> None:
    """Anybody can see later that it did not change."""
    path = tmp_path / "s1.fits"
    path.write_bytes(b"content")
    body = announcement(path, "s1")
    assert (body.path, body.size_bytes, body.owner, body.kind) == (str(path), 7, "s1", "source")
    assert body.digest == f"sha256:{hashlib.sha256(b'content').hexdigest()}"
    assert body.host == os.uname().nodename
