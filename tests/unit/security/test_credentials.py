"""Contexts for TLS: whom each side accepts, shown by handshakes in memory."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from idl_like_interfaces.declare import Role
from idl_like_interfaces.security.authority import Authority
from idl_like_interfaces.security.credentials import (
    Credentials,
    credentials_of,
    find_credentials,
)
from idl_like_interfaces.security.files import make_folder, write_private
from idl_like_interfaces.security.refusals import KeyNotSafe, NoCertificate
from tests.support.tls import context_of, handshake, self_signed


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an authority with a server and a caller."""
    authority = Authority.init(tmp_path_factory.mktemp("pki") / "certs")
    authority.issue("server", Role.ENGINEER, ["daq1.example.org"])
    authority.issue("alice", Role.OPERATOR)
    return authority.folder


def server_of(folder: Path, name: str = "server") -> ssl.SSLContext:
    return Credentials(folder=folder, name=name).server_context()


def client_of(folder: Path, name: str = "alice") -> ssl.SSLContext:
    return Credentials(folder=folder, name=name).client_context()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "daq1.example.org"])
def test_both_sides_know_each_other(certs: Path, host: str) -> None:
    """The server knows the name and the role that the client's certificate states."""
    met = handshake(client_of(certs), server_of(certs), host)
    assert (met.client, met.server) == ("", "")
    assert met.peer_of_server["subject"] == ((("commonName", "alice"),),)
    assert met.peer_of_server["subjectAltName"] == (("URI", "urn:obsorb:role:operator"),)


def test_a_server_under_another_name_is_refused(certs: Path) -> None:
    """A certificate is good for its own hosts only."""
    met = handshake(client_of(certs), server_of(certs), "daq2.example.org")
    assert "Hostname mismatch" in met.client


def test_who_only_calls_cannot_pose_as_a_server(certs: Path) -> None:
    """Neither can it be configured so, nor does a client accept it."""
    with pytest.raises(NoCertificate, match="names no host") as caught:
        server_of(certs, "alice")
    assert "--host" in caught.value.remedy
    forced = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    forced.load_cert_chain(certs / "alice.crt", certs / "alice.key")
    assert "certificate" in handshake(client_of(certs), forced).client


def test_a_client_without_certificate_is_refused(certs: Path) -> None:
    """Both sides learn why."""
    met = handshake(context_of(certs, "", certs), server_of(certs))
    assert "did not return a certificate" in met.server
    assert "certificate required" in met.client


def test_a_self_signed_client_is_refused(certs: Path, tmp_path: Path) -> None:
    """Although it calls itself alice and states the role admin."""
    self_signed(tmp_path / "own", "alice")
    met = handshake(context_of(tmp_path / "own", "alice", certs), server_of(certs))
    assert "self-signed certificate" in met.server
    assert "unknown ca" in met.client


def test_an_expired_client_is_refused(certs: Path, tmp_path: Path) -> None:
    """At the server, and before it calls when it is ours."""
    folder = tmp_path / "old"
    self_signed(folder, "alice", days=-1, issuer=certs)
    write_private(folder / "ca.crt", (certs / "ca.crt").read_bytes())
    met = handshake(context_of(folder, "alice", certs), server_of(certs))
    assert "certificate has expired" in met.server
    assert "certificate expired" in met.client
    with pytest.raises(NoCertificate, match="has expired on"):
        client_of(folder)


def test_a_client_of_another_authority_is_refused(certs: Path, tmp_path: Path) -> None:
    """An independent authority made it, with the same common name."""
    other = trustme.CA()
    made = other.issue_cert("localhost", common_name="alice")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(certs / "ca.crt")
    made.configure_cert(client)
    met = handshake(client, server_of(certs))
    assert "unable to get local issuer certificate" in met.server
    assert "unknown ca" in met.client


