"""An installation with certificates: who may do what, end to end, and what is recorded."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from idl_like_interfaces.declare import Role
from idl_like_interfaces.security.audit_check import records, verify
from idl_like_interfaces.security.authority import Authority
from idl_like_interfaces.security.files import make_folder, write_private
from tests.support.installation import OBSORB, TEMPLATE, running_installation
from tests.support.nameserver import name_server, run
from tests.support.tls import self_signed

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

SECURITY = """
[security]
certs = "certs"

[security.roles]
"carol" = "operator"

[[security.rules]]
object = "obs/ocm/std"
operation = "exit"
role = "admin"
"""

SOURCES = "host1@obs/sources/host1/daq"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with an authority, the components' certificate and a few people."""
    folder = tmp_path_factory.mktemp("secured")
    authority = Authority.init(folder / "certs")
    authority.issue("components", Role.ENGINEER, ["localhost"])
    people = {"alice": Role.OBSERVER, "bob": Role.OPERATOR, "erin": Role.ENGINEER}
    # Carol's certificate states less than the installation file gives her.
    for name, role in {**people, "carol": Role.OBSERVER}.items():
        authority.issue(name, role)
    return folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """Run the installation: the address of its name server."""
    with running_installation(folder, TEMPLATE + SECURITY) as address:
        yield address


def obsorb(
    address: str, certs: Path | None, *arguments: str, who: str = ""
) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OBSORB_")}
    environment["OBSORB_NAMES"] = address
    if certs is not None:
        environment["OBSORB_CERTS"] = str(certs)
    options = ["--identity", who] if who else []
    return subprocess.run(
        [str(OBSORB), *options, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_observer_lists_and_watches(address: str, folder: Path) -> None:
    """Names, states, events and logs."""
    certs = folder / "certs"
    assert "obs/ocm/daq" in obsorb(address, certs, "names", "list", who="alice").stdout
    assert "Operational" in obsorb(address, certs, "std", "getstate", who="alice").stdout
    tail = obsorb(address, certs, "events", "tail", "--count", "1", "--json", who="alice")
    assert json.loads(tail.stdout)["type"] == "event"
    assert obsorb(address, certs, "log", "query", "--limit", "5", who="alice").returncode == 0


@pytest.mark.parametrize(
    ("who", "arguments", "needed"),
    [
        ("alice", ["daq", "start", "", SOURCES], "operator"),
        ("bob", ["std", "reset"], "engineer"),
        ("erin", ["std", "exit"], "admin"),
    ],
)
def test_a_role_that_is_too_low_is_told(
    address: str, folder: Path, who: str, arguments: list[str], needed: str
) -> None:
    """The refusal says who one is, what is needed, and how to get it."""
    done = obsorb(address, folder / "certs", *arguments, who=who)
    assert done.returncode == 1
    assert f"takes the role {needed}; {who} has the role" in done.stderr
    assert f'remedy: ask for it: "{who}" = "{needed}"' in done.stderr


def test_operators_start_and_stop(address: str, folder: Path) -> None:
    """By the certificate (bob), or by the installation file, which wins (carol)."""
    certs = folder / "certs"
    started = obsorb(address, certs, "daq", "start", "", SOURCES, "--id", "s1", who="bob")
    assert started.returncode == 0, started.stderr
    stopped = obsorb(address, certs, "daq", "stop", "s1", who="carol")
    assert stopped.returncode == 0, stopped.stderr


def test_commands_and_denials_are_recorded(address: str, folder: Path) -> None:
    """With who, what and the outcome; the chains are whole."""
    certs, audit = folder / "certs", folder / "data" / "audit"
    obsorb(address, certs, "daq", "start", "", SOURCES, "--id", "r1", who="bob")
    obsorb(address, certs, "daq", "abort", "r1", who="alice")
    obsorb(address, certs, "daq", "abort", "r1", who="bob")
    told = [(r.what, r.caller, r.operation) for r in records(audit / "ocm.jsonl")]
    assert ("denied", "alice", "abort_daq") in told
    assert ("call", "bob", "start_daq") in told
    by_ocm = [r for r in records(audit / "host1.jsonl") if r.what == "call"]
    assert ("components", "start_daq") in {(r.caller, r.operation) for r in by_ocm}
    found = verify(audit)
    assert {each.process for each in found} >= {"nameserver", "ocm", "host1", "events"}
    assert all(each.is_intact for each in found)


def people(folder: Path, certs: Path, case: str) -> Path:
    """Make the folder of somebody who should not get in."""
    place = folder / "strangers" / case
    make_folder(place)
    match case:
        case "other authority":
            other = Authority.init(folder / "strangers" / "other")
            other.issue("eve", Role.ADMIN)
            return other.folder
        case _:
            self_signed(place, "eve")
    write_private(place / "ca.crt", (certs / "ca.crt").read_bytes(), replace=True)
    return place


@pytest.mark.parametrize(
    ("case", "said", "logged"),
    [
        ("other authority", "its certificate is not accepted", "it does not accept ours"),
        ("self-signed", "does not know the authority", "self-signed certificate"),
    ],
)
def test_a_stranger_is_refused_in_words(
    address: str, folder: Path, case: str, said: str, logged: str
) -> None:
    """At both sides, where the server sees him at all."""
    done = obsorb(address, people(folder, folder / "certs", case), "names", "list")
    assert done.returncode == 1
    assert said in done.stderr or "after the handshake of TLS" in done.stderr
    assert "remedy: " in done.stderr
    assert "Traceback" not in done.stderr
    assert logged in (folder / "stderr.log").read_text()


def test_a_client_in_clear_is_refused_in_words(address: str, folder: Path) -> None:
    """It learns that certificates are wanted."""
    done = obsorb(address, None, "names", "list")
    assert done.returncode == 1
    assert "the server speaks TLS only" in done.stderr
    assert "--certs DIR" in done.stderr
    assert "it speaks without TLS" in (folder / "stderr.log").read_text()


def test_doctor_tells_of_the_certificate(address: str, folder: Path) -> None:
    """Who one is, which role it states, until when."""
    done = obsorb(address, folder / "certs", "doctor", who="alice")
    assert "certificate: alice, observer, valid until" in done.stdout


def test_an_open_key_stops_the_start(folder: Path) -> None:
    """With the file and the remedy, and nothing is left running."""
    place = folder / "open"
    place.mkdir()
    authority = Authority.init(place / "certs")
    authority.issue("components", Role.ENGINEER, ["localhost"])
    (place / "certs" / "components.key").chmod(0o644)
    file = place / "it.toml"
    file.write_text('[name_server]\naddress = "localhost:0"\n[security]\ncerts = "certs"\n')
    done = subprocess.run(
        [str(OBSORB), "up", str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "components.key has mode 644" in done.stderr
    assert "chmod 600" in done.stderr


def test_a_name_server_alone_serves_with_certificates(folder: Path) -> None:
    """Options are enough; a call in clear is refused."""
    certs = folder / "certs"
    with name_server("--port", "0", "--certs", str(certs), "--identity", "components") as server:
        address = f"{server.host}:{server.port}"
        assert obsorb(address, certs, "names", "list", who="alice").returncode == 0
        assert "speaks TLS only" in obsorb(address, None, "names", "list").stderr


def test_a_name_server_beyond_loopback_wants_certificates() -> None:
    """Before it listens; the refusal names both ways."""
    done = run("--host", "192.0.2.1", "--port", "0")
    assert done.returncode == 1
    assert "not on the loopback interface" in done.stderr
    assert "obsorb certs init" in done.stderr
