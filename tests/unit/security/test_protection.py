"""What a program makes of the table ``[security]``."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from idl_like_interfaces.declare import Role
from idl_like_interfaces.security.audit_check import verify
from idl_like_interfaces.security.authority import Authority
from idl_like_interfaces.security.protection import Protection
from idl_like_interfaces.security.refusals import AuditRefused, NoCertificate
from idl_like_interfaces.security.settings import ABSENT, AuditMode, SecurityTable
from tests.support.tls import handshake


def test_without_the_table_there_is_nothing(tmp_path: Path) -> None:
    """No TLS, no guard, no file."""
    with Protection(ABSENT, "ocm", "i1", tmp_path / "audit") as made:
        assert (made.server, made.client, made.guard) == (None, None, None)
    assert not (tmp_path / "audit").exists()


def test_an_empty_table_guards_and_records(tmp_path: Path) -> None:
    """On loopback, without TLS."""
    with Protection(SecurityTable(), "ocm", "i1", tmp_path / "audit") as made:
        assert made.server is None
        assert made.guard is not None
    (found,) = verify(tmp_path / "audit")
    assert (found.process, found.records) == ("ocm", 2)


@pytest.mark.parametrize(("process", "host"), [("ocm", "a.example.org"), ("dpm", "b.example.org")])
def test_a_program_shows_its_own_certificate_or_the_common_one(
    tmp_path: Path, process: str, host: str
) -> None:
    """By its name; both ways."""
    authority = Authority.init(tmp_path / "certs")
    authority.issue("ocm", Role.ENGINEER, ["a.example.org"])
    authority.issue("components", Role.ENGINEER, ["b.example.org"])
    table = SecurityTable(certs=str(tmp_path / "certs"), audit=AuditMode.OFF)
    with Protection(table, process, "i1", None) as made:
        assert made.client is not None
        assert made.server is not None

    met = handshake(made.client, made.server, host)
    assert (met.client, met.server) == ("", "")


def test_a_missing_certificate_is_told(tmp_path: Path) -> None:
    """With the command that makes one."""
    Authority.init(tmp_path / "certs")
    table = SecurityTable(certs=str(tmp_path / "certs"))
    with pytest.raises(NoCertificate, match=r"components\.key") as caught:
        Protection(table, "ocm", "i1", tmp_path / "audit")
    assert "obsorb certs issue" in caught.value.remedy
    assert not (tmp_path / "audit").exists()


def test_an_audit_log_that_cannot_be_kept_stops_the_start(tmp_path: Path) -> None:
    """Who wants one must not believe that there is one."""
    (tmp_path / "audit").write_text("")
    with pytest.raises(AuditRefused, match="cannot be opened"):
        Protection(SecurityTable(), "ocm", "i1", tmp_path / "audit")


def test_to_serve_others_in_clear_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """By each program, loudly."""
    table = SecurityTable(insecure=True, audit=AuditMode.OFF)
    with caplog.at_level(logging.WARNING), Protection(table, "ocm", "i1", None) as made:
        assert made.insecure
    assert "ocm serves other hosts WITHOUT TLS" in caplog.text
