"""Calls of an object that nothing is known of, in the way of a stock client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from idl_like_interfaces.declare import Role, interface_of
from idl_like_interfaces.description import InterfaceDescription
from idl_like_interfaces.errors import (
    BadOperation,
    BadParam,
    OutcomeUnknown,
    RemoteError,
    Transient,
)
from idl_like_interfaces.idl.conformance import Examination, Outcome
from idl_like_interfaces.mapping import ObjectAdapter, use_tls
from idl_like_interfaces.mapping.calling.probe import Probe
from idl_like_interfaces.object import Identity
from idl_like_interfaces.security.audit_check import records
from idl_like_interfaces.security.audit_log import AuditLog
from idl_like_interfaces.security.authority import Authority
from idl_like_interfaces.security.credentials import Credentials
from idl_like_interfaces.security.guard import AccessGuard
from idl_like_interfaces.security.roles import Policy
from tests.support.echo import Echo, EchoServant


@pytest.fixture
def adapter() -> Iterator[ObjectAdapter]:
    """A daemon that serves."""
    with ObjectAdapter() as found:
        yield found


@pytest.fixture
def probe(adapter: ObjectAdapter) -> Iterator[Probe]:
    """A connection to an object."""
    with Probe(adapter.activate(EchoServant(), Echo, "echo")) as found:
        yield found


def test_a_call_returns_plain_values(probe: Probe) -> None:
    """By position and by name, without a declaration."""
    assert probe.call("add", [1], {"b": 2}) == 3
    assert probe.call("ping")["object_id"].startswith("echo~")


def test_a_declared_value_can_be_read(probe: Probe) -> None:
    """What the reply means is up to the caller."""
    assert probe.read(Identity, "ping").object_id.startswith("echo~")
    with pytest.raises(BadParam, match="repository_id: the field is missing"):
        probe.read(InterfaceDescription, "ping")


@pytest.mark.parametrize(
    ("operation", "args", "kwargs", "error"),
    [
        ("no_such", [], {}, BadOperation),
        ("add", ["x"], {}, BadParam),
        ("add", [1, 2, 3], {}, BadParam),
        ("ping", [], {"x": 1}, BadParam),
        ("refuse", ["x"], {}, RemoteError),
    ],
)
def test_a_refusal_is_revived(
    probe: Probe, operation: str, args: list[Any], kwargs: dict[str, Any], error: type[RemoteError]
) -> None:
    """As the declared class; the connection goes on."""
    with pytest.raises(error):
        probe.call(operation, args, kwargs)
    assert probe.call("add", [1, 1]) == 2


def test_a_oneway_call_has_no_reply(probe: Probe) -> None:
    """The next reply is that of the next call."""
    probe.tell("ping")
    assert probe.call("add", [2, 2]) == 4


def test_a_stock_proxy_is_answered(probe: Probe) -> None:
    """Without TLS one of Pyro5 itself calls."""
    assert probe.ping_by_stock_proxy()


def test_a_malformed_reference_is_refused() -> None:
    """Before anything is sent."""
    with pytest.raises(BadParam, match="not a reference"):
        Probe("PYRO:nonsense")


def test_an_object_that_is_away_is_told(adapter: ObjectAdapter) -> None:
    """Nobody listens there, or the connection is lost."""
    uri = adapter.activate(EchoServant(), Echo, "echo")
    with Probe(uri) as probe:
        adapter.close()
        with pytest.raises(OutcomeUnknown):
            probe.call("ping")
        with pytest.raises(OutcomeUnknown):
            probe.ping_by_stock_proxy()
    with pytest.raises(Transient, match="cannot be reached"):
        Probe(uri)


def test_an_observer_may_examine_an_object_with_tls_and_roles(tmp_path: Path) -> None:
    """Malformed calls are refused before roles are asked for, and the audit log has none."""
    authority = Authority.init(tmp_path / "certs")
    authority.issue("server", Role.ENGINEER, ["localhost"])
    authority.issue("alice", Role.OBSERVER)
    tls = Credentials(folder=authority.folder, name="server").server_context()
    use_tls(Credentials(folder=authority.folder, name="alice").client_context())
    try:
        with (
            AuditLog(tmp_path / "audit", "echo") as audit,
            ObjectAdapter(tls=tls, guard=AccessGuard(Policy(), audit)) as adapter,
            Probe(adapter.activate(EchoServant(), Echo, "obs/echo")) as probe,
        ):
            checks = list(Examination(probe, interface_of(Echo)).run())
    finally:
        use_tls(None)
    assert [each for each in checks if each.outcome is Outcome.FAILED] == []
    assert "with TLS a stock client" in next(
        each.detail for each in checks if each.name == "a stock proxy is answered"
    )
    assert [each.operation for each in records(tmp_path / "audit") if each.operation] == []
