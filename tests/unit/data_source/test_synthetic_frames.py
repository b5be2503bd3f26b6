"""Synthetic frames are the same for the same seed, and look like a field of stars."""

from __future__ import annotations

from idl_like_interfaces.recif import RecProperties
from objects.data_source.frame import Frame
from objects.data_source.synthetic_frames import SyntheticFrames, exposed, star_field
from tests.support.clock import ManualClock


def _two(seed: int) -> list[Frame]:
    source = SyntheticFrames(ManualClock(), shape=(32, 24), seed=seed)
    source.ensure_ready(RecProperties())
    frames = [source.read_frame(), source.read_frame()]
    source.ensure_stopped()
    assert source.read_frame() is None
    return [frame for frame in frames if frame is not None]


def test_the_same_seed_gives_the_same_frames() -> None:
    """A session can be repeated; its frames differ from each other."""
    first, second = _two(5)
    assert [each.data for each in _two(5)] == [first.data, second.data]
    assert first.data != second.data


def test_another_seed_gives_another_field() -> None:
    """The seed is what decides."""
    assert _two(5)[0].data != _two(6)[0].data


def test_stars_stand_out_of_the_sky() -> None:
    """There is something to see."""
    image = exposed(star_field((64, 64), 1, 10), 1, 1)
    assert image.dtype == "uint16"
    assert image.max() > 5 * int(image.min())


def test_the_wanted_number_of_frames_goes_before_the_default() -> None:
    """0 asks for the default."""
    source = SyntheticFrames(ManualClock(), frames=3)
    assert source.ensure_ready(RecProperties()).frames == 3
    assert source.ensure_ready(RecProperties(frames=5)).frames == 5
