"""The story of an acquisition as text, and the page of the dashboard that shows it."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from controller.dashboard.chosen import Chosen
from controller.dashboard.page import Page
from controller.dashboard.snapshot import Snapshot
from controller.dashboard.stories import story_text
from controller.dashboard.story_page import line_count
from controller.dashboard.view import View
from idl_like_interfaces.daqif import DaqStory
from idl_like_interfaces.errors import Transient
from tests.support.eventually import eventually
from tests.support.small import RememberingOcm, SmallInstallation
from tests.unit.controller.pictures import acquisition, draw, installation
from tests.unit.controller.running import document, ok, refused
from tests.unit.controller.told import making, story

TOLD = """\
acquisition
  id:       d1
  file id:  F
  state:    StateMerging/Releasing, 1 error
  made:     2026-03-01 12:00:00.000 UTC by ocm, 2 keywords of the client

product
  file:     /dpm/result/F.fits  2.0 KiB
  digest:   sha256:00
  picture:  /dpm/result/F.png

states
  12:00:00.000  Acquiring        2.5s
  12:00:01.000  Merging         <1 ms
  12:00:02.000  Releasing

sources
  dcs1 (primarySource obs/sources/dcs1/rec): ended well, 3 keywords
      /data/dcs1.fits  3.0 MiB
      and 7 more files
  old (fitsFile)
      far:/data/old.fits  size not known
  bad (metadataSource): it does not answer

alerts
  12:00:00.000  Error source:dcs1:wait, over at 12:00:01.000: source:dcs1:wait is wrong
  12:00:09.000  Error release/0, is active: release/0 is wrong
      cause: a cable
      remedy: plug it in

receivers
  /olas/F.fits  delivered: hard link
  far:/in/F.fits not delivered: it is full

keywords that collided
  EXPTIME = 30.0 of dcs1, not 29.9 of host1 and 2 more
  and 4 more"""


def test_everything_is_told_once() -> None:
    """Also what both servers know."""
    assert story_text(story()) == TOLD


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"making": None, "making_note": "the DPM cannot be asked"}, "cannot be asked"),
        ({"making": making(product=None)}, "none: it is in StateMerging/Releasing"),
        ({"making": making(picture="", picture_note="no room")}, "picture:  none: no room"),
    ],
)
def test_what_there_is_not_is_said(changes: dict[str, object], said: str) -> None:
    """With the reason."""
    assert said in story_text(story(**changes))


def test_show_prints_the_story(small: SmallInstallation) -> None:
    """As text, or as the struct."""
    small.ocm.story = story()
    assert ok("daq", "show", "d1") == f"{TOLD}\n"
    found = document("daq", "show", "d1")
    assert found["making"]["collisions"][0]["winner"] == {"source": "dcs1", "value": "30.0"}
    assert found["states"][0]["duration_s"] == 2.5
    assert "no acquisition 'd2'" in refused("daq", "show", "d2")


def shown(**changes: object) -> Snapshot:
    lines = tuple(acquisition(n, each.substate) for n, each in enumerate(story().states))
    return installation(acquisitions=lines, chosen=lines[1].id, **{"story": story()} | changes)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 50)])
def test_the_page_shows_the_story(width: int, height: int) -> None:
    """From its beginning; where there is no room for all of it, it says how to go on."""
    picture = draw(shown(), width, height, Page.STORY)
    assert "acquisition 2 of 3" in picture
    assert "/dpm/result/F.png" in picture
    assert ("more lines: space" in picture) == (height < line_count(shown()))


def test_the_page_can_be_read_to_its_end() -> None:
    """The last line stands at the bottom, however often somebody presses the key."""
    view = View(page=Page.STORY)
    for _ in range(9):
        view = view.after(" ", 12, line_count(shown()))
    picture = draw(shown(), 80, 24, Page.STORY, view.offset)
    assert "and 4 more" in picture
    assert "more lines" not in picture
    for _ in range(9):
        view = view.after("b", 12, line_count(shown()))
    assert view.offset == 0


def test_a_path_is_cut_from_its_beginning() -> None:
    """Its end says most; size and state stay."""
    picture = draw(shown(), 44, 60, Page.STORY)
    assert "F.fits  2.0 KiB" in picture


def test_keys_lead_to_pages_and_acquisitions() -> None:
    """Another page begins at its top; keys of the story mean nothing elsewhere."""
    view = View().after(" ", 10, 99)
    assert view == View()
    view = view.after("6", 10, 99).after(" ", 10, 99)
    assert view == View(page=Page.STORY, offset=10)
    assert view.after("n", 10, 99) == View(page=Page.STORY)
    assert view.after("x", 10, 99) == view
    assert view.after("1", 10, 99) == View()


def test_a_story_that_cannot_be_had_is_explained() -> None:
    """The last one stays, and is said to be old."""
    away = draw(shown(story=None, story_note="nobody answers"), 80, 24, Page.STORY)
    assert "nobody answers" in away
    old = draw(shown(story_note="nobody answers"), 80, 24, Page.STORY)
    assert "as it was last told: nobody answers" in old
    assert "file id:  F" in old


@given(width=st.integers(40, 220), height=st.integers(12, 60), offset=st.integers(0, 99))
def test_any_part_fits_any_size(width: int, height: int, offset: int) -> None:
    """Nothing fails or overflows."""
    lines = draw(shown(), width, height, Page.STORY, offset).splitlines()
    assert len(lines) <= height
    assert max(map(len, lines)) <= width


class Telling(RememberingOcm):
    """Tells stories of three acquisitions, or is away."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.is_away = False

    @override
    def get_story(self, id: str) -> DaqStory:
        self.asked.append(id)
        if self.is_away:
            raise Transient("it is away")
        return story()


