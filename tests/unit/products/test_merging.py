"""The merger under supervision: failures, alerts, aborts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from idl_like_interfaces.announcements import FileFinished
from idl_like_interfaces.daqif import DaqException, DaqState, DaqSubstate
from objects.products import steps
from objects.products.collect import Collected, Collector
from objects.products.component import DpmSettings
from objects.products.job import Product
from objects.products.merger import merge_command
from objects.products.product import link_result
from objects.products.sources import SourceFile
from tests.support.products import MergerControl, make_source, running, specification


def is_alive(pid: int) -> bool:
    """Tell whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_failed_merge_stops_it_until_it_is_retried(
    data_root: Path, settings: DpmSettings, merger: MergerControl
) -> None:
    """The merger's own words become the alert; the retry makes the product."""
    merger.set("fail", "110")
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", make_source(data_root / "a.fits")))
        status = dpm.wait("A.1", DaqSubstate.MERGING, error=True)
        (alert,) = status.alerts
        assert alert.description == "merging failed: it cannot be merged"
        assert (alert.cause, alert.remedy) == ("told cause", "told remedy")
        assert status.result == ""
        merger.clear("fail")
        dpm.daq.retry_merge_daq("A.1")
        assert dpm.wait("A.1", DaqSubstate.COMPLETED).alerts == []


def test_a_merger_that_makes_nothing_has_failed(
    data_root: Path, settings: DpmSettings, merger: MergerControl
) -> None:
    """Exit code 0 is not believed without a product."""
    merger.set("nothing")
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", make_source(data_root / "a.fits")))
        status = dpm.wait("A.1", DaqSubstate.MERGING, error=True)
    assert "there is no product" in status.message


def test_a_merger_that_is_not_there_is_told(data_root: Path) -> None:
    """The alert names the command and the setting."""
    with running(data_root, DpmSettings(bin_merge="/no/such/merger --fast")) as dpm:
        dpm.daq.queue_daq(specification("A.1", make_source(data_root / "a.fits")))
        (alert,) = dpm.wait("A.1", DaqSubstate.MERGING, error=True).alerts
    assert "/no/such/merger" in alert.description
    assert "bin_merge" in alert.remedy


@pytest.mark.parametrize("severity", ["Error", "Warning", "Info"])
def test_alerts_of_the_merger_become_alerts_of_the_acquisition(
    data_root: Path, settings: DpmSettings, merger: MergerControl, severity: str
) -> None:
    """The product is made all the same; only an Error sets the flag."""
    content = {"message": "data lost", "id": "unmerged", "severity": severity, "source": "s0"}
    merger.set("alert", json.dumps(content))
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", make_source(data_root / "a.fits")))
        status = dpm.wait("A.1", DaqSubstate.COMPLETED)
    assert [(a.id, a.severity.value) for a in status.alerts] == [("merge/unmerged", severity)]
    assert status.message == json.dumps([f"{severity}: data lost"])
    assert status.error is (severity == "Error")


@pytest.mark.spec("ESO-065")
def test_aborting_ends_a_running_merger_by_signal(
    data_root: Path, settings: DpmSettings, merger: MergerControl
) -> None:
    """It gets SIGTERM; the acquisition ends Aborted and its copies are gone."""
    merger.hold()
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", make_source(data_root / "a.fits")))
        pid = merger.await_started()
        dpm.daq.abort_daq("A.1")
        status = dpm.wait("A.1", DaqSubstate.ABORTED)
        assert dpm.substates("A.1")[-2:] == [DaqSubstate.ABORTING, DaqSubstate.ABORTED]
    assert not is_alive(pid)
    assert (merger.folder / "terminated").read_text() == "15"
    assert (status.state, status.result, status.error) == (DaqState.COMPLETED, "", False)
    archived = data_root / "dpm" / "archive" / "A.1"
    assert list((archived / "sources").iterdir()) == []
    assert list((data_root / "dpm" / "result").iterdir()) == []


def test_a_merger_that_ignores_sigterm_is_killed(
    data_root: Path, settings: DpmSettings, merger: MergerControl
) -> None:
    """After the grace it is ended the hard way."""
    merger.hold()
    merger.set("stubborn")
    with running(data_root, replace(settings, abort_grace_s=0.05)) as dpm:
        dpm.daq.queue_daq(specification("A.1", make_source(data_root / "a.fits")))
        pid = merger.await_started()
        dpm.daq.abort_daq("A.1")
        dpm.wait("A.1", DaqSubstate.ABORTED)
    assert not is_alive(pid)


def test_stopping_the_dpm_leaves_a_merge_for_the_next_start(
    data_root: Path, settings: DpmSettings, merger: MergerControl
) -> None:
    """No merger runs on, no alert is left; the next start makes the product."""
    merger.hold()
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", make_source(data_root / "a.fits")))
        pid = merger.await_started()
    assert not is_alive(pid)
    (data_root / "a.fits").unlink()  # what was collected is not needed any more
    merger.release()
    with running(data_root, settings) as dpm:
        assert dpm.wait("A.1", DaqSubstate.COMPLETED).alerts == []


