"""Delivery to receivers."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from idl_like_interfaces.announcements import FileFinished
from idl_like_interfaces.daqif import DaqSubstate
from objects.products.component import DpmSettings
from tests.support.products import make_source, running, specification


def receiver(path: Path, **more: Any) -> dict[str, Any]:
    return {"type": "olasReceiver", "path": str(path), **more}


def folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


@pytest.fixture
def no_hard_links(data_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make hard links into receivers fail as between two file systems."""
    link = os.link

    def refuse(source: Path, place: Path) -> None:
        if "olas" in str(place):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        link(source, place)

    monkeypatch.setattr(os, "link", refuse)


@pytest.mark.spec("ESO-146", "ESO-148")
def test_a_local_receiver_gets_a_hard_link_of_the_archive_name(
    data_root: Path, settings: DpmSettings
) -> None:
    """Never the prefixed name; both names are one file."""
    olas = folder(data_root / "olas")
    text = specification(
        "A.1",
        make_source(data_root / "a.fits"),
        target={"filePrefix": "sci_"},
        receivers=[receiver(olas)],
    )
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(text)
        result = Path(dpm.wait("A.1", DaqSubstate.COMPLETED).result)
    assert [p.name for p in olas.iterdir()] == ["A.1.fits"]
    assert (olas / "A.1.fits").samefile(result)
    assert not (olas / "A.1.fits").is_symlink()


@pytest.mark.spec("ESO-147")
@pytest.mark.usefixtures("no_hard_links")
@pytest.mark.parametrize("allowed", [True, False])
def test_where_no_hard_link_is_possible_a_symlink_or_copy_is_made(
    data_root: Path, settings: DpmSettings, allowed: bool
) -> None:
    """With allowSymlink false the file is a real one."""
    olas = folder(data_root / "olas")
    options = {"allowSymlink": allowed}
    source = make_source(data_root / "a.fits")
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", source, receivers=[receiver(olas, options=options)]))
        dpm.wait("A.1", DaqSubstate.COMPLETED)
    delivered = olas / "A.1.fits"
    assert [p.name for p in olas.iterdir()] == ["A.1.fits"]
    assert delivered.is_symlink() is allowed
    assert delivered.read_bytes() == b"merged:frames"


@pytest.mark.spec("ESO-149", "ESO-150", "ESO-151")
def test_one_bad_receiver_does_not_keep_the_others_from_theirs(
    data_root: Path, settings: DpmSettings
) -> None:
    """It stays in Releasing with an alert for each bad one; after a repair it completes."""
    first, last = folder(data_root / "olas1"), folder(data_root / "olas2")
    (data_root / "file").write_text("no folder")
    receivers = [
        receiver(first),
        receiver(data_root / "missing"),
        receiver(data_root / "file"),
        receiver(last),
    ]
    text = specification("A.1", make_source(data_root / "a.fits"), receivers=receivers)
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(text)
        status = dpm.wait("A.1", DaqSubstate.RELEASING, error=True)
        assert [a.id for a in status.alerts] == ["release/1", "release/2"]
        assert "does not exist" in status.alerts[0].description
        assert "is not a folder" in status.alerts[1].description
        assert (first / "A.1.fits").exists()
        assert (last / "A.1.fits").exists()
        (first / "A.1.fits").unlink()  # taken by its receiver: it is not delivered again
        (data_root / "missing").mkdir()
        (data_root / "file").unlink()
        (data_root / "file").mkdir()
        dpm.daq.retry_merge_daq("A.1")
        assert dpm.wait("A.1", DaqSubstate.COMPLETED).error is False
        assert len([b for _, b in dpm.site.events if isinstance(b, FileFinished)]) == 1
    assert (data_root / "missing" / "A.1.fits").exists()
    assert (data_root / "file" / "A.1.fits").exists()
    assert not (first / "A.1.fits").exists()


@pytest.mark.spec("ESO-149")
def test_a_failed_receiver_can_be_made_to_matter_less(
    data_root: Path, settings: DpmSettings
) -> None:
    """With the setting of the older rule it completes, error true, the alert stays."""
    text = specification(
        "A.1", make_source(data_root / "a.fits"), receivers=[receiver(data_root / "missing")]
    )
    with running(data_root, replace(settings, complete_after_failed_release=True)) as dpm:
        dpm.daq.queue_daq(text)
        status = dpm.wait("A.1", DaqSubstate.COMPLETED)
    assert status.error is True
    assert [a.id for a in status.alerts] == ["release/0"]


def test_a_receiver_that_cannot_be_reached_is_told_with_a_remedy(
    data_root: Path, settings: DpmSettings
) -> None:
    """It is said which receiver, why, and what to do; those of this host have their product."""
    far = receiver(data_root, host="far.example")
    near = receiver(folder(data_root / "olas"))
    text = specification("A.1", make_source(data_root / "a.fits"), receivers=[far, near])
    with running(data_root, replace(settings, bin_rsync="no-such-rsync")) as dpm:
        dpm.daq.queue_daq(text)
        (alert,) = dpm.wait("A.1", DaqSubstate.RELEASING, error=True).alerts
    assert alert.id == "release/0"
    assert "no-such-rsync" in alert.description
    assert "bin_rsync" in alert.cause
    assert alert.remedy
    assert (data_root / "olas" / "A.1.fits").exists()


@pytest.mark.parametrize(
    ("there", "completes"), [(b"merged:frames", True), (b"something else", False)]
)
def test_what_the_receiver_has_already_is_left_as_it_is(
    data_root: Path, settings: DpmSettings, there: bytes, completes: bool
) -> None:
    """Equal content counts as delivered, other content is never replaced."""
    olas = folder(data_root / "olas")
    (olas / "A.1.fits").write_bytes(there)
    text = specification("A.1", make_source(data_root / "a.fits"), receivers=[receiver(olas)])
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(text)
        if completes:
            dpm.wait("A.1", DaqSubstate.COMPLETED)
        else:
            status = dpm.wait("A.1", DaqSubstate.RELEASING, error=True)
            assert "exists and is another file" in status.message
    assert (olas / "A.1.fits").read_bytes() == there


def test_aborting_while_releasing_keeps_the_announced_product(
    data_root: Path, settings: DpmSettings
) -> None:
    """Others were told of it already: only the delivery ends."""
    text = specification(
        "A.1", make_source(data_root / "a.fits"), receivers=[receiver(data_root / "missing")]
    )
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(text)
        dpm.wait("A.1", DaqSubstate.RELEASING, error=True)
        dpm.daq.abort_daq("A.1")
        status = dpm.wait("A.1", DaqSubstate.ABORTED)
    assert Path(status.result).read_bytes() == b"merged:frames"


@pytest.mark.usefixtures("no_hard_links")
def test_a_full_disk_at_the_receiver_leaves_no_part(
    data_root: Path, settings: DpmSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The alert says that the disk is full."""
    olas = folder(data_root / "olas")

    def full(descriptor: int, content: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    options = {"allowSymlink": False}
    text = specification(
        "A.1", make_source(data_root / "a.fits"), receivers=[receiver(olas, options=options)]
    )
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(text)
        (alert,) = dpm.wait("A.1", DaqSubstate.RELEASING, error=True).alerts
    assert alert.cause == "the disk is full"
    assert list(olas.iterdir()) == []
