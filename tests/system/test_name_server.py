"""The name server's process, as operators and stock Pyro5 programs meet it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import Pyro5.api
import pytest

from idl_like_interfaces.naming import DEFAULT_PORT, OBJECT_ID
from nameserver.cli import main
from tests.support.nameserver import name_server, nsc, run

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

URI = "PYRO:ocm~1@localhost:4711"


def test_the_stock_control_program_works() -> None:
    """Every verb of pyro5-nsc that needs no terminal."""
    with name_server("--port", "0") as server:
        assert "ping ok" in nsc(server, "ping").stdout
        assert nsc(server, "register", "obs/ocm", URI).stdout == "Registered obs/ocm\n"
        assert "already registered" in nsc(server, "register", "obs/ocm", URI).stdout
        assert "updated" in nsc(server, "setmeta", "obs/ocm", "tag", "site=paranal").stdout
        assert nsc(server, "lookup", "obs/ocm").stdout.startswith(f"{URI}\nmetadata: ")
        for verb, argument in (
            ("list", "obs/"),
            ("listmatching", ".*ocm$"),
            ("yplookup_all", "site=paranal"),
            ("yplookup_any", "tag"),
        ):
            shown = nsc(server, verb, argument).stdout
            assert f"obs/ocm --> {URI}" in shown, verb
            assert "Pyro.NameServer" not in shown, verb
        assert "Pyro.NameServer --> PYRO:Pyro.NameServer@localhost" in nsc(server, "list").stdout
        assert nsc(server, "remove", "obs/ocm").stdout == "Removed obs/ocm\n"
        assert "unknown name" in nsc(server, "lookup", "obs/ocm").stdout


def test_a_stock_proxy_finds_an_object_by_its_name() -> None:
    """``PYRONAME:`` with the name server's place, and ``locate_ns``."""
    with name_server("--port", "0") as server:
        uri = f"PYRO:{OBJECT_ID}@{server.host}:{server.port}"
        with server.names() as names:
            names.bind_new_context("obs")
            names.bind("obs/names", uri)
        reference = f"PYRONAME:obs/names@{server.host}:{server.port}"
        with Pyro5.api.Proxy(reference) as proxy:
            assert proxy.ping()["pid"] == server.process.pid
            assert [each["name"] for each in proxy.list("obs")["bindings"]] == ["obs/names"]
        with Pyro5.api.locate_ns(server.host, server.port) as stock:
            assert str(stock.lookup("obs/names")) == uri


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_good_order(number: signal.Signals, tmp_path: Path) -> None:
    """Exit code 0, the story in the log, one clean file left."""
    with name_server("--port", "0", "--store", str(tmp_path / "a" / "names.db")) as server:
        with server.names() as names:
            names.bind("ocm", URI)
        code, errors = server.terminate(number)
    assert code == 0
    assert re.search(r"INFO nameserver.server: name server at localhost:\d+, 0 names", errors)
    assert "Traceback" not in errors
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["names.db"]


def test_an_expiry_is_in_the_log() -> None:
    """The operator sees who lost his names, also when nobody asked for them."""
    with name_server("--port", "0") as server:
        with server.names() as names:
            lease = names.grant_lease("ocm", 0.1)
            names.bind("ocm", URI, lease_id=lease.lease_id)
        assert server.process.stderr is not None
        for line in server.process.stderr:
            if "of ocm ran out" in line:
                break
        assert "unbound: ocm" in line


def test_a_lease_lives_on_over_a_restart(tmp_path: Path) -> None:
    """Its holder goes on renewing the same lease; the term is a full one again."""
    store = str(tmp_path / "names.db")
    with name_server("--port", "0", "--store", store) as server, server.names() as names:
        lease = names.grant_lease("ocm", 600.0)
        names.bind("ocm", URI, lease_id=lease.lease_id)
        server.kill()
    with name_server("--port", "0", "--store", store) as server, server.names() as names:
        (shown,) = names.list_leases()
        assert (shown.lease_id, shown.holder, shown.term_s) == (lease.lease_id, "ocm", 600.0)
        assert names.renew_lease(lease.lease_id).remaining_s == 600.0
        assert names.resolve("ocm").lease_id == lease.lease_id


def test_a_port_in_use_is_told_in_one_message() -> None:
    """Exit code 1; who has it and what to do."""
    with name_server("--port", "0") as server:
        second = run("--port", str(server.port))
    assert second.returncode == 1
    assert second.stdout == ""
    first, cause, remedy = second.stderr.splitlines()
    assert first == f"obsorb-nameserver: port {server.port} of localhost is in use"
    assert cause.startswith(f"cause: process {server.process.pid} has it: ")
    assert "obsorb-nameserver --port 0" in cause
    assert f"use it (--names localhost:{server.port})" in remedy


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--host", "192.0.2.1"), 1, "not on the loopback interface"),
        (("--store", "/proc/nowhere/names.db"), 1, "correct the path"),
        (("--port", "ninety"), 2, "'ninety' is not a port"),
        (("--port", "65536"), 2, "a number from 0 to 65535"),
        (("--log-level", "loud"), 2, "invalid choice"),
        (("--durable", "fire"), 2, "invalid choice: 'fire'"),
        (("--unknown",), 2, "unrecognized arguments"),
        (("--lead",), 2, "it takes --peer"),
        (("--port", "9", "--peer", "localhost:9"), 2, "that is this name server itself"),
    ],
)
def test_wrong_arguments_are_told(arguments: tuple[str, ...], code: int, words: str) -> None:
    """No traceback, and nothing on standard output."""
    ended = run("--port", "0", *arguments)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    """With its default."""
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    for words in (
        "--host",
        "--port",
        str(DEFAULT_PORT),
        "--store",
        "memory",
        "--durable",
        "--log-level",
    ):
        assert words in shown


def test_a_start_imports_nothing_heavy() -> None:
    """The first line comes soon: no astronomy and no terminal library is loaded for it."""
    code = "import sys, nameserver.cli; print(*(name for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"astropy", "numpy", "rich", "typer", "apscheduler", "objects"}
