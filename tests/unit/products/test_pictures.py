"""Pictures beside the products: drawn by a process of its own that never is in the way."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from idl_like_interfaces.daqif import AlertSeverity, DaqSubstate
from objects.products import component, pictures
from objects.products.component import DpmSettings
from objects.products.missing_pictures import missing_pictures
from objects.products.pictures import PROGRAM, Pictures
from tests.support.eventually import eventually
from tests.support.fits import image, write_fits
from tests.support.products import MergerControl, make_source, running, specification

PATIENCE_S = 30.0


class Noted:
    """What became of each picture."""

    def __init__(self) -> None:
        self.notes: list[tuple[str, str]] = []
        self._news = threading.Condition()

    def __call__(self, id: str, error: str) -> None:
        with self._news:
            self.notes.append((id, error))
            self._news.notify_all()

    def wait(self, count: int) -> list[tuple[str, str]]:
        """Return the notes when there are so many."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.notes) >= count, PATIENCE_S), self.notes
            return list(self.notes)


_QUICK = """
import json, os, sys
for line in sys.stdin:
    path = json.loads(line)["product"]
    open(path).close()
    open(os.path.splitext(path)[0] + ".png", "w").close()
    print(json.dumps({"error": ""}), flush=True)
"""
"""A stand-in that starts at once: it waits where a file is a pipe, and draws nothing."""


@pytest.fixture
def quick(tmp_path: Path) -> Path:
    """Return the program of the stand-in."""
    program = tmp_path / "quick.py"
    program.write_text(_QUICK)
    return program


@contextmanager
def drawing(noted: Noted, program: Path | None = None, **times: float) -> Iterator[Pictures]:
    found = Pictures(noted, program=program or PROGRAM, **times)
    found.start()
    try:
        yield found
    finally:
        found.close()


def product(folder: Path, name: str = "a") -> Path:
    return write_fits(folder / f"{name}.fits", {"OBJECT": "M 31"}, extensions=[image("A")])


def test_one_process_draws_what_is_requested(tmp_path: Path) -> None:
    """One after the other; a file that cannot be shown costs its own picture only."""
    (tmp_path / "b.fits").write_text("no FITS")
    noted = Noted()
    with drawing(noted) as found:
        found.request("A", product(tmp_path))
        found.request("B", tmp_path / "b.fits")
        assert noted.wait(2)[0] == ("A", "")
        first = found.pid
        found.request("C", product(tmp_path, "c"))
        notes = noted.wait(3)
        assert found.pid == first
        assert first is not None
        # It goes first to nobody.
        assert os.getpriority(os.PRIO_PROCESS, first) > os.getpriority(os.PRIO_PROCESS, 0)
    assert "no FITS file" in notes[1][1]
    assert notes[2] == ("C", "")
    assert {p.name for p in tmp_path.glob("*.png")} == {"a.png", "c.png"}
    assert found.pid is None


def test_a_process_that_dies_costs_one_picture(tmp_path: Path, quick: Path) -> None:
    """The next one has a new process."""
    noted = Noted()
    with drawing(noted, quick) as found:
        found.request("A", product(tmp_path))
        noted.wait(1)
        assert found.pid is not None
        os.kill(found.pid, signal.SIGKILL)
        found.request("B", product(tmp_path, "b"))
        found.request("C", product(tmp_path, "c"))
        notes = noted.wait(3)
    assert "has died" in notes[1][1]
    assert notes[2] == ("C", "")


def test_a_picture_that_takes_too_long_is_given_up(tmp_path: Path, quick: Path) -> None:
    """And its process ended."""
    os.mkfifo(tmp_path / "never.fits")  # who opens it waits for somebody who writes
    noted = Noted()
    with drawing(noted, quick, draw_s=0.2) as found:
        found.request("A", tmp_path / "never.fits")
        ((_, error),) = noted.wait(1)
        assert "longer than" in error
        eventually(lambda: found.pid is None)


def test_without_work_the_process_goes(tmp_path: Path, quick: Path) -> None:
    """It comes again with the next product."""
    noted = Noted()
    with drawing(noted, quick, idle_s=0.05) as found:
        for count, name in enumerate("ab", 1):
            found.request(name, product(tmp_path, name))
            noted.wait(count)
            eventually(lambda: found.pid is None)
    assert noted.notes == [("a", ""), ("b", "")]


