"""What the doctor says of certificates and of what is served in clear."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.health.finding import Verdict
from controller.health.trust import examine_certificate, examine_exposure
from idl_like_interfaces.declare import Role
from idl_like_interfaces.security.authority import Authority
from idl_like_interfaces.security.protection import Protection
from idl_like_interfaces.security.settings import SecurityTable
from nameserver.server import NameServer
from tests.unit.controller.running import obsorb, refused


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OBSORB_CERTS", "OBSORB_IDENTITY"):
        monkeypatch.delenv(name, raising=False)


def test_without_certificate_it_is_a_note() -> None:
    """Loopback without TLS is the default and no fault."""
    assert examine_certificate(None, None).verdict is Verdict.NOTE


@pytest.mark.parametrize(("days", "verdict"), [(100, Verdict.GOOD), (10, Verdict.BAD)])
def test_a_certificate_that_ends_soon_is_bad(tmp_path: Path, days: int, verdict: Verdict) -> None:
    """In time to have another one made."""
    Authority.init(tmp_path / "certs").issue("alice", Role.OPERATOR, days=days)
    found = examine_certificate(str(tmp_path / "certs"), None)
    assert found.verdict is verdict
    assert found.found.startswith("alice, operator, valid until")


@pytest.mark.parametrize(
    ("host", "is_secure", "count"),
    [
        ("localhost", False, 0),
        ("127.0.0.1", False, 0),
        ("[::1]", False, 0),
        ("192.0.2.1", False, 1),
        ("daq1.example.org", False, 1),
        ("192.0.2.1", True, 0),
    ],
)
def test_what_is_served_in_clear_to_others_is_bad(host: str, is_secure: bool, count: int) -> None:
    """With the hosts, each once."""
    uris = [f"PYRO:a@{host}:1234", f"PYRO:b@{host}:1235"]
    found = examine_exposure(uris, is_secure=is_secure)
    assert len(found) == count
    for each in found:
        assert each.found.count(host) == 1


def test_a_name_server_with_tls_is_not_told_to_be_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who comes without a certificate learns just that, from ``names ping`` and ``doctor``."""
    certs = tmp_path / "certs"
    Authority.init(certs).issue("components", Role.ENGINEER, ["localhost"])
    table = SecurityTable(certs=str(certs))
    with (
        Protection(table, "nameserver", "i1", None) as protection,
        NameServer("localhost", 0, protection=protection) as server,
    ):
        monkeypatch.setenv("OBSORB_NAMES", f"localhost:{server.port}")
        for command in (["names", "ping"], ["doctor"]):
            result = obsorb(*command)
            assert result.exit_code == 1
            assert "the server speaks TLS only" in result.output
            assert "--certs DIR" in result.output
            assert "dismiss" not in result.output
            assert "obsorb up" not in result.output


def test_who_dismisses_at_the_dead_one_is_sent_to_the_other() -> None:
    """The address is that of the one that shall lead."""
    error = refused("names", "dismiss", "localhost:1")
    assert "remedy: give the address of the other one" in error
