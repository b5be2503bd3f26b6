"""Telemetry of the real host."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from astropy import units

from objects.data_source.host_telemetry import HostTelemetry, Rate, hottest
from tests.support.clock import ManualClock


def test_every_column_has_a_plausible_number(tmp_path: Path) -> None:
    """Parts are between 0 and 1, sizes positive; rates need two samples."""
    clock = ManualClock()
    source = HostTelemetry(tmp_path, clock)
    first = dict(zip([column.name for column in source.columns], source.sample(), strict=True))
    clock.advance(1.0)
    second = dict(zip(first, source.sample(), strict=True))
    assert math.isnan(first["NET_IN"])
    assert second["NET_IN"] >= 0
    assert second["LOAD_1MIN"] >= 0
    assert 0 <= second["CPU_USED"] <= 1
    assert 0 < second["MEM_USED"] < 1
    assert second["MEM_AVAIL"] > 0
    assert second["DISK_FREE"] > 0


def test_the_units_are_those_of_the_fits_standard(tmp_path: Path) -> None:
    """Any reader understands the table."""
    for column in HostTelemetry(tmp_path, ManualClock()).columns:
        units.Unit(column.unit, format="fits")


def test_a_rate_is_growth_per_second() -> None:
    """At first, without time between, and after a reset there is none."""
    clock = ManualClock()
    rate = Rate(clock)
    assert math.isnan(rate.of(100))
    clock.advance(2.0)
    assert rate.of(300) == 100.0
    assert math.isnan(rate.of(400))
    clock.advance(1.0)
    assert math.isnan(rate.of(5))


def test_the_hottest_sensor_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In kelvin; a host without sensors has no such column."""
    sensors = {"cpu": [SimpleNamespace(current=41.0), SimpleNamespace(current=62.5)]}
    monkeypatch.setattr(psutil, "sensors_temperatures", lambda: sensors, raising=False)
    source = HostTelemetry(tmp_path, ManualClock())
    assert source.sample()[-1] == 335.65
    sensors.clear()
    assert math.isnan(source.sample()[-1])
    assert source.columns[-1].name == "TEMP_MAX"
    assert "TEMP_MAX" not in [c.name for c in HostTelemetry(tmp_path, ManualClock()).columns]
    monkeypatch.delattr(psutil, "sensors_temperatures")
    assert hottest() is None