def test_after_its_share_a_process_is_replaced(
    tmp_path: Path, quick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it may have leaked stays bounded."""
    monkeypatch.setattr(pictures, "SHARE", 1)
    noted = Noted()
    with drawing(noted, quick) as found:
        for count, name in enumerate("ab", 1):
            found.request(name, product(tmp_path, name))
            noted.wait(count)
            eventually(lambda: found.pid is None)


def test_of_too_many_the_oldest_go_without(
    tmp_path: Path, quick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue is bounded, and it is said whose picture there is not."""
    monkeypatch.setattr(pictures, "MOST_WAITING", 1)
    noted = Noted()
    found = Pictures(noted, program=quick)
    for name in "abc":
        found.request(name, product(tmp_path, name))
    found.start()
    notes = noted.wait(3)
    found.close()
    assert [id for id, error in notes if "too many" in error] == ["a", "b"]
    assert ("c", "") in notes


def test_an_end_waits_for_no_picture_unless_it_has_patience(tmp_path: Path, quick: Path) -> None:
    """What is being drawn is given up; with patience what waits is drawn."""
    os.mkfifo(tmp_path / "never.fits")
    noted = Noted()
    with drawing(noted, quick) as found:
        found.request("A", tmp_path / "never.fits")
        eventually(lambda: found.pid is not None)
        found.request("B", tmp_path / "b.fits")
        assert [found.expects(id) for id in "ABC"] == [True, True, False]
    assert noted.notes == []
    patient = Pictures(noted, program=quick)
    patient.start()
    patient.request("B", product(tmp_path))
    patient.close(PATIENCE_S)
    assert noted.notes == [("B", "")]


def test_one_that_was_never_started_can_be_closed() -> None:
    """As when the boot is given up."""
    Pictures(Noted()).close()


def _with_product(merger: MergerControl, tmp_path: Path) -> None:
    """Let the stand-in merger make a FITS file."""
    merger.script.write_text(merger.script.read_text().replace('b"merged:" + content', "content"))


def test_the_dpm_puts_a_picture_beside_its_product(
    data_root: Path, settings: DpmSettings, merger: MergerControl, tmp_path: Path
) -> None:
    """The story has its path; the receiver gets the product only."""
    _with_product(merger, tmp_path)
    source = make_source(data_root / "s.fits", product(tmp_path).read_bytes())
    (data_root / "olas").mkdir()
    receiver = {"type": "olasReceiver", "path": str(data_root / "olas")}
    with running(data_root, settings, pictures=True) as dpm:
        dpm.daq.queue_daq(specification("A.1", source, receivers=[receiver]))
        dpm.wait("A.1", DaqSubstate.COMPLETED)
        eventually(lambda: bool(dpm.daq.get_story("A.1").picture))
        story = dpm.daq.get_story("A.1")
    assert story.picture == story.status.result.replace(".fits", ".png")
    assert story.alerts == []
    assert [each.name for each in (data_root / "olas").iterdir()] == ["A.1.fits"]
    assert [(r.is_delivered, r.detail) for r in story.receivers] == [(True, "hard link")]


def test_a_picture_that_fails_is_a_note_and_nothing_more(
    data_root: Path, settings: DpmSettings
) -> None:
    """The acquisition is completed; the story says why there is no picture."""
    with running(data_root, settings, pictures=True) as dpm:
        dpm.daq.queue_daq(specification("A.1", make_source(data_root / "s.fits")))
        dpm.wait("A.1", DaqSubstate.COMPLETED, error=False)
        eventually(lambda: "no FITS" in dpm.daq.get_story("A.1").picture_note)
        assert dpm.daq.get_story("A.1").picture == ""


def _archived(data_root: Path, settings: DpmSettings, ids: list[str], tmp_path: Path) -> list[str]:
    """Complete acquisitions at a DPM that draws nothing; return their products."""
    results = []
    source = make_source(data_root / "s.fits", product(tmp_path).read_bytes())
    with running(data_root, settings) as dpm:
        for id in ids:
            dpm.daq.queue_daq(specification(id, source))
            dpm.wait(id, DaqSubstate.COMPLETED)
            results.append(dpm.daq.get_daq_status(id).result)
            eventually((dpm.root / "archive" / id).exists)
    return results


def test_a_picture_that_an_end_prevented_is_drawn_for_one_in_the_archive_too(
    data_root: Path, settings: DpmSettings, merger: MergerControl, tmp_path: Path
) -> None:
    """At the next start; one that failed is not tried for ever."""
    _with_product(merger, tmp_path)
    _archived(data_root, settings, ["A.1"], tmp_path)
    with running(data_root, settings, pictures=True) as dpm:
        eventually(lambda: bool(dpm.daq.get_story("A.1").picture))
        picture = Path(dpm.daq.get_story("A.1").picture)
        assert dpm.daq.get_story("A.1").picture_note == ""
    picture.unlink()
    (data_root / "dpm/archive/A.1/logs/quicklook.log").write_text("it cannot be shown\n")
    with running(data_root, settings, pictures=True) as dpm:
        assert dpm.daq.get_story("A.1").picture_note == "it cannot be shown"


def test_of_a_long_archive_only_the_last_pictures_are_drawn_and_the_others_said_to_be_missing(
    data_root: Path,
    settings: DpmSettings,
    merger: MergerControl,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With how to draw them."""
    _with_product(merger, tmp_path)
    old, _ = _archived(data_root, settings, ["A.1", "A.2"], tmp_path)
    monkeypatch.setattr(component, "missing_pictures", partial(missing_pictures, most=1))
    with running(data_root, settings, pictures=True) as dpm:
        eventually(lambda: bool(dpm.daq.get_story("A.2").picture))
        note = dpm.daq.get_story("A.1").picture_note
    assert "ended before it was drawn" in note
    assert f"`obsorb quicklook {old}`" in note


def test_while_a_picture_is_drawn_it_is_not_said_to_be_missing(
    data_root: Path, settings: DpmSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It waits for its turn, or is being drawn."""
    program = tmp_path / "never.py"
    program.write_text("import sys\nfor line in sys.stdin: pass\n")
    monkeypatch.setattr(component, "Pictures", partial(Pictures, program=program))
    with running(data_root, settings, pictures=True) as dpm:
        dpm.daq.queue_daq(specification("A.1", make_source(data_root / "s.fits")))
        dpm.wait("A.1", DaqSubstate.COMPLETED)
        assert dpm.daq.get_story("A.1").picture_note == "it is not drawn yet"


def test_while_the_product_is_released_it_is_a_warning(
    data_root: Path, settings: DpmSettings
) -> None:
    """Of its own id, with a remedy; no error."""
    receiver = {"type": "olasReceiver", "path": str(data_root / "missing")}
    with running(data_root, settings, pictures=True) as dpm:
        source = make_source(data_root / "s.fits")
        dpm.daq.queue_daq(specification("A.1", source, receivers=[receiver]))
        dpm.wait("A.1", DaqSubstate.RELEASING, error=True)

        def warned() -> bool:
            return any(a.id == "quicklook" for a in dpm.daq.get_daq_status("A.1").alerts)

        eventually(warned)
        (alert,) = [a for a in dpm.daq.get_daq_status("A.1").alerts if a.id == "quicklook"]
        assert alert.severity is AlertSeverity.WARNING
        assert "obsorb quicklook" in alert.remedy
        (data_root / "missing").mkdir()
        dpm.daq.retry_merge_daq("A.1")
        dpm.wait("A.1", DaqSubstate.COMPLETED)


def test_a_picture_that_an_end_prevented_is_drawn_at_the_next_start(
    data_root: Path, settings: DpmSettings, merger: MergerControl, tmp_path: Path
) -> None:
    """Of acquisitions that are still in progress."""
    _with_product(merger, tmp_path)
    source = make_source(data_root / "s.fits", product(tmp_path).read_bytes())
    receiver = {"type": "olasReceiver", "path": str(data_root / "missing")}
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", source, receivers=[receiver]))
        dpm.wait("A.1", DaqSubstate.RELEASING, error=True)
        assert "is off" in dpm.daq.get_story("A.1").picture_note
    with running(data_root, settings, pictures=True) as dpm:
        eventually(lambda: bool(dpm.daq.get_story("A.1").picture))
