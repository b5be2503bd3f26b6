"""TLS, roles and audit at real connections on loopback, both sides in this process."""

from __future__ import annotations

import json
import logging
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from idl_like_interfaces.declare import Role
from idl_like_interfaces.errors import NoPermission, RemoteError, Transient
from idl_like_interfaces.mapping import ObjectAdapter, batch, narrow, release, use_tls
from idl_like_interfaces.security.audit_check import records
from idl_like_interfaces.security.audit_log import AuditLog
from idl_like_interfaces.security.authority import Authority
from idl_like_interfaces.security.credentials import Credentials
from idl_like_interfaces.security.guard import AccessGuard
from idl_like_interfaces.security.roles import Policy
from tests.support.hall import Hall, HallServant
from tests.support.tls import context_of, self_signed

STOCK = """
import json, sys
import Pyro5.api
from Pyro5 import config
certs, uri, who = sys.argv[1:]
config.SSL, config.SSL_CACERTS = True, f"{certs}/ca.crt"
config.SSL_CLIENTCERT, config.SSL_CLIENTKEY = f"{certs}/{who}.crt", f"{certs}/{who}.key"
with Pyro5.api.Proxy(uri) as hall:
    told = [hall.caller()]
    try:
        told.append(hall.enter("x"))
    except Exception as error:
        told.append(str(error))
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an authority with a server and callers of two roles."""
    authority = Authority.init(tmp_path_factory.mktemp("pki") / "certs")
    authority.issue("server", Role.ENGINEER, ["localhost"])
    authority.issue("alice", Role.OBSERVER)
    authority.issue("bob", Role.OPERATOR)
    return authority.folder


@pytest.fixture
def audit(tmp_path: Path) -> Iterator[AuditLog]:
    with AuditLog(tmp_path / "audit", "hall") as log:
        yield log


@pytest.fixture
def uri(certs: Path, audit: AuditLog) -> Iterator[str]:
    """Serve a hall with TLS: a reference to it."""
    tls = Credentials(folder=certs, name="server").server_context()
    with ObjectAdapter(tls=tls, guard=AccessGuard(Policy(), audit)) as adapter:
        yield adapter.activate(HallServant(), Hall, "obs/hall")


@pytest.fixture
def calling(certs: Path) -> Iterator[Callable[[str, str | ssl.SSLContext | None], Hall]]:
    """Make stubs that call with a certificate (by name), a context, or in clear."""
    stubs: list[Hall] = []

    def call(uri: str, who: str | ssl.SSLContext | None) -> Hall:
        own = Credentials(folder=certs, name=who).client_context() if isinstance(who, str) else who
        use_tls(own)
        stubs.append(narrow(uri, Hall))
        return stubs[-1]

    yield call
    use_tls(None)
    for each in stubs:
        release(each)


Calling = Callable[[str, str | ssl.SSLContext | None], Hall]


def test_the_servant_knows_who_calls(uri: str, calling: Calling) -> None:
    """By the name in the certificate."""
    assert calling(uri, "alice").caller() == ["127.0.0.1", "alice"]


def test_the_role_in_the_certificate_decides(uri: str, calling: Calling) -> None:
    """An observer looks, an operator commands."""
    alice = calling(uri, "alice")
    assert alice.look() == []
    with pytest.raises(NoPermission, match="takes the role operator; alice has") as caught:
        alice.enter("alice")
    assert caught.value.needed == "operator"
    assert calling(uri, "bob").enter("bob") == 1
    assert alice.look() == ["bob"]


def test_the_role_decides_of_each_call_of_a_batch(uri: str, calling: Calling) -> None:
    """To send several at once gives no right; what is allowed is done."""
    with batch(calling(uri, "alice")) as calls:
        commanded, looked = calls.enter("alice"), calls.look()
    assert isinstance(commanded.error, NoPermission)
    assert looked.get() == []


def test_commands_and_denials_stand_in_the_audit_log(
    uri: str, calling: Calling, audit: AuditLog, tmp_path: Path
) -> None:
    """Reading does not."""
    with pytest.raises(NoPermission):
        calling(uri, "alice").enter("alice")
    bob = calling(uri, "bob")
    bob.look()
    bob.enter("bob")
    audit.close()
    told = [(r.what, r.caller, r.role, r.object, r.operation) for r in records(tmp_path / "audit")]
    assert told[1:-1] == [
        ("denied", "alice", "observer", "obs/hall", "enter"),
        ("call", "bob", "operator", "obs/hall", "enter"),
    ]


def test_large_octets_pass_through_tls(uri: str, calling: Calling) -> None:
    """Whole and unchanged."""
    assert len(bytes(calling(uri, "alice").octets(3_000_000))) == 3_000_000