def test_a_scheduled_one_can_be_aborted(
    data_root: Path, settings: DpmSettings, merger: MergerControl
) -> None:
    """It needs no place of the limit to be discarded."""
    merger.hold()
    source = make_source(data_root / "a.fits")
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", source))
        dpm.daq.queue_daq(specification("B.1", source))
        dpm.daq.abort_daq("B.1")
        dpm.wait("B.1", DaqSubstate.ABORTED)
        assert [status.id for status in dpm.daq.get_active_daqs()] == ["A.1"]
        with pytest.raises(DaqException, match="it has ended in Aborted"):
            dpm.daq.abort_daq("B.1")


def test_a_stuck_one_can_be_aborted(data_root: Path, settings: DpmSettings) -> None:
    """Its error goes with it."""
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", data_root / "missing.fits"))
        dpm.wait("A.1", DaqSubstate.COLLECTING, error=True)
        dpm.daq.abort_daq("A.1")
        assert dpm.wait("A.1", DaqSubstate.ABORTED).error is False


def test_a_result_is_never_replaced(data_root: Path, settings: DpmSettings) -> None:
    """A second acquisition of the same fileId stops with an error; the first product stays."""
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", make_source(data_root / "a.fits")))
        result = Path(dpm.wait("A.1", DaqSubstate.COMPLETED).result)
        other = make_source(data_root / "b.fits", b"others")
        dpm.daq.queue_daq(specification("B.1", other, target={"fileId": "A.1"}))
        status = dpm.wait("B.1", DaqSubstate.MERGING, error=True)
        assert "exists and is another product" in status.message
        assert result.read_bytes() == b"merged:frames"
        result.rename(data_root / "moved.fits")
        dpm.daq.retry_merge_daq("B.1")
        dpm.wait("B.1", DaqSubstate.COMPLETED)
    assert result.read_bytes() == b"merged:others"


def test_a_repaired_source_is_collected_again_for_the_retry(
    data_root: Path, settings: DpmSettings, merger: MergerControl
) -> None:
    """What the source wrote anew is what is merged."""
    merger.set("fail", "255")
    source = make_source(data_root / "a.fits", b"broken")
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", source))
        dpm.wait("A.1", DaqSubstate.MERGING, error=True)
        source.unlink()
        make_source(source, b"repaired")
        merger.clear("fail")
        dpm.daq.retry_merge_daq("A.1")
        status = dpm.wait("A.1", DaqSubstate.COMPLETED)
    assert Path(status.result).read_bytes() == b"merged:repaired"


def test_the_default_merger_is_the_installed_one() -> None:
    """Beside the running Python, whatever the PATH."""
    program, verb = merge_command("")
    assert Path(program).name == "obsorb"
    assert verb == "merge"
    assert merge_command("mine --fast 'a b'") == ["mine", "--fast", "a b"]


def test_an_abort_that_comes_while_the_product_is_put_in_place_takes_it_back(
    data_root: Path, settings: DpmSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody was told of it yet: nothing is announced, nothing is left."""
    with running(data_root, settings) as dpm:

        def abort_first(folder: Path, product: Product) -> None:
            assert (data_root / "dpm" / "result" / "A.1.fits").exists()
            dpm.daq.abort_daq("A.1")
            link_result(folder, product)

        monkeypatch.setattr(steps, "link_result", abort_first)
        dpm.daq.queue_daq(specification("A.1", make_source(data_root / "a.fits")))
        status = dpm.wait("A.1", DaqSubstate.ABORTED)
        assert not [body for _, body in dpm.site.events if isinstance(body, FileFinished)]
    assert status.result == ""
    assert list((data_root / "dpm" / "result").iterdir()) == []
    assert not (data_root / "dpm" / "archive" / "A.1" / "result").is_symlink()


def test_a_bug_in_a_step_stops_that_acquisition_only(
    data_root: Path, settings: DpmSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is logged with its traceback and told as an alert; the others go on."""
    collect = Collector.collect

    def broken(self: Collector, files: list[SourceFile], *more: Any) -> Collected:
        if "bad" in files[0].origin:
            raise ZeroDivisionError("a slip")
        return collect(self, files, *more)

    monkeypatch.setattr(Collector, "collect", broken)
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", make_source(data_root / "bad.fits")))
        dpm.daq.queue_daq(specification("B.1", make_source(data_root / "good.fits")))
        status = dpm.wait("A.1", DaqSubstate.COLLECTING, error=True)
        dpm.wait("B.1", DaqSubstate.COMPLETED)
    assert [(a.id, a.description) for a in status.alerts] == [
        ("collect/internal", "ZeroDivisionError: a slip")
    ]


def test_a_bug_after_a_step_does_not_begin_it_for_ever(
    data_root: Path,
    settings: DpmSettings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The acquisition is left alone, and the DPM still ends in good order."""
    begun: list[str] = []

    with running(data_root, settings) as dpm:

        def broken(*arguments: object) -> None:
            begun.append("collect")
            dpm.component._ledger.news.notify_all()
            raise ZeroDivisionError

        monkeypatch.setattr(dpm.component._engine, "_settle", broken)
        dpm.daq.queue_daq(specification("A.1", make_source(data_root / "a.fits")))
        dpm.wait_until(lambda: bool(begun))
        dpm.daq.queue_daq(specification("B.1", make_source(data_root / "b.fits")))
        assert dpm.daq.get_daq_status("A.1").substate is DaqSubstate.COLLECTING
    assert begun == ["collect"]
    assert "the end of step collect is lost" in caplog.text
