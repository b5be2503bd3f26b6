"""The log service as a component."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from idl_like_interfaces.alarms import AlarmReport
from idl_like_interfaces.errors import BadParam, PersistStore
from idl_like_interfaces.logs import LogBatch, LogQuery, LogService
from objects.messaging.log_component import DAMAGED, NOT_WRITABLE, LogServiceComponent
from objects.messaging.log_store import SqliteLogStore
from tests.support.log_stores import batch, fill, make_room
from tests.support.site import FakeSite


def started(site: FakeSite, **settings: Any) -> LogServiceComponent:
    """Start the component on a site."""
    component = LogServiceComponent(site, msgspec.convert(settings, LogServiceComponent.Settings))
    component.recover()
    component.start()
    return component


def test_the_log_is_kept_below_the_data_root(tmp_path: Path) -> None:
    """A restarted log service goes on with its file."""
    for expected in ("0 records", "0 records"):
        component = started(FakeSite(tmp_path))
        (offered,) = component.objects()
        assert (offered.path, offered.interface) == ("log", LogService)
        offered.servant.append(LogBatch(component="ocm", incarnation="i", first=1, records=[]))
        assert component.detail() == expected
        component.stop()
        assert component.detail() == ""
    assert (tmp_path / "log" / "log.sqlite").is_file()


def test_a_log_file_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    """The component does not come up without its store, and can be stopped all the same."""
    (tmp_path / "log").touch()
    component = LogServiceComponent(FakeSite(tmp_path), LogServiceComponent.Settings())
    with pytest.raises(BadParam):
        component.recover()
    component.stop()


def test_another_log_file_may_be_set(tmp_path: Path) -> None:
    """An absolute path is taken as it is."""
    file = tmp_path / "elsewhere" / "night.sqlite"
    started(FakeSite(tmp_path / "root"), file=str(file)).stop()
    store = SqliteLogStore(file)
    assert store.last() == 0
    store.close()


@pytest.mark.parametrize(
    "wrong", [{"max_bytes": 1000}, {"max_age_s": 0}, {"max_records": 10}, {"max_size": 1}]
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    """Limits that leave nothing, and unknown names."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, LogServiceComponent.Settings)


def test_a_store_that_takes_nothing_raises_an_alarm(tmp_path: Path) -> None:
    """Once, with what to do; it is over when there is room again, also if nobody sends."""
    site = FakeSite(tmp_path)
    component = started(site)
    service = component.objects()[0].servant
    store = component._store
    assert store is not None
    fill(store)
    large = batch(1, *["x" * 10_000] * 20)
    for _ in range(2):
        with pytest.raises(PersistStore):
            service.append(large)
    alarm = site.alarms["obs/tested", NOT_WRITABLE]
    assert "full" in alarm.text
    assert alarm.remedy
    assert "log records cannot be stored: " in component.problem()
    make_room(store)
    site.tick()
    assert site.alarms == {}
    assert component.problem() == ""
    assert service.append(large) == 20
    component.stop()


def test_a_start_that_can_store_ends_the_alarm_of_one_before(tmp_path: Path) -> None:
    """That one was perhaps killed while its disk was full: nobody else can say that it is over."""
    site = FakeSite(tmp_path)
    started(site).stop()
    assert site.cleared == [("obs/tested", NOT_WRITABLE)]


def test_a_damaged_store_raises_an_alarm_that_stays(tmp_path: Path) -> None:
    """Latched, since the damage is over as soon as it is found."""
    file = tmp_path / "log" / "log.sqlite"
    file.parent.mkdir()
    file.write_bytes(b"this is no database, but it is long enough to be one" * 100)
    site = FakeSite(tmp_path)
    reports: list[AlarmReport] = []
    site.raise_alarm = reports.append  # type: ignore[method-assign,assignment]
    component = started(site)
    assert [(each.name, each.latch) for each in reports] == [(DAMAGED, True)]
    assert "log.sqlite.damaged" in reports[0].remedy
    assert ("obs/tested", DAMAGED) in site.cleared
    (told,) = component.objects()[0].servant.query(LogQuery())
    assert "log.sqlite.damaged" in told.record.text
    component.stop()


def test_what_it_stored_is_in_its_accounts(tmp_path: Path) -> None:
    """Of each sender, below the root of the installation."""
    site = FakeSite(tmp_path, name="log")
    component = started(site)
    component.objects()[0].servant.append(batch(4, "a", "b", lost=3))
    (accountant,) = site.accountants
    (account,) = accountant()
    assert (account.hop, account.source, account.incarnation) == ("obs/log", "obs/ocm", "i1")
    assert (account.taken, account.passed, account.in_flight) == (2, 2, 0)
    assert [(drop.reason, drop.count) for drop in account.missing] == [("supplier", 3)]
    component.stop()
    assert accountant() == []
