"""Telemetry of the host that the process runs on."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path

import psutil
from typing_extensions import override

from objects.component.clock import Clock
from objects.data_source.metadata import Column, MetadataSource

_KELVIN = 273.15

_ALWAYS = (
    Column(name="LOAD_1MIN", comment="processes ready to run", keyword="GEN HOST LOAD"),
    Column(name="CPU_USED", comment="used part of all cores", keyword="GEN HOST CPU"),
    Column(name="MEM_USED", comment="used part of memory", keyword="GEN HOST MEM"),
    Column(name="MEM_AVAIL", unit="byte", comment="available memory"),
    Column(name="DISK_FREE", unit="byte", comment="free for data", keyword="GEN HOST DISK"),
    Column(name="NET_IN", unit="byte/s", comment="received", keyword="GEN HOST NETIN"),
    Column(name="NET_OUT", unit="byte/s", comment="sent", keyword="GEN HOST NETOUT"),
)
_TEMPERATURE = Column(name="TEMP_MAX", unit="K", comment="hottest sensor", keyword="GEN HOST TEMP")


class HostTelemetry(MetadataSource):
    """Samples load, processor, memory, free disk, network and, if it has any, thermometers.

    Args:
        disk: Its file system is watched.
        clock: For rates.
        period_s: Seconds between samples.
    """

    extension = "HOST"

    def __init__(self, disk: Path, clock: Clock, period_s: float = 1.0) -> None:
        self.period_s = period_s
        self.columns = (*_ALWAYS, _TEMPERATURE) if hottest() is not None else _ALWAYS
        self._disk = disk
        self._network = Rate(clock), Rate(clock)
        psutil.cpu_percent()  # the first answer of psutil is always 0

    @override
    def sample(self) -> Sequence[float]:
        memory = psutil.virtual_memory()
        counters = psutil.net_io_counters()  # None on a host without interfaces
        values = [
            os.getloadavg()[0],
            psutil.cpu_percent() / 100.0,
            memory.percent / 100.0,
            float(memory.available),
            float(psutil.disk_usage(str(self._disk)).free),
            self._network[0].of(getattr(counters, "bytes_recv", 0)),
            self._network[1].of(getattr(counters, "bytes_sent", 0)),
        ]
        if _TEMPERATURE in self.columns:
            temperature = hottest()
            values.append(math.nan if temperature is None else temperature)
        return values


class Rate:
    """Turns a counter into its growth per second.

    Args:
        clock: The time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._before: tuple[float, float] | None = None

    def of(self, count: float) -> float:
        """Return the growth since the last call; NaN at first, and when a counter was reset."""
        now = self._clock.monotonic()
        before, self._before = self._before, (now, count)
        if before is None or now <= before[0] or count < before[1]:
            return math.nan
        return (count - before[1]) / (now - before[0])


def hottest() -> float | None:
    """Return the temperature of the hottest sensor in kelvin; ``None`` without one."""
    if not hasattr(psutil, "sensors_temperatures"):  # not on every system
        return None
    sensors = psutil.sensors_temperatures()
    celsius = [each.current for group in sensors.values() for each in group if each.current]
    return max(celsius) + _KELVIN if celsius else None
