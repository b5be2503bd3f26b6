"""The metrics of a whole installation, also while one of its processes hangs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.installation import OBSORB, running_installation

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

DEADLINE_S = 60.0

INSTALLATION = """
[installation]
name = "tested"

[name_server]
address = "localhost:0"

[component.events]
kind = "events"

[component.log]
kind = "log"

[component.ocm]
kind = "ocm"
instrument_id = "STIS"

[component.metrics]
kind = "metrics"
port = 0
deadline_s = 1.0
"""

OF_OCM = {"obs/components/ocm", "obs/ocm/daq", "obs/ocm/std"}
OBJECTS = OF_OCM | {"NameService", "obs/events", "obs/log", "obs/supervisor"}
OBJECTS |= {f"obs/components/{name}" for name in ("events", "log", "metrics", "supervisor")}


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the installation; give the address of its name server."""
    with running_installation(tmp_path_factory.mktemp("metrics"), INSTALLATION) as address:
        yield address


def component(names: str, name: str) -> dict[str, str]:
    """Return what the dashboard shows of a component that is running."""
    until = time.monotonic() + DEADLINE_S
    while time.monotonic() < until:
        command = [str(OBSORB), "top", "--json", "--names", names]
        shown = subprocess.run(command, capture_output=True, check=True, timeout=DEADLINE_S)
        for each in json.loads(shown.stdout)["components"]:
            if each["name"] == name and each["state"] == "running":
                found: dict[str, str] = each
                return found
    raise AssertionError(name)


def scrape(url: str) -> dict[tuple[str, str, str], float]:
    """Read as Prometheus does: values by metric, object and operation."""
    with urlopen(url, timeout=DEADLINE_S) as reply:
        text = reply.read().decode()
    return {
        (each.name, each.labels.get("object", ""), each.labels.get("operation", "")): each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
        if not each.name.endswith("_bucket")
    }


def up(url: str) -> dict[str, float]:
    """Return which objects are up."""
    found = scrape(url)
    return {each: value for (name, each, _), value in found.items() if name == "obsorb_up"}


@pytest.fixture(scope="module")
def url(names: str) -> str:
    """Return where the metrics are, as the heartbeat says."""
    return component(names, "metrics")["detail"].partition(",")[0]


def test_all_objects_are_up_and_their_calls_are_counted(url: str) -> None:
    """Of every process, and of the name server."""
    found = scrape(url)
    assert {each for name, each, _ in found if name == "obsorb_up"} == OBJECTS
    assert found["obsorb_calls_total", "obs/events", "publish"] > 0
    assert found["obsorb_call_duration_seconds_sum", "obs/events", "publish"] > 0
    assert found["obsorb_calls_total", "NameService", "renew_lease"] >= 0


def test_a_process_that_hangs_is_down_and_delays_nobody(names: str, url: str) -> None:
    """The others are read as before; when it goes on it is up again."""
    pid = int(component(names, "ocm")["pid"])
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        found = up(url)
        took_s = time.monotonic() - began
    finally:
        os.kill(pid, signal.SIGCONT)
    assert {name for name, value in found.items() if not value} == OF_OCM
    assert took_s < 20
    until = time.monotonic() + DEADLINE_S
    while not all(up(url).values()):
        assert time.monotonic() < until
