"""The pieces of the demonstration; all of it runs as a program in the system tests."""

from __future__ import annotations

import os
import signal
import tomllib
from pathlib import Path

import pytest
from astropy.io import fits

from controller.demo.acquire import specification
from controller.demo.interruption import Interrupted, Interruption
from controller.demo.running import RunningInstallation, obsorb_command
from controller.demo.scratch import FRAMES, find_frames, prepare
from controller.demo.show import PlainShow, make_show
from controller.demo.verify import verify_product
from controller.failure import CommandFailed
from idl_like_interfaces.documents import StartDaqV2Specification
from idl_like_interfaces.mapping.coding import parse_json, to_json
from objects.component.installation import Installation
from tests.support.small import status

KEYWORDS = {"INSTRUME": "STIS"}


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """A product as it should be, made with astropy alone."""
    path = tmp_path / "STIS.fits"
    with fits.open(find_frames()) as frames:
        table = fits.BinTableHDU.from_columns(
            [fits.Column(name="LOAD", format="D", array=[0.1, 0.2])], name="HOST"
        )
        hdus = fits.HDUList([*(hdu.copy() for hdu in frames), table])
        hdus[0].header["INSTRUME"] = "STIS"
        hdus[0].header["ARCFILE"] = path.name
        hdus.writeto(path, checksum=True)
    return path


def complaint(product: Path) -> str:
    """Verify a product that must fail and return the message."""
    with pytest.raises(CommandFailed) as caught:
        verify_product(product, find_frames(), KEYWORDS)
    return caught.value.message


def test_good_product_is_described(product: Path) -> None:
    """Number of HDUs, frames, rows of telemetry."""
    text = verify_product(product, find_frames(), KEYWORDS)
    assert "8 HDUs" in text
    assert "6 frames" in text
    assert "HOST with 2 rows" in text


def test_changed_pixel_is_found(product: Path) -> None:
    """Even when the checksums are right."""
    with fits.open(product, mode="update", checksum=True) as hdus:
        hdus[1].data[3, 4] += 1
    assert "frame 1 (SCI) differs" in complaint(product)


def test_flipped_bit_is_found(product: Path) -> None:
    """By the checksum."""
    content = bytearray(product.read_bytes())
    content[-1500] ^= 1
    with fits.open(product) as hdus:
        offset = hdus[4].fileinfo()["datLoc"]
    content[offset] ^= 1
    product.write_bytes(content)
    assert "hecksum" in complaint(product)


def test_missing_parts_are_all_named(tmp_path: Path) -> None:
    """Frames, table, keywords and checksums."""
    path = tmp_path / "empty.fits"
    fits.HDUList([fits.PrimaryHDU()]).writeto(path)
    text = complaint(path)
    for each in ("no CHECKSUM", "INSTRUME is None", "ARCFILE", "0 frames", "no table"):
        assert each in text, each


def test_file_that_is_no_fits_is_refused(tmp_path: Path) -> None:
    """With the reason."""
    path = tmp_path / "x.fits"
    path.write_text("nothing")
    assert "is not a good FITS file" in complaint(path)


def test_scratch_folder_has_frames_and_a_valid_installation(tmp_path: Path) -> None:
    """The file is one that the installation reader takes, every component with its settings."""
    scratch = prepare(tmp_path / "new")
    assert scratch.original.name == FRAMES
    assert scratch.original.read_bytes() == find_frames().read_bytes()
    read = Installation(scratch.installation)
    shared = {"events", "log", "alarms", "oldb", "ledger", "project"}
    assert set(read.components) == shared | {"dpm", "ocm", "dcs1", "host1"}
    for name in read.components:
        read.settings(name)
    assert tomllib.loads(scratch.installation.read_text())["name_server"]["address"].endswith(":0")


def test_scratch_folder_in_use_is_refused(tmp_path: Path) -> None:
    """Nothing of somebody else is touched."""
    (tmp_path / "mine").write_text("x")
    with pytest.raises(CommandFailed, match="not an empty folder"):
        prepare(tmp_path)
    with pytest.raises(CommandFailed, match="not an empty folder"):
        prepare(tmp_path / "mine")


def test_scratch_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """With the remedy."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(CommandFailed) as caught:
        prepare(tmp_path / "file" / "below")
    assert "--folder" in caught.value.remedy


def test_specification_is_a_valid_document(tmp_path: Path) -> None:
    """As the OCM will read it: sources in order of priority, a receiver that gets a file."""
    text = to_json(specification(tmp_path))
    read = parse_json(StartDaqV2Specification, text)
    assert [each.source_name for each in read.sources] == ["dcs1", "host1", "operator"]
    assert read.receivers[0].path == str(tmp_path)
    assert read.receivers[0].options.allow_symlink is False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_is_noted_and_told_at_a_safe_point(number: signal.Signals) -> None:
    """Nothing is raised out of the blue; afterwards the handlers are as before."""
    before = signal.getsignal(number)
    with Interruption() as interruption:
        interruption.check()
        os.kill(os.getpid(), number)
        with pytest.raises(Interrupted, match=number.name):
            interruption.pause(30.0)
    assert signal.getsignal(number) is before


def test_installation_that_does_not_start_is_explained(tmp_path: Path) -> None:
    """The end of its log is the cause; nothing is left running."""
    said: list[str] = []
    missing, log = tmp_path / "missing.toml", tmp_path / "log"
    with (
        Interruption() as interruption,
        RunningInstallation(missing, log, interruption, said.append) as running,
        pytest.raises(CommandFailed) as caught,
    ):
        running.wait_for_name_server()
    assert "exit code 1" in caught.value.message
    assert "missing.toml" in caught.value.cause
    assert str(log) in caught.value.remedy


def test_command_of_this_environment_is_used() -> None:
    """Not one from somewhere on the path."""
    assert Path(obsorb_command()[0]).is_absolute()


def test_states_are_printed_as_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """In a pipe there is neither colour nor bar."""
    show = make_show()
    assert type(show) is PlainShow
    with show:
        show.begin()
        show.status(status(), 0.2)
    out = capsys.readouterr().out
    assert " 20%  StateAcquiring/Acquiring" in out
    assert "\x1b" not in out
