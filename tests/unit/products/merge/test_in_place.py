"""A target that becomes the product: the same product, and a target that is never lost."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits

from idl_like_interfaces.merging import MergeMessage, MergeMessageType
from objects.products.merge.pump import Pump
from objects.products.merge.tool import merge
from objects.products.merge.undo import forget, put_back
from tests.support.merging import Bench, primary_header


def room(cards: int) -> fits.Header:
    """Return a header with so many blank cards, as detectors leave them."""
    header = fits.Header({"OBJECT": "target"})
    for _ in range(cards):
        header.append(("", ""), end=True)
    return header


def pixels(value: int) -> fits.ImageHDU:
    return fits.ImageHDU(np.full((500, 700), value, "int16"), name=f"E{value}")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Have a target with two extensions and room in its header, and a source with two more."""
    bench = Bench(tmp_path)
    target = fits.HDUList([fits.PrimaryHDU(header=room(40)), pixels(1), pixels(2)])
    target.writeto(tmp_path / "target.fits")
    bench.target["source"] = bench.source("target")
    source = fits.HDUList([fits.PrimaryHDU(), pixels(3), pixels(4)])
    source.writeto(tmp_path / "source.fits")
    bench.sources.append(bench.source("source"))
    bench.give("ocm", INSTRUME="INSX")
    return bench


def make(bench: Bench, name: str, *, in_place: bool) -> int:
    return merge(
        bench.specification(),
        outfile=Path(name),
        in_place=in_place,
        on_message=bench.messages.append,
        clock=bench.clock,
    )


def contents(path: Path) -> list[tuple[bytes, dict[str, object]]]:
    """Return the data and keywords of all HDUs."""
    own = ("CHECKSUM", "DATASUM", "")
    with fits.open(path, checksum=True, do_not_scale_image_data=True) as hdus:
        hdus.verify("exception")
        return [
            (
                b"" if hdu.data is None else hdu.data.tobytes(),
                {name: value for name, value in hdu.header.items() if name not in own},
            )
            for hdu in hdus
        ]


def test_the_product_is_that_of_a_merge_into_a_new_file(bench: Bench) -> None:
    """Keywords, data and order are the same; the target has become it."""
    target = bench.folder / "target.fits"
    assert make(bench, "new.fits", in_place=False) == 0
    inode = target.stat().st_ino
    assert make(bench, "same.fits", in_place=True) == 0
    same = bench.folder / "same.fits"
    assert contents(same) == contents(bench.folder / "new.fits")
    assert primary_header(same)["INSTRUME"] == "INSX"
    assert same.stat().st_ino == inode
    assert same.stat().st_mode & 0o777 == 0o444
    assert not target.exists()


def test_a_target_without_room_in_its_header_is_copied(bench: Bench) -> None:
    """Its data would have to be moved; it stays as it was."""
    target = bench.folder / "target.fits"
    before = target.read_bytes()
    bench.give("more", **{f"WORD{number}": number for number in range(80)})
    assert make(bench, "new.fits", in_place=True) == 0
    assert target.read_bytes() == before
    assert primary_header(bench.folder / "new.fits")["WORD79"] == 79


def _with_second_name(target: Path) -> None:
    os.link(target, target.with_name("other.fits"))


def _with_filling(target: Path) -> None:
    with target.open("ab") as file:
        file.write(bytes(2880))


@pytest.mark.parametrize("spoil", [_with_second_name, _with_filling])
def test_a_target_that_may_not_change_is_copied(
    bench: Bench, spoil: Callable[[Path], None]
) -> None:
    """One with another name, or with something behind its last HDU."""
    target = bench.folder / "target.fits"
    spoil(target)
    before = target.read_bytes()
    assert make(bench, "new.fits", in_place=True) == 0
    assert target.read_bytes() == before