def test_only_what_is_looked_at_is_asked_for() -> None:
    """The first one at first; then the next, the one before, round and round."""
    ocm = Telling()
    chosen = Chosen(ocm, lambda: ["a", "b", "c"])
    chosen.ask(0.0)
    assert ocm.asked == []
    chosen.follow(wanted=True)
    chosen.ask(0.0)
    for step in (1, 1, 1, -1):
        chosen.move(step)
        chosen.ask(0.0)
    assert ocm.asked == ["a", "b", "c", "a", "c"]
    assert chosen.state() == ("c", story(), "")


def test_another_choice_is_asked_for_at_once() -> None:
    """Nobody waits for the next round."""
    ocm = Telling()
    chosen = Chosen(ocm, lambda: ["a", "b"])
    chosen.follow(wanted=True)
    asking = threading.Thread(target=chosen.ask, args=(60.0,))
    asking.start()
    eventually(lambda: ocm.asked == ["a"])
    chosen.move(1)
    eventually(lambda: ocm.asked == ["a", "b"])
    chosen.follow(wanted=False)
    asking.join()
    assert chosen.wait(0.0)


def test_what_was_told_stays_while_the_coordinator_is_away() -> None:
    """With the reason why it is not told anew; without acquisitions that is said."""
    ocm = Telling()
    chosen = Chosen(ocm, lambda: ["a"])
    chosen.follow(wanted=True)
    chosen.ask(0.0)
    ocm.is_away = True
    chosen.ask(0.0)
    assert chosen.state() == ("a", story(), "it is away")
    nobody = Chosen(ocm, list)
    nobody.move(1)
    nobody.follow(wanted=True)
    nobody.ask(0.0)
    assert nobody.state() == ("", None, "there was no acquisition yet")


def test_one_frame_of_the_page_has_the_story(small: SmallInstallation) -> None:
    """Of the newest acquisition; it is in the JSON document, too."""
    small.ocm.story = story()
    small.publish_status(small.ocm.status)
    frame = ok("top", "--once", "--page", "story")
    assert "acquisition 1 of 1" in frame
    assert "/dpm/result/F.fits" in frame
    assert document("top")["story"]["making"]["picture"] == "/dpm/result/F.png"