def refused(stub: Hall) -> Transient:
    began = time.monotonic()
    with pytest.raises(Transient) as caught:
        stub.look()
    assert time.monotonic() - began < 20
    assert caught.value.cause
    assert caught.value.remedy
    return caught.value


def test_who_has_no_certificate_is_told(
    uri: str, certs: Path, calling: Calling, caplog: pytest.LogCaptureFixture
) -> None:
    """At both sides."""
    error = refused(calling(uri, context_of(certs, "", certs)))
    assert "wants a certificate" in error.message or "after the handshake" in error.message
    assert "127.0.0.1 was refused: it shows no certificate" in caplog.text


@pytest.mark.parametrize(
    "case",
    [
        (1, False, "does not know the authority", "self-signed certificate"),
        (-1, True, "has expired", "certificate has expired"),
    ],
)
def test_whose_certificate_is_wrong_is_told(
    uri: str,
    certs: Path,
    calling: Calling,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    case: tuple[int, bool, str, str],
) -> None:
    """Self-signed or expired, although it states the role admin."""
    days, is_issued, reason, logged = case
    self_signed(tmp_path / "own", "eve", days=days, issuer=certs if is_issued else None)
    error = refused(calling(uri, context_of(tmp_path / "own", "eve", certs)))
    # The alert may be lost when the server closes before the greeting has come.
    assert reason in error.message or "after the handshake of TLS" in error.message
    assert logged in caplog.text


def test_a_server_of_another_authority_is_not_called(
    uri: str, calling: Calling, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The server reads that it is not believed."""
    other = Authority.init(tmp_path / "other")
    other.issue("eve", Role.ADMIN)
    eve = Credentials(folder=other.folder, name="eve").client_context()
    error = refused(calling(uri, eve))
    assert "its certificate is not accepted" in error.message
    assert "it does not accept ours" in caplog.text


def test_a_client_in_clear_is_told_that_tls_is_wanted(
    uri: str, calling: Calling, caplog: pytest.LogCaptureFixture
) -> None:
    """Quickly, and with the option."""
    error = refused(calling(uri, None))
    assert "the server speaks TLS only" in error.message
    assert "--certs DIR" in error.remedy
    assert "it speaks without TLS" in caplog.text


def test_a_client_with_tls_is_told_that_the_server_has_none(calling: Calling) -> None:
    """Quickly; the certificate stays unseen."""
    with ObjectAdapter() as adapter:
        uri = adapter.activate(HallServant(), Hall, "obs/hall")
        error = refused(calling(uri, "alice"))
    assert "it does not speak TLS" in error.message
    assert "$OBSORB_CERTS" in error.remedy


def test_a_server_that_says_nothing_is_given_up(calling: Calling) -> None:
    """The handshake has a deadline."""
    with socket.create_server(("localhost", 0)) as silent:
        port = silent.getsockname()[1]
        calling("PYRO:x@localhost:1", "alice")
        hurried = narrow(f"PYRO:x@localhost:{port}", Hall, deadline_s=1.5)
        error = refused(hurried)
    assert "does not answer the handshake" in error.message


def test_a_flood_of_refusals_does_not_flood_the_log(
    uri: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Each connection is refused; a part of them is told."""
    host, port = uri.rpartition("@")[2].split(":")

    def knock() -> None:
        for _ in range(200):
            with socket.create_connection((host, int(port))) as peer:
                peer.sendall(b"GET / HTTP/1.0\r\n\r\n")
                try:
                    while peer.recv(4096):
                        pass
                except ConnectionError:
                    pass

    with caplog.at_level(logging.WARNING):
        threads = [threading.Thread(target=knock) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert 1 <= caplog.text.count("was refused") < 500


def test_a_stock_client_with_a_certificate_is_welcome(uri: str, certs: Path) -> None:
    """Pyro5's own TLS works; the same roles hold."""
    done = subprocess.run(
        [sys.executable, "-c", STOCK, str(certs), uri, "alice"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    caller, denial = json.loads(done.stdout)
    assert caller == ["127.0.0.1", "alice"]
    assert "takes the role operator; alice has the role observer" in denial


def test_local_callers_without_tls_have_the_configured_role() -> None:
    """An installation may give less than everything on loopback too."""
    use_tls(None)
    with ObjectAdapter(guard=AccessGuard(Policy(local=Role.OBSERVER))) as adapter:
        hall = narrow(adapter.activate(HallServant(), Hall, "obs/hall"), Hall)
        assert hall.look() == []
        with pytest.raises(NoPermission, match="local has the role observer") as caught:
            hall.enter("x")
        release(hall)
    assert 'local_role = "operator"' in caught.value.remedy


def test_an_address_beyond_loopback_takes_tls_or_a_word() -> None:
    """The refusal names the ways."""
    with pytest.raises(RemoteError, match="not on the loopback interface") as caught:
        ObjectAdapter("192.0.2.1")
    assert "obsorb certs init" in caught.value.remedy
