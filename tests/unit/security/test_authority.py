"""The private authority: what it issues, refuses to overwrite, and withdraws."""

from __future__ import annotations

import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import which

import pytest

from idl_like_interfaces.declare import Role
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.security.authority import Authority, issued
from idl_like_interfaces.security.certificates import Validity, describe, read_certificate
from idl_like_interfaces.security.refusals import AlreadyIssued, KeyNotSafe, NoCertificate


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.init(tmp_path / "certs", "test")


def test_all_files_are_closed_to_others(authority: Authority) -> None:
    """Keys above all; the folder too."""
    authority.issue("alice", Role.OPERATOR)
    assert stat.S_IMODE(authority.folder.stat().st_mode) == 0o700
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in authority.folder.iterdir()}
    assert modes == dict.fromkeys(["ca.key", "ca.crt", "alice.key", "alice.crt"], 0o600)


def test_a_certificate_says_who_which_role_and_where(authority: Authority) -> None:
    """And until when."""
    made = authority.issue("ocm", Role.ENGINEER, ["daq1.example.org", "192.0.2.7"], days=10)
    assert (made.name, made.role) == ("ocm", Role.ENGINEER)
    assert made.hosts == ["localhost", "daq1.example.org", "127.0.0.1", "::1", "192.0.2.7"]
    left = made.until - datetime.now(UTC)
    assert timedelta(days=9) < left <= timedelta(days=10)
    assert issued(authority.folder) == [made]


def test_a_person_gets_no_host(authority: Authority) -> None:
    """Who only calls can pose as a server nowhere."""
    assert authority.issue("alice", Role.OBSERVER).hosts == []


def test_nothing_is_overwritten_without_force(authority: Authority) -> None:
    """Neither an authority nor a certificate; files stay as they were."""
    first = authority.issue("alice", Role.OBSERVER)
    with pytest.raises(AlreadyIssued, match="alice"):
        authority.issue("alice", Role.ADMIN)
    before = (authority.folder / "ca.key").read_bytes()
    with pytest.raises(AlreadyIssued, match="has an authority already"):
        Authority.init(authority.folder)
    assert (authority.folder / "ca.key").read_bytes() == before
    assert issued(authority.folder) == [first]
    assert authority.issue("alice", Role.ADMIN, force=True).serial != first.serial
    Authority.init(authority.folder, force=True)
    assert (authority.folder / "ca.key").read_bytes() != before


@pytest.mark.parametrize(
    "name", ["", "ca", "local", "../x", "a/b", "a b", "-a", ".a", "x" * 65, "ä", "a\n"]
)
def test_a_name_that_is_none_is_refused(authority: Authority, name: str) -> None:
    """It is a file name and goes into logs."""
    with pytest.raises(BadParam, match="cannot be the name"):
        authority.issue(name, Role.OBSERVER)


@pytest.mark.parametrize("host", ["a:1", "*.example.org", "", "-x", "a b", "x" * 254])
def test_a_host_that_is_none_is_refused(authority: Authority, host: str) -> None:
    """Also a wildcard: it would be valid for too many."""
    with pytest.raises(BadParam, match="neither the name nor the address"):
        authority.issue("a", Role.OBSERVER, [host])


@pytest.mark.parametrize("days", [0, -1, 10**6])
def test_days_that_are_none_are_refused(authority: Authority, days: int) -> None:
    """A certificate ends, and begins before."""
    with pytest.raises(BadParam, match="days"):
        authority.issue("a", Role.OBSERVER, days=days)


def test_no_certificate_outlives_its_authority(tmp_path: Path) -> None:
    """It would be refused then anyway, and the list would promise too much."""
    short = Authority.init(tmp_path / "certs", days=5)
    made = short.issue("a", Role.OBSERVER, days=100)
    assert made.until == read_certificate(tmp_path / "certs" / "ca.crt").not_valid_after_utc


def test_list_tells_what_ends_and_what_is_withdrawn(authority: Authority) -> None:
    """Each certificate has one validity."""
    authority.issue("long", Role.OBSERVER)
    authority.issue("short", Role.OBSERVER, days=20)
    gone = authority.issue("gone", Role.OBSERVER)
    authority.revoke(int(gone.serial, 16))
    found = {each.name: each.validity for each in issued(authority.folder)}
    assert found == {
        "gone": Validity.REVOKED,
        "long": Validity.VALID,
        "short": Validity.EXPIRES_SOON,
    }
    later = datetime.now(UTC) + timedelta(days=400)
    read = read_certificate(authority.folder / "long.crt")
    assert describe(read, now=later).validity is Validity.EXPIRED
    earlier = datetime.now(UTC) - timedelta(days=1)
    assert describe(read, now=earlier).validity is Validity.NOT_YET


def test_withdrawals_add_up(authority: Authority) -> None:
    """The second does not take the first back."""
    for serial in (5, 7, 5):
        authority.revoke(serial)
    assert authority.revoked() == {5, 7}


def test_without_authority_there_is_a_remedy(tmp_path: Path) -> None:
    """Nothing is issued and nothing is made."""
    with pytest.raises(NoCertificate, match=r"ca\.key") as caught:
        Authority(tmp_path)
    assert "obsorb certs init" in caught.value.remedy
    with pytest.raises(NoCertificate, match="there is no folder"):
        issued(tmp_path / "nowhere")


def test_an_open_key_of_the_authority_is_refused(authority: Authority) -> None:
    """Before anything is signed with it."""
    (authority.folder / "ca.key").chmod(0o644)
    with pytest.raises(KeyNotSafe, match="mode 644"):
        Authority(authority.folder)


@pytest.mark.parametrize("file", ["ca.key", "ca.crt"])
def test_a_damaged_file_is_told(authority: Authority, file: str) -> None:
    """With the name of the file."""
    (authority.folder / file).write_bytes(b"nonsense")
    with pytest.raises(NoCertificate, match=file):
        Authority(authority.folder)


def test_another_program_agrees(authority: Authority) -> None:
    """OpenSSL's own command finds the chain, the purposes and the withdrawal as we mean them."""
    openssl = which("openssl")
    if openssl is None:
        pytest.skip("there is no command openssl")
    made = authority.issue("a", Role.OBSERVER)
    authority.issue("s", Role.ENGINEER, ["h.example.org"])
    ca = str(authority.folder / "ca.crt")

    def verify(name: str, *options: str) -> bool:
        file = str(authority.folder / f"{name}.crt")
        command = [openssl, "verify", "-x509_strict", "-CAfile", ca, *options, file]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    assert verify("a", "-purpose", "sslclient")
    assert not verify("a", "-purpose", "sslserver")
    assert verify("s", "-purpose", "sslserver", "-verify_hostname", "h.example.org")
    assert verify("s", "-purpose", "sslclient")
    authority.revoke(int(made.serial, 16))
    crl = ["-crl_check", "-CRLfile", str(authority.folder / "ca.crl")]
    assert not verify("a", *crl)
    assert verify("s", *crl)
