"""The recorder, each way to call it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from idl_like_interfaces.recif import RecCmds
from objects.component.clock import SystemClock
from objects.data_source.output import OutputFolder
from objects.data_source.recorder import Recorder
from objects.data_source.synthetic_frames import SyntheticFrames
from tests.contract.recif import RecCmdsContract, RecCmdsRefusesBadArguments
from tests.support.site import FakeSite
from tests.support.wire import MODES, wired


class _Wired:
    @pytest.fixture
    def source(self, tmp_path: Path, mode: str) -> Iterator[RecCmds]:
        """Yield a client of a recorder of small synthetic frames, in real time."""
        site = FakeSite(tmp_path, name="dcs1")
        site.clock = SystemClock()  # type: ignore[assignment]
        frames = SyntheticFrames(site.clock, shape=(8, 8), stars=2, period_s=0.005)
        recorder = Recorder(site, frames, OutputFolder(tmp_path / "out"))
        try:
            with wired(recorder, RecCmds, mode) as client:
                yield client
        finally:
            recorder.close()


@pytest.mark.parametrize("mode", MODES)
class TestRecorder(_Wired, RecCmdsContract):
    """The servant."""


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "in-process"])
class TestRecorderOverAWire(_Wired, RecCmdsRefusesBadArguments):
    """The servant behind a skeleton."""