def test_a_disk_that_is_full_leaves_the_target_as_it_was(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also its time, by which it is known to be current."""
    target = bench.folder / "target.fits"
    before, time = target.read_bytes(), target.stat().st_mtime_ns

    def full(pump: Pump, origin: object, file: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Pump, "copy", full)
    assert make(bench, "new.fits", in_place=True) == 255
    assert "No space left" in bench.error()
    assert target.read_bytes() == before
    assert target.stat().st_mtime_ns == time
    assert sorted(path.name for path in bench.folder.iterdir()) == [
        "source.fits",
        "specification.json",
        "target.fits",
    ]


def test_a_product_that_has_no_room_behind_its_target_is_not_begun(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what comes behind the target needs room."""
    before = (bench.folder / "target.fits").read_bytes()
    disk = os.statvfs(bench.folder)

    def small(_descriptor: int) -> object:
        return SimpleNamespace(f_frsize=1, f_bavail=free, f_blocks=disk.f_blocks)

    monkeypatch.setattr(os, "fstatvfs", small)
    free = len((bench.folder / "source.fits").read_bytes()) - 2880 - 1
    assert make(bench, "new.fits", in_place=True) == 255
    assert f"{free + 1} bytes are needed, {free} are free" in bench.error()
    assert (bench.folder / "target.fits").read_bytes() == before
    bench.messages.clear()
    free += 1
    assert make(bench, "new.fits", in_place=True) == 0


def test_an_error_of_who_listens_leaves_the_target_as_it_was(bench: Bench) -> None:
    """And is told as what it is."""
    before = (bench.folder / "target.fits").read_bytes()

    def listen(message: MergeMessage) -> None:
        bench.messages.append(message)
        if message.type is MergeMessageType.PROGRESS:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    specification = bench.specification()
    code = merge(specification, outfile=Path("new.fits"), in_place=True, on_message=listen)
    assert code == 255
    assert "BrokenPipeError" in bench.error()
    assert (bench.folder / "target.fits").read_bytes() == before


def test_an_output_that_exists_leaves_the_target_as_it_was(bench: Bench) -> None:
    """Nothing is replaced."""
    target, other = bench.folder / "target.fits", bench.folder / "new.fits"
    before = target.read_bytes()
    other.write_text("somebody's")
    assert make(bench, "new.fits", in_place=True) == 255
    assert target.read_bytes() == before
    assert other.read_text() == "somebody's"


_KILLED = """
import os, sys
from pathlib import Path
from objects.products.merge.tool import merge
left = int(sys.argv[2])
def count(message):
    global left
    left -= 1
    if left < 0:
        os._exit(9)
merge(sys.argv[1], outfile=Path("new.fits"), in_place=True, on_message=count)
"""


@pytest.mark.parametrize("messages", [0, 1, 3, 4, 5])
def test_a_target_comes_back_wherever_the_merge_was_killed(bench: Bench, messages: int) -> None:
    """After some headers were changed, data appended, or the product complete."""
    target = bench.folder / "target.fits"
    before, time = target.read_bytes(), target.stat().st_mtime_ns
    ended = subprocess.run(
        [sys.executable, "-c", _KILLED, bench.specification(), str(messages)],
        timeout=50,
        check=False,
    )
    assert ended.returncode == 9
    assert (bench.folder / ".target.fits.undo").exists()
    for _ in range(2):
        put_back(target, bench.folder / "new.fits")
        assert target.read_bytes() == before
        assert target.stat().st_mtime_ns == time
    assert make(bench, "new.fits", in_place=True) == 0
    assert len(contents(bench.folder / "new.fits")) == 5


def test_a_file_that_took_the_name_later_is_left_alone(bench: Bench) -> None:
    """The record is of another one."""
    target = bench.folder / "target.fits"
    assert make(bench, "new.fits", in_place=True) == 0
    (bench.folder / "new.fits").rename(bench.folder / "placed.fits")
    target.write_bytes(b"x" * (1 << 21))
    put_back(target, bench.folder / "new.fits")
    assert target.read_bytes() == b"x" * (1 << 21)
    assert not (bench.folder / ".target.fits.undo").exists()
    forget(target)


def test_a_merger_that_is_still_dying_is_waited_for(bench: Bench) -> None:
    """Its last write must not come behind what brings the target back."""
    target = bench.folder / "target.fits"
    before = target.read_bytes()
    assert make(bench, "new.fits", in_place=True) == 0
    with (bench.folder / "new.fits").open("rb") as dying, ThreadPoolExecutor(1) as pool:
        fcntl.flock(dying.fileno(), fcntl.LOCK_EX)
        back = pool.submit(put_back, target, bench.folder / "new.fits")
        with pytest.raises(TimeoutError):
            back.result(0.2)
        fcntl.flock(dying.fileno(), fcntl.LOCK_UN)
        back.result(30)
    assert target.read_bytes() == before


def test_a_merge_that_finds_another_at_work_leaves_its_record_alone(bench: Bench) -> None:
    """By it the target comes back if that other merge is killed."""
    target, record = bench.folder / "target.fits", bench.folder / ".target.fits.undo"
    before = target.read_bytes()
    record.write_text("of the other")
    with target.open("rb") as other:
        fcntl.flock(other.fileno(), fcntl.LOCK_EX)
        assert make(bench, "new.fits", in_place=True) == 255
    assert "another merge is writing" in bench.error()
    assert record.read_text() == "of the other"
    assert target.read_bytes() == before
