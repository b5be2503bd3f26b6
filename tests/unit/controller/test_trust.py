"""What the doctor says of certificates and of what is served in clear."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.health.finding import Verdict
from controller.health.trust import examine_certificate, examine_exposure
from idl_like_interfaces.declare import Role
from idl_like_interfaces.security.authority import Authority


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
