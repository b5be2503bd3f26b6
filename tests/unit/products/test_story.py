"""How a product was made: kept while it is made, and told whenever somebody asks."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from idl_like_interfaces.daq_contributions import MOST_TOLD, StorySide
from idl_like_interfaces.daqif import DaqSubstate
from idl_like_interfaces.mapping.coding import parse_json
from idl_like_interfaces.merging import MergeMessage
from objects.products import alerts
from objects.products.collisions import COLLISIONS, keep_collisions, story_of_collisions
from objects.products.component import DpmSettings
from objects.products.history import stays, with_history
from objects.products.job import Job, entered, failed, retried
from objects.products.progress import Step
from tests.support.products import MergerControl, make_source, running, specification

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def job(**changes: object) -> Job:
    return with_history(
        None, replace(Job(id="A", file_id="F", queued_at=NOW, changed_at=NOW), **changes)
    )


def test_each_stay_has_its_time() -> None:
    """A change within a substate begins no new one."""
    first = job()
    second = with_history(first, entered(first, DaqSubstate.COLLECTING, NOW + SECOND))
    third = with_history(second, replace(second, changed_at=NOW + 2 * SECOND))
    fourth = with_history(third, entered(third, DaqSubstate.MERGING, NOW + 3 * SECOND))
    assert [(each.substate, each.duration_s) for each in stays(fourth)] == [
        (DaqSubstate.SCHEDULED, 1.0),
        (DaqSubstate.COLLECTING, 2.0),
        (DaqSubstate.MERGING, None),
    ]


def test_history_is_bounded_however_often_it_is_retried() -> None:
    """Each retry leaves the alert that it has cleared."""
    it = job(substate=DaqSubstate.MERGING)
    for number in range(MOST_TOLD + 5):
        time = NOW + number * SECOND
        it = with_history(it, failed(it, Step.MERGE, [alerts.error("merge/failed", "no")], time))
        it = with_history(it, retried(it, time + SECOND))
    assert len(it.past_alerts) == MOST_TOLD
    last = it.past_alerts[-1]
    assert last.cleared == last.alert.time + SECOND


def test_a_retry_that_helped_is_in_the_story(data_root: Path, settings: DpmSettings) -> None:
    """What was missing, and until when; also after a restart and from the archive."""
    late = data_root / "late.fits"
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", late))
        dpm.wait("A.1", DaqSubstate.COLLECTING, error=True)
        make_source(late)
        dpm.daq.retry_merge_daq("A.1")
        dpm.wait("A.1", DaqSubstate.COMPLETED)
        told = dpm.daq.get_story("A.1")
    with running(data_root, settings) as dpm:
        assert dpm.daq.get_story("A.1") == told
    (was,) = told.alerts
    assert str(late) in was.alert.description
    assert was.cleared is not None


def test_receivers_are_told_with_what_they_have(data_root: Path, settings: DpmSettings) -> None:
    """Who has it, how; who lacks it, why; who took it away."""
    folders = [data_root / name for name in ("here", "gone", "missing")]
    for folder in folders[:2]:
        folder.mkdir()
    receivers = [{"type": "olasReceiver", "path": str(folder)} for folder in folders]
    with running(data_root, settings) as dpm:
        source = make_source(data_root / "s.fits")
        dpm.daq.queue_daq(specification("A.1", source, receivers=receivers))
        dpm.wait("A.1", DaqSubstate.RELEASING, error=True)
        (folders[1] / "A.1.fits").unlink()
        found = dpm.daq.get_story("A.1").receivers
    assert [each.place for each in found] == [str(folder / "A.1.fits") for folder in folders]
    assert [each.is_delivered for each in found] == [True, True, False]
    assert [each.detail for each in found[:2]] == ["hard link", "not there any more"]
    assert "does not exist" in found[2].detail


def test_documents_that_are_lost_leave_the_rest_of_the_story(
    data_root: Path, settings: DpmSettings
) -> None:
    """An operator has removed or damaged them."""
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", make_source(data_root / "s.fits")))
        dpm.wait("A.1", DaqSubstate.COMPLETED)
        (dpm.root / "archive" / "A.1" / "specification.json").write_text("{")
        story = dpm.daq.get_story("A.1")
    assert (story.files, story.receivers) == ([], [])
    assert story.product is not None


def collision(keyword: str, losers: int = 1, value: str = "1") -> MergeMessage:
    """A message as the merger writes it."""
    document = {
        "type": "collision",
        "timestamp": "2026-01-02T03:04:05Z",
        "content": {
            "message": f"{keyword} collides",
            "collision": {
                "keyword": keyword,
                "winner": {"source": "a", "value": value},
                "losers": [{"source": f"b{n}", "value": "2"} for n in range(losers)],
                "more_losers": 1,
            },
        },
    }
    return parse_json(MergeMessage, json.dumps(document))


def test_collisions_of_the_last_merge_are_kept(tmp_path: Path) -> None:
    """Cut to what a reply can carry; a merge without any takes those of the one before away."""
    (tmp_path / "logs").mkdir()
    messages = [collision("OBJECT", 5, "x" * 200), *(collision(f"K{n}") for n in range(MOST_TOLD))]
    keep_collisions(tmp_path, messages)
    told, more = story_of_collisions(tmp_path)
    assert (len(told), more) == (MOST_TOLD, 1)
    assert told[0].winner == StorySide(source="a", value=f"{'x' * 80}...")
    assert [each.source for each in told[0].losers] == ["b0", "b1", "b2"]
    assert told[0].more_losers == 3
    keep_collisions(tmp_path, [])
    assert story_of_collisions(tmp_path) == ([], 0)
    assert not (tmp_path / COLLISIONS).exists()


def test_collisions_that_cannot_be_read_are_none(tmp_path: Path) -> None:
    """A story never fails for a damaged file."""
    (tmp_path / "logs").mkdir()
    (tmp_path / COLLISIONS).write_text("{")
    assert story_of_collisions(tmp_path) == ([], 0)


@pytest.mark.system
def test_the_installed_merger_tells_its_collisions_to_the_story(data_root: Path) -> None:
    """Two sources that say different things about one keyword."""
    from tests.support.fits import image, write_fits

    for name, value in (("a", "M 31"), ("b", "M 33")):
        write_fits(data_root / f"{name}.fits", {"OBJECT": value}, extensions=[image(name.upper())])
    with running(data_root) as dpm:
        dpm.daq.queue_daq(specification("A.1", data_root / "a.fits", data_root / "b.fits"))
        dpm.wait("A.1", DaqSubstate.COMPLETED)
        (found,) = dpm.daq.get_story("A.1").collisions
    assert (found.keyword, found.winner.source) == ("OBJECT", "s0")
    assert "M 31" in found.winner.value
    assert [each.source for each in found.losers] == ["s1"]


def test_a_stand_in_that_tells_nothing_leaves_no_file(
    data_root: Path, settings: DpmSettings, merger: MergerControl
) -> None:
    """Another merger may not know of collisions."""
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", make_source(data_root / "s.fits")))
        dpm.wait("A.1", DaqSubstate.COMPLETED)
        assert dpm.daq.get_story("A.1").collisions == []
        assert not (dpm.root / "archive" / "A.1" / COLLISIONS).exists()
