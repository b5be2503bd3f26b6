"""What a component says of itself through its site."""

from __future__ import annotations

from pathlib import Path

from idl_like_interfaces.alarms import AlarmService, Column
from nameserver.client import Offer, Registration, parse_address
from objects.component.host import HostedSite
from tests.support.alarms import AlarmBench, report
from tests.support.peers import PATIENCE_S
from tests.support.small import SmallInstallation


def test_a_site_reports_by_name(tmp_path: Path) -> None:
    """Before the service has its name, too; of what names no object it is the component."""
    with SmallInstallation(tmp_path) as small, AlarmBench(tmp_path / "alarms") as bench:
        names = parse_address(small.address)
        site = HostedSite("dpm", root="obs", data_root=tmp_path / "data", names=names)
        site.raise_alarm(report())
        site.raise_alarm(report("fan broken"))
        uri = small.adapter.activate(bench.servant, AlarmService, "obs/alarms")
        offer = Offer(name="obs/alarms", uri=uri, interface=AlarmService)
        registration = Registration(small.names, "alarms", [offer], {}, term_s=600.0)
        registration.claim()
        assert site.alarms.flush(PATIENCE_S)
        site.clear_alarm("disk full", text="cleaned up")
        assert site.alarms.flush(PATIENCE_S)
        site.close()
        registration.release()
        bench.wait(1.0)
        assert bench.alarm("disk full").column is Column.GOOD
        assert bench.alarm("fan broken").column is Column.BAD
        assert bench.alarm("fan broken").source == "obs/dpm"
