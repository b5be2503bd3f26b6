"""A component in this process: boots in order, heals, ends in order."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest
from typing_extensions import override

from idl_like_interfaces.announcements import ComponentState, Heartbeat
from idl_like_interfaces.declare import Role
from idl_like_interfaces.errors import BadParam, NoPermission
from idl_like_interfaces.naming import AlreadyBound, NotFound
from idl_like_interfaces.security.audit_check import records, verify
from idl_like_interfaces.security.refusals import AuditRefused
from idl_like_interfaces.security.settings import ABSENT, AuditMode, SecurityTable
from idl_like_interfaces.supervision import ComponentObject
from nameserver.client import Names
from nameserver.server import NameServer
from objects.component.host import ComponentHost
from objects.component.site import ActiveObject, Component
from tests.support.echo import Echo, EchoServant
from tests.support.eventually import eventually


class Settings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    is_broken: bool = False


class EchoComponent(Component):
    """Offers an echo and writes its life down."""

    kind = "echo"
    Settings: ClassVar[type[msgspec.Struct]] = Settings
    life: ClassVar[list[str]] = []

    @override
    def recover(self) -> None:
        self.life.append("recover")
        if self.settings.is_broken:
            raise BadParam("the store is broken", field="store", remedy="mend it")

    @override
    def objects(self) -> list[ActiveObject]:
        self.life.append("objects")
        return [ActiveObject(path="echo", interface=Echo, servant=EchoServant())]

    @override
    def start(self) -> None:
        self.life.append("start")

    @override
    def stop(self) -> None:
        self.life.append("stop")


@pytest.fixture
def server() -> Iterator[NameServer]:
    EchoComponent.life.clear()
    with NameServer("localhost", 0) as server:
        yield server


def host(
    port: int, folder: Path, *, is_broken: bool = False, security: SecurityTable = ABSENT
) -> ComponentHost:
    return ComponentHost(
        EchoComponent,
        Settings(is_broken=is_broken),
        name="echo",
        names=("localhost", port),
        data_root=folder / "data",
        security=security,
    )


def test_beyond_loopback_a_component_wants_certificates(server: NameServer, tmp_path: Path) -> None:
    """Without them it does not start, and binds nothing."""
    table = SecurityTable(host="192.0.2.1", audit=AuditMode.OFF)
    with pytest.raises(BadParam, match="not on the loopback interface") as caught:
        host(server.port, tmp_path, security=table)
    assert "obsorb certs init" in caught.value.remedy
    with Names(("localhost", server.port)) as names, pytest.raises(NotFound):
        names.resolve("obs/echo")


def test_one_more_object_is_served_at_its_own_port(server: NameServer, tmp_path: Path) -> None:
    """It is bound under the lease, found by name, and gone with what was returned."""
    more = ActiveObject(path="echo2/more", interface=Echo, servant=EchoServant())
    with Names(("localhost", server.port)) as names:
        with host(server.port, tmp_path) as hosted:
            offered = hosted.site.offer(more)
            assert names.resolve("obs/echo2/more").endswith(f":{offered.port}")
            assert names.narrow("obs/echo2/more", Echo).add(1) == 2
            with pytest.raises(OSError, match="in use"):
                hosted.site.offer(more, offered.port)
            offered.close()
            offered.close()
            with pytest.raises(NotFound):
                names.resolve("obs/echo2/more")
            again = hosted.site.offer(more)
        again.close()
        with pytest.raises(NotFound):
            names.resolve("obs/echo2/more")


def test_one_more_object_waits_for_the_name_server(tmp_path: Path) -> None:
    """It is offered while there are no names, and bound when there are."""
    with NameServer("localhost", 0) as gone:
        port = gone.port
    more = ActiveObject(path="echo2/more", interface=Echo, servant=EchoServant())
    with (
        host(port, tmp_path) as hosted,
        hosted.site.offer(more),
        NameServer("localhost", port),
        Names(("localhost", port)) as names,
    ):
        eventually(lambda: hosted.is_bound, "the names")
        assert names.narrow("obs/echo2/more", Echo).add(1) == 2


def test_a_component_lives_in_order(server: NameServer, tmp_path: Path) -> None:
    """Recover, offer, start, be found by name; stop, be found no more."""
    with Names(("localhost", server.port)) as names:
        with host(server.port, tmp_path):
            assert names.narrow("obs/echo", Echo).add(1) == 2
            assert EchoComponent.life == ["recover", "objects", "start"]
        assert EchoComponent.life == ["recover", "objects", "start", "stop"]
        with pytest.raises(NotFound):
            names.resolve("obs/echo")


def test_it_is_bound_itself(server: NameServer, tmp_path: Path) -> None:
    """Under its name in the installation it says how it stands."""
    with host(server.port, tmp_path), Names(("localhost", server.port)) as names:
        health = names.narrow("obs/components/echo", ComponentObject).get_health()
    assert (health.component, health.kind, health.pid) == ("echo", "echo", os.getpid())
    assert (health.state, health.is_ready) == (ComponentState.RUNNING, True)


def test_it_says_what_it_must_do_without(server: NameServer, tmp_path: Path) -> None:
    """Nobody takes its events here; it is ready all the same."""
    with host(server.port, tmp_path), Names(("localhost", server.port)) as names:
        itself = names.narrow("obs/components/echo", ComponentObject)
        eventually(
            lambda: itself.get_health().reason.startswith("event channel away since"),
            "the channel is missed",
        )
        assert itself.get_health().is_ready


def test_its_objects_are_guarded_and_calls_recorded(server: NameServer, tmp_path: Path) -> None:
    """As the installation says."""
    security = SecurityTable(local_role=Role.OBSERVER)
    with host(server.port, tmp_path, security=security), Names(("localhost", server.port)) as names:
        echo = names.narrow("obs/echo", Echo)
        with pytest.raises(NoPermission, match="local has the role observer"):
            echo.add(1)
    told = [(each.what, each.operation) for each in records(tmp_path / "data" / "audit")]
    assert told == [("start", ""), ("denied", "add"), ("stop", "")]


def test_a_second_instance_does_not_break_the_audit_log(server: NameServer, tmp_path: Path) -> None:
    """It is refused before it writes a line."""
    security = SecurityTable()
    refused = pytest.raises(AuditRefused, match="by another process")
    with host(server.port, tmp_path, security=security), refused:
        host(server.port, tmp_path, security=security)
    (found,) = verify(tmp_path / "data" / "audit")
    assert (found.is_intact, found.records) == (True, 2)


def test_a_broken_store_refuses_the_start(server: NameServer, tmp_path: Path) -> None:
    """The refusal comes through, nothing was started, what was opened is released."""
    with pytest.raises(BadParam, match="the store is broken"):
        host(server.port, tmp_path, is_broken=True)
    assert EchoComponent.life == ["recover", "stop"]


def test_a_second_instance_refuses_to_start(server: NameServer, tmp_path: Path) -> None:
    """The first goes on; the second has not begun to work."""
    with host(server.port, tmp_path):
        with pytest.raises(AlreadyBound, match="living object"):
            host(server.port, tmp_path)
        with Names(("localhost", server.port)) as names:
            assert names.narrow("obs/echo", Echo).add(1) == 2
    assert EchoComponent.life.count("start") == 1


def test_it_starts_without_a_name_server(tmp_path: Path) -> None:
    """It works, and is found as soon as there is a name server."""
    with NameServer("localhost", 0) as gone:
        port = gone.port
    EchoComponent.life.clear()
    with host(port, tmp_path) as hosted:
        assert "start" in EchoComponent.life
        found = threading.Event()
        with NameServer("localhost", port), Names(("localhost", port)) as names:

            def look() -> None:
                if names.context.find("IDL:test/Echo:1.0"):
                    found.set()

            hosted.site.every(0.05, look)
            assert found.wait(20)


def test_closing_twice_is_harmless(server: NameServer, tmp_path: Path) -> None:
    """The second close has nothing to do."""
    hosted = host(server.port, tmp_path)
    hosted.close()
    hosted.close()
    assert EchoComponent.life.count("stop") == 1


def test_an_exit_is_asked_for(server: NameServer, tmp_path: Path) -> None:
    """A servant may ask its process to end."""
    with host(server.port, tmp_path) as hosted:
        hosted.site.request_exit()
        assert hosted.site.exit_requested.is_set()


def test_a_data_root_that_cannot_be_made_is_told(server: NameServer, tmp_path: Path) -> None:
    """A file in the way of the folder is an error of the operating system that names it."""
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(OSError, match="data"):
        host(server.port, tmp_path)


@pytest.mark.spec("ESO-156")
def test_a_missing_data_root_is_made_for_the_group(server: NameServer, tmp_path: Path) -> None:
    """With mode 0774 whatever the umask is; one that is there stays as it is."""
    data_root = tmp_path / "data"
    with host(server.port, tmp_path):
        assert stat.S_IMODE(data_root.stat().st_mode) == 0o774
    data_root.chmod(0o700)
    with host(server.port, tmp_path):
        assert stat.S_IMODE(data_root.stat().st_mode) == 0o700


def test_a_start_that_takes_long_costs_no_name(
    server: NameServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease is renewed from the moment on at which the names are bound."""
    gate = threading.Event()
    monkeypatch.setattr(EchoComponent, "start", lambda _: gate.wait(60))
    with ThreadPoolExecutor(1) as pool, Names(("localhost", server.port)) as names:
        hosted = pool.submit(host, server.port, tmp_path)
        try:
            eventually(names.context.list_leases, "it has a lease")
            lowest = names.context.list_leases()[0].remaining_s

            def is_renewed() -> bool:
                nonlocal lowest
                now = names.context.list_leases()[0].remaining_s
                lowest, before = min(lowest, now), lowest
                return now > before + 0.5

            eventually(is_renewed, "the lease is renewed")
        finally:
            gate.set()
            hosted.result(60).close()


