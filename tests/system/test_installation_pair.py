"""An installation with two name servers: either of them may die."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psutil
import pytest

from idl_like_interfaces.daqif import OcmDaqControl
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.replication import ReplicaRole
from nameserver.client import Address, Names, parse_addresses, status_of
from tests.support.eventually import eventually
from tests.support.installation import OBSORB, TEMPLATE, running_installation

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

PAIR = TEMPLATE.replace("[name_server]", '[name_server]\nsecond = "localhost:0"')


def leads(address: Address) -> bool:
    """Tell whether a name server leads, with the other one as its follower."""
    try:
        status = status_of(address)
    except RemoteError:
        return False
    return status.role is ReplicaRole.LEADING and status.peer_state == "follows"


def kill_listener(address: Address) -> None:
    """Kill the process that listens there, as a crash does."""
    for process in psutil.Process().children(recursive=True):
        for each in process.net_connections():
            if each.status == psutil.CONN_LISTEN and each.laddr[1:2] == (address[1],):
                process.kill()
                return
    message = f"nobody listens at {address}"
    raise AssertionError(message)


def obsorb(*arguments: str, names: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(
        [OBSORB, "--names", names, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_components_and_commands_outlive_a_name_server(tmp_path: Path) -> None:
    """They change over to the one that leads; what died follows again."""
    with running_installation(tmp_path, PAIR) as text, Names(parse_addresses(text)) as names:
        addresses = parse_addresses(text)
        assert len(addresses) == 2
        ocm = names.narrow("obs/ocm/daq", OcmDaqControl)
        eventually(lambda: any(map(leads, addresses)), "one leads, the other follows")
        leader = next(filter(leads, addresses))
        kill_listener(leader)
        assert ocm.get_active_list() == []
        assert names.context.resolve("obs/ocm/daq").uri
        eventually(
            lambda: any(leads(each) for each in addresses if each != leader),
            "the other one leads, who died follows",
        )
        shown = obsorb("names", "ping", names=text)
        assert shown.returncode == 0, shown.stderr
        lines = shown.stdout.splitlines()
        assert [line.split()[0] for line in lines] == text.split(",")
        assert sum(" leading, epoch " in line for line in lines) == 1
        assert sum(" following, epoch " in line for line in lines) == 1
        assert "obs/ocm/daq" in obsorb("names", "list", names=text).stdout
        examined = obsorb("doctor", names=text)
        assert "following, epoch" in examined.stdout
        refused = obsorb(
            "names", "dismiss", next(t for t in text.split(",") if not leads(parse_addresses(t)[0])),
            names=text,
        )  # fmt: skip
        assert refused.returncode == 1
        assert "answers that it leads" in refused.stderr
    stores = {path.name for path in (tmp_path / "data" / "names").glob("*.sqlite")}
    assert stores == {"names.sqlite", "second-names.sqlite"}


def test_each_name_server_of_a_pair_keeps_an_audit_log(tmp_path: Path) -> None:
    """One log has one writer: two name servers with one data root have two logs."""
    with running_installation(tmp_path, f"{PAIR}\n[security]\n") as text:
        addresses = parse_addresses(text)
        eventually(lambda: any(map(leads, addresses)), "one leads, the other follows")
    logs = {path.name for path in (tmp_path / "data" / "audit").glob("*name*.jsonl")}
    assert logs == {"nameserver.jsonl", "second-name-server.jsonl"}