def test_a_server_of_another_authority_is_refused(certs: Path) -> None:
    """A client gives its certificate to nobody else."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(server)
    assert "certificate verify failed" in handshake(client_of(certs), server).client


def test_certificates_of_another_program_serve_as_well(tmp_path: Path) -> None:
    """A facility that has an authority already needs none of ours."""
    authority = trustme.CA()
    made = authority.issue_cert("localhost", common_name="bob")
    folder = tmp_path / "certs"
    make_folder(folder)
    write_private(folder / "ca.crt", authority.cert_pem.bytes())
    write_private(folder / "bob.crt", b"".join(b.bytes() for b in made.cert_chain_pems))
    write_private(folder / "bob.key", made.private_key_pem.bytes())
    met = handshake(client_of(folder, "bob"), server_of(folder, "bob"))
    assert (met.client, met.server) == ("", "")


@pytest.mark.parametrize("name", ["alice", "server"])
def test_a_withdrawn_certificate_is_refused(tmp_path: Path, name: str) -> None:
    """By whoever has the list, and nobody else is."""
    authority = Authority.init(tmp_path / "certs")
    authority.issue("server", Role.ENGINEER, ["h"])
    authority.issue("alice", Role.OPERATOR)
    authority.issue("bob", Role.OPERATOR)
    gone = authority.issue(name, Role.ENGINEER, ["h"], force=True)
    authority.revoke(int(gone.serial, 16))
    met = handshake(client_of(authority.folder), server_of(authority.folder))
    assert "certificate revoked" in (met.client + met.server)
    if name == "alice":
        assert (
            handshake(client_of(authority.folder, "bob"), server_of(authority.folder)).client == ""
        )


def test_older_protocols_are_refused(certs: Path) -> None:
    """TLS 1.3 at both ends."""
    old = context_of(certs, "alice", certs)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    assert "unsupported protocol" in handshake(old, server_of(certs)).server


def test_an_open_key_is_not_used(tmp_path: Path) -> None:
    """It is refused with the remedy before TLS begins."""
    authority = Authority.init(tmp_path / "certs")
    authority.issue("alice", Role.OPERATOR)
    (authority.folder / "alice.key").chmod(0o640)
    with pytest.raises(KeyNotSafe, match="mode 640"):
        client_of(authority.folder)


def test_a_key_of_another_pair_is_told(tmp_path: Path) -> None:
    """Certificate and key were mixed up."""
    authority = Authority.init(tmp_path / "certs")
    authority.issue("alice", Role.OPERATOR)
    authority.issue("bob", Role.OPERATOR)
    (authority.folder / "alice.key").write_bytes((authority.folder / "bob.key").read_bytes())
    with pytest.raises(NoCertificate, match="cannot be used") as caught:
        client_of(authority.folder)
    assert "pair" in caught.value.cause


def test_own_certificate_is_found(certs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Option before environment; a folder with one certificate needs no choice."""
    for variable in ("OBSORB_CERTS", "OBSORB_IDENTITY"):
        monkeypatch.delenv(variable, raising=False)
    assert find_credentials() is None
    with pytest.raises(NoCertificate, match="which one is yours") as caught:
        find_credentials(str(certs))
    assert "alice, server" in caught.value.remedy
    monkeypatch.setenv("OBSORB_CERTS", str(certs))
    monkeypatch.setenv("OBSORB_IDENTITY", "alice")
    assert find_credentials() == Credentials(folder=certs, name="alice")
    found = find_credentials(identity="server")
    assert found is not None
    assert found.name == "server"


def test_the_only_certificate_of_a_folder_is_ours(certs: Path, tmp_path: Path) -> None:
    """As in the folder that a person was given."""
    for name in ("ca.crt", "alice.crt", "alice.key"):
        write_private(tmp_path / name, (certs / name).read_bytes())
    found = find_credentials(str(tmp_path))
    assert found is not None
    assert found.name == "alice"


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    """There is nothing to choose from."""
    with pytest.raises(NoCertificate, match="no certificate of anybody"):
        find_credentials(str(tmp_path))


def test_a_program_takes_its_own_certificate_or_the_common_one(certs: Path) -> None:
    """The first name that there is."""
    assert credentials_of(certs, "alice", "server").name == "alice"
    assert credentials_of(certs, "ocm", "server").name == "server"
    assert credentials_of(certs, "ocm", "components").name == "components"