def test_a_job_that_hangs_costs_no_name(server: NameServer, tmp_path: Path) -> None:
    """Lease and heartbeat go on when all threads for the component's own jobs are taken."""
    gate = threading.Event()
    hanging = threading.Semaphore(0)

    def hang() -> None:
        hanging.release()
        gate.wait(60)

    with host(server.port, tmp_path) as hosted, Names(("localhost", server.port)) as names:
        try:
            for _ in range(4):
                hosted.site.every(0.05, hang)
            assert all(hanging.acquire(timeout=20) for _ in range(4))
            renewed = threading.Event()
            before = names.context.list_leases()[0].remaining_s
            until = time.monotonic() + 20
            while not renewed.is_set() and time.monotonic() < until:
                now = names.context.list_leases()[0].remaining_s
                if now > before:
                    renewed.set()
                before = now
            assert renewed.is_set()
        finally:
            gate.set()


def test_nothing_is_heard_behind_the_last_heartbeat(
    server: NameServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A component that has said that it stopped is not said to run after that."""
    beats: list[Heartbeat] = []
    hosted = host(server.port, tmp_path)
    monkeypatch.setattr(hosted.site, "publish", lambda _topic, body: beats.append(body))
    hosted.close()
    hosted._beat()
    assert [beat.state for beat in beats][-1] is ComponentState.STOPPED
    assert sum(beat.state is ComponentState.STOPPED for beat in beats) == 1
