"""Room on a volume: levels, forecast, ballast, and which volume comes next."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from idl_like_interfaces.event_logger import StreamStatus
from objects.logger_stream import volumes
from objects.logger_stream.ballast import Ballast
from objects.logger_stream.space import (
    Forecast,
    Level,
    Thresholds,
    fullest,
    in_words,
    judge,
)
from objects.logger_stream.volumes import Volume, Volumes, choose
from tests.support.clock import ManualClock
from tests.support.disk import fill, small_disk

KIB = 1024


class TestLevels:
    """How little room there is."""

    @pytest.mark.parametrize(
        ("free", "level"),
        [
            (0.5, Level.OK),
            (0.10, Level.OK),
            (0.099, Level.WARNING),
            (0.05, Level.WARNING),
            (0.049, Level.PAUSE),
            (0.02, Level.PAUSE),
            (0.019, Level.CLOSE),
            (0.0, Level.CLOSE),
        ],
    )
    @pytest.mark.spec("D44")
    def test_each_threshold_has_its_level(self, free: float, level: Level) -> None:
        """Less than it, not just as much."""
        assert judge(free, Level.OK, Thresholds()) is level

    def test_a_level_is_left_only_with_clearly_more_room(self) -> None:
        """So that it does not flicker."""
        thresholds = Thresholds()
        assert judge(0.021, Level.CLOSE, thresholds) is Level.CLOSE
        assert judge(0.025, Level.CLOSE, thresholds) is Level.PAUSE
        assert judge(0.055, Level.PAUSE, thresholds) is Level.PAUSE
        assert judge(0.061, Level.PAUSE, thresholds) is Level.WARNING
        assert judge(0.115, Level.WARNING, thresholds) is Level.WARNING
        assert judge(0.12, Level.WARNING, thresholds) is Level.OK

    def test_a_threshold_of_zero_never_holds(self) -> None:
        """Who wants no levels has none."""
        none = Thresholds(warning=0.0, pause=0.0, close=0.0)
        assert judge(0.0, Level.OK, none) is Level.OK


class TestForecast:
    """When there will be no room."""

    def test_it_goes_by_the_last_minute(self) -> None:
        """Up to the bytes that have to stay free."""
        forecast = Forecast()
        for second in range(0, 200, 10):
            forecast.add(float(second), 100_000 - 100 * second)
        assert forecast.full_in_s(20_000) == pytest.approx((81_000 - 20_000) / 100)

    def test_a_volume_that_does_not_fill_has_none(self) -> None:
        """Nor one of which little is known."""
        forecast = Forecast()
        assert forecast.full_in_s(0) is None
        forecast.add(0.0, 100)
        forecast.add(1.0, 50)
        assert forecast.full_in_s(0) is None
        forecast.add(10.0, 200)
        assert forecast.full_in_s(0) is None

    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            (42.0, "full in 42 s"),
            (2520.0, "full in 42 min"),
            (7200.0, "full in 2 h"),
            (345_600.0, "full in 4 d"),
        ],
    )
    def test_it_is_said_in_words(self, seconds: float, words: str) -> None:
        """As people say it."""
        assert in_words(seconds) == words

    def test_the_stream_that_fills_most_is_named(self) -> None:
        """Of those that write to the volume."""
        streams = [
            StreamStatus(name="a", id=1, bytes_s=10.0, volume="/d0"),
            StreamStatus(name="b", id=2, bytes_s=20.0, volume="/d0"),
            StreamStatus(name="c", id=3, bytes_s=90.0, volume="/d1"),
        ]
        assert fullest(streams, "/d0") == "b"
        assert fullest(streams, "/d2") == ""


class TestBallast:
    """Room that is kept."""

    def test_it_takes_real_room(self, tmp_path: Path) -> None:
        """Not a hole in a file."""
        with small_disk(tmp_path / "disk", "1m") as disk:
            ballast = Ballast(disk / ".ballast", 512 * KIB)
            assert ballast.make()
            assert fill(disk).stat().st_size <= 512 * KIB
            assert ballast.free()
            (disk / "end").write_bytes(bytes(400 * KIB))

    def test_without_room_there_is_none(self, tmp_path: Path) -> None:
        """And nothing of it stays."""
        with small_disk(tmp_path / "disk", "256k") as disk:
            ballast = Ballast(disk / ".ballast", 512 * KIB)
            assert not ballast.make()
            assert list(disk.iterdir()) == []
            assert not ballast.free()

    def test_it_is_given_once(self, tmp_path: Path) -> None:
        """Whoever asks again hears that there was none."""
        ballast = Ballast(tmp_path / ".ballast", 4 * KIB)
        assert ballast.make()
        assert ballast.make()
        assert (ballast.free(), ballast.free()) == (True, False)
        assert not ballast.path.exists()

    def test_one_of_an_earlier_start_is_taken_over(self, tmp_path: Path) -> None:
        """It is no second one."""
        Ballast(tmp_path / ".ballast", 4 * KIB).make()
        again = Ballast(tmp_path / ".ballast", 4 * KIB)
        assert again.make()
        assert [each.name for each in tmp_path.iterdir()] == [".ballast"]
        assert Ballast(tmp_path / ".ballast", 4 * KIB).free()
        assert list(tmp_path.iterdir()) == []


class TestVolumes:
    """Where a file goes."""

    def volumes(self, root: Path) -> tuple[ManualClock, list[Volume]]:
        """Return a clock and two volumes."""
        clock = ManualClock()
        return clock, Volumes(root, clock).of(["v0", "v1"])

    def test_each_is_known_once(self, tmp_path: Path) -> None:
        """By its folder; relative ones lie below the root."""
        volumes = Volumes(tmp_path, ManualClock())
        assert volumes.of(["a"])[0] is volumes.of([str(tmp_path / "a")])[0]
        assert [each.path for each in volumes.all] == [tmp_path / "a"]

    def test_the_first_that_has_room_is_chosen(self, tmp_path: Path) -> None:
        """One with little room only when there is no other, one without room never."""
        _, (first, second) = self.volumes(tmp_path)
        assert choose([first, second]) is first
        first.level = Level.PAUSE
        assert choose([first, second]) is second
        second.level = Level.PAUSE
        assert choose([first, second]) is first
        first.level = second.level = Level.CLOSE
        assert choose([first, second]) is None

    def test_one_that_failed_is_left_alone_for_a_while(self, tmp_path: Path) -> None:
        """Longer each time, until it works."""
        clock, (first, second) = self.volumes(tmp_path)
        first.failed(OSError(errno.EIO, "Input/output error"))
        assert choose([first, second]) is second
        assert "Input/output error" in first.problem
        clock.advance(1.0)
        assert choose([first, second]) is first
        first.failed(OSError(errno.EIO, "Input/output error"))
        clock.advance(1.0)
        assert choose([first, second]) is second
        clock.advance(1.0)
        first.worked()
        assert (choose([first, second]), first.problem) == (first, "")

    @pytest.mark.spec("D44")
    def test_its_room_is_looked_at(self, tmp_path: Path) -> None:
        """With the room of a ballast that was freed not counted."""
        with small_disk(tmp_path / "disk", "10m") as disk:
            clock = ManualClock()
            volumes = Volumes(tmp_path, clock, "dl1")
            [volume] = volumes.of(["disk"])
            volume.prepare()
            volumes.look()
            assert (volume.level, volume.ballast.is_there) == (Level.OK, True)
            assert volume.ballast.path.name == ".ballast-dl1"
            filler = fill(disk, but=150 * KIB)
            clock.advance(10.0)
            volumes.look()
            assert volume.level is Level.CLOSE
            [status] = volumes.statuses()
            assert (status.level, status.path) == ("close", str(disk))
            assert status.full_in_s == 0.0
            volume.ballast.free()
            with filler.open("r+b") as file:
                file.truncate(filler.stat().st_size - 40 * KIB)
            volumes.look()
            assert volume.level is Level.CLOSE
            filler.unlink()
            volumes.look()
            assert (volume.level, volume.ballast.is_there) == (Level.OK, True)
            volumes.free_ballast()
            assert list(disk.iterdir()) == []

    def test_one_that_was_not_made_yet_has_the_room_where_it_will_be(self, tmp_path: Path) -> None:
        """It is no trouble, and nothing is made."""
        _, (first, _) = self.volumes(tmp_path)
        first.look(Thresholds())
        assert first.is_usable
        assert first.size_bytes > 0
        assert list(tmp_path.iterdir()) == []

    def test_one_that_cannot_be_prepared_is_refused(self, tmp_path: Path) -> None:
        """A file is where the folder should be."""
        (tmp_path / "v0").write_text("a file")
        _, (first, _) = self.volumes(tmp_path)
        with pytest.raises(FileExistsError):
            first.prepare()


def test_folders_that_are_made_survive_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name of each new one is synced in the folder above it, once."""
    synced: list[Path] = []
    monkeypatch.setattr(volumes, "fsync_folder", synced.append)
    volume = Volume(tmp_path / "disk" / "deep" / "data", ManualClock())
    for _ in range(2):
        volume.prepare()
    assert synced == [tmp_path, tmp_path / "disk", tmp_path / "disk" / "deep"]
