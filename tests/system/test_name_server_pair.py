"""Two name servers as processes: who is killed, stopped or cut off, and what clients see of it."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import Pyro5.api
import pytest
from Pyro5.errors import NamingError

from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.naming import NamingContext
from idl_like_interfaces.replication import NotLeading, ReplicaRole
from nameserver.client import Names, Offer, Registration, dismiss_peer_of, status_of
from tests.support.eventually import eventually
from tests.support.nameserver import run
from tests.support.pair import URI, Binder, Pair, running_pair

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

TAKE_OVER_S = 20.0
"""Generous: it is about 1 s on a quiet machine, and at most 5 s by design."""


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with running_pair(tmp_path) as pair:
        yield pair


@pytest.mark.parametrize(
    "kills", [5, pytest.param(100, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])]
)
def test_clients_go_on_when_the_leader_is_killed(pair: Pair, kills: int) -> None:
    """At seeded moments in the midst of binds; nothing acknowledged is lost; the old one follows."""
    chance = random.Random(20260103)
    gaps: list[float] = []
    with Names(pair.addresses) as names, Binder(names, "k") as binder:
        for _ in range(kills):
            leader, follower = pair.await_roles()
            binder.await_more(chance.randrange(1, 40))
            pair.kill(leader)
            killed_at = time.monotonic()
            eventually(
                lambda moment=killed_at: binder.acknowledged[-1][1] > moment,  # type: ignore[misc]
                "a bind at the other one",
            )
            gaps.append(binder.first_after(killed_at) - killed_at)
            pair.await_leader(follower)
            assert binder.names <= pair.names_of(follower)
            pair.start(leader)
        leader, _ = pair.await_roles()
    assert binder.names <= pair.names_of(leader)
    assert sorted(gaps)[len(gaps) // 2] < TAKE_OVER_S


def test_the_leader_goes_on_when_the_follower_is_killed(pair: Pair) -> None:
    """It knows of a refused port that nobody can take over, and leads alone in a new epoch."""
    leader, follower = pair.await_roles()
    epoch = status_of(pair.addresses[leader]).epoch
    with Names(pair.addresses) as names, Binder(names, "f") as binder:
        binder.await_more(5)
        pair.kill(follower)
        binder.await_more(20)
    status = status_of(pair.addresses[leader])
    assert (status.role, status.standing, status.epoch) == ("leading", "sole", epoch + 1)
    assert status.peer_state == "refuses connections: not running"
    pair.start(follower)
    assert pair.await_roles() == (leader, follower)


def test_never_two_acknowledge_while_the_leader_is_stopped(pair: Pair) -> None:
    """Binds of the same names at both throughout: no name is given twice, none is lost."""
    leader, follower = pair.await_roles()
    with Names(pair.addresses[0]) as first, Names(pair.addresses[1]) as second:
        binders = [Binder(first, "s", "PYRO:a@first:1"), Binder(second, "s", "PYRO:b@second:1")]
        with binders[0], binders[1]:
            binders[leader].await_more(5)
            pair.signal(leader, signal.SIGSTOP)
            binders[follower].await_more(20)
            pair.signal(leader, signal.SIGCONT)
            binders[follower].await_more(20)
            pair.await_roles()
            assert pair.role(follower) is ReplicaRole.LEADING
    assert not binders[0].names & binders[1].names, "one name was given to two"
    assert binders[0].names | binders[1].names <= pair.names_of(follower)


def test_a_stopped_follower_holds_up_changes_but_no_look_ups(pair: Pair) -> None:
    """Until it answers again, or an operator dismisses it; then it joins again with a copy."""
    leader, follower = pair.await_roles()
    with Names(pair.addresses[leader]) as names:
        names.context.bind("before", URI)
        pair.signal(follower, signal.SIGSTOP)
        address = pair.addresses[leader]
        eventually(lambda: not status_of(address).acknowledges, "it takes no changes")
        with pytest.raises(NotLeading) as refused:
            names.context.bind("meanwhile", URI)
        assert "silent" in refused.value.cause
        assert "obsorb names dismiss" in refused.value.remedy
        assert names.context.resolve("before").uri == URI
        assert dismiss_peer_of(address).acknowledges
        names.context.bind("behind", URI)
        pair.signal(follower, signal.SIGCONT)
        pair.await_roles()
        eventually(
            lambda: {"before", "behind"} <= pair.names_of(pair.await_roles()[0]), "all names"
        )


def test_a_component_keeps_its_names_over_a_take_over(pair: Pair) -> None:
    """The lease has a full term at the other one, and is renewed there as if nothing had been."""
    leader, _ = pair.await_roles()
    with Names(pair.addresses) as names:
        offer = Offer(name="obs/ocm", uri=URI, interface=NamingContext)
        registration = Registration(names, "ocm", [offer], {})
        registration.claim()
        (before,) = names.context.list_leases()
        pair.kill(leader)
        registration.keep()
        assert registration.is_held
        (after,) = names.context.list_leases()
        assert after.lease_id == before.lease_id
        assert after.remaining_s > after.term_s / 2
        registration.release()
        assert names.context.list("obs").bindings == []


def test_a_watch_goes_on_at_the_other_one(pair: Pair) -> None:
    """The connection is lost with the leader; the same call waits at the other one."""
    leader, _ = pair.await_roles()
    with Names(pair.addresses) as names:
        token = names.context.changes().token
        found: list[bool] = []
        watching = threading.Thread(
            target=lambda: found.append(names.context.changes(token, 25.0).is_snapshot)
        )
        watching.start()
        pair.kill(leader)
        watching.join(TAKE_OVER_S)
        assert found == [True]


def test_stock_programs_are_served_by_either(pair: Pair) -> None:
    """Who follows passes on what they ask; typed clients are told to change over."""
    leader, follower = pair.await_roles()
    host, port = pair.addresses[follower]
    with Pyro5.api.locate_ns(host, port) as stock:
        stock.register("obs/guest", URI)
        assert str(stock.lookup("obs/guest")) == URI
    assert "obs/guest" in pair.names_of(leader)
    with Names(pair.addresses[follower]) as names, pytest.raises(NotLeading) as refused:
        names.context.resolve("obs/guest")
    assert refused.value.peer == "localhost:" + str(pair.addresses[leader][1])
    pair.terminate(leader)
    pair.await_leader(follower)
    pair.terminate(follower)
    pair.start(leader)
    with (
        Pyro5.api.locate_ns(*pair.addresses[leader]) as stock,
        pytest.raises(NamingError, match="waiting"),
    ):
        stock.lookup("obs/guest")


def test_who_may_be_behind_waits_until_it_is_told(pair: Pair) -> None:
    """The other one took over and is gone: its names are not given away for an older copy."""
    leader, follower = pair.await_roles()
    pair.kill(leader)
    pair.await_leader(follower)
    with Names(pair.addresses[follower]) as names:
        names.context.bind("later", URI)
    pair.kill(follower)
    pair.start(leader)
    eventually(lambda: "refuses" in status_of(pair.addresses[leader]).peer_state, "it has asked")
    assert pair.role(leader) is ReplicaRole.WAITING
    pair.start(follower)
    assert pair.await_roles() == (follower, leader)
    assert "later" in pair.names_of(follower)


def test_an_operator_lets_one_lead_at_its_start(pair: Pair) -> None:
    """``--lead``; what only the other one knows is lost when it comes back, and its log says so."""
    leader, follower = pair.await_roles()
    pair.kill(leader)
    pair.await_leader(follower)
    with Names(pair.addresses[follower]) as names:
        names.context.bind("later", URI)
    pair.kill(follower)
    pair.start(leader, "--lead")
    pair.await_leader(leader)
    pair.start(follower)
    assert pair.await_roles() == (leader, follower)
    assert "later" not in pair.names_of(leader)
    assert "are gone or changed at the leader: later" in pair.log(follower)


def test_one_that_leads_is_not_dismissed(pair: Pair) -> None:
    """Only who is dead can be; the operator is told."""
    _, follower = pair.await_roles()
    with pytest.raises(RemoteError, match="answers that it leads"):
        dismiss_peer_of(pair.addresses[follower])


def test_a_single_name_server_takes_the_names_of_a_former_pair(pair: Pair, tmp_path: Path) -> None:
    """Started without --peer it leads at once, and its store says so to a later pair."""
    leader, follower = pair.await_roles()
    with Names(pair.addresses[leader]) as names:
        names.context.bind("kept", URI)
    pair.kill(leader)
    pair.kill(follower)
    from nameserver.server import NameServer

    with NameServer("localhost", 0, tmp_path / f"{follower}.sqlite") as server:
        assert status_of(("localhost", server.port)).standing == "sole"
        with Names(("localhost", server.port)) as names:
            names.context.bind("alone", URI)
    pair.start(leader)
    pair.start(follower)
    assert pair.await_roles() == (follower, leader)
    assert pair.names_of(follower) == {"kept", "alone"}


def test_a_wrong_peer_is_told() -> None:
    """Usage: exit code 2."""
    ended = run("--port", "0", "--peer", "somewhere")
    assert ended.returncode == 2
    assert "'somewhere' is not an address" in ended.stderr


class TestPartition:
    """Each in a network of its own, with a cable between that is pulled."""

    @pytest.fixture
    def cable(self) -> Iterator[str]:
        suffix = f"{time.monotonic_ns() % 10**6:06}"
        ends = (f"oa{suffix}", f"ob{suffix}")
        for end in ends:
            made = _ip("netns", "add", end)
            if made.returncode:
                pytest.skip(f"this machine allows no network namespaces: {made.stderr.strip()}")
        try:
            _must("link", "add", "cable", "netns", ends[0], "type", "veth", "peer", "name",
                  "cable", "netns", ends[1])  # fmt: skip
            for end, address in zip(ends, ("10.99.0.1/24", "10.99.0.2/24"), strict=True):
                _must("-n", end, "addr", "add", address, "dev", "cable")
                _must("-n", end, "link", "set", "cable", "up")
                _must("-n", end, "link", "set", "lo", "up")
            yield suffix
        finally:
            for end in ends:
                _ip("netns", "del", end)

    def test_a_pulled_cable_leaves_one_that_acknowledges(self, cable: str, tmp_path: Path) -> None:
        """Binds on both sides throughout; plugged in again, the old leader gives way."""
        wrappers = [("ip", "netns", "exec", f"o{side}{cable}") for side in "ab"]
        security = tmp_path / "security.toml"
        security.write_text("[security]\ninsecure = true\nnetwork_role = 'admin'\n")
        options = ("--security", str(security))
        pair = Pair(tmp_path, ("10.99.0.1", "10.99.0.2"), wrappers, options)
        sides = [_Side(pair, number, wrappers[number], tmp_path) for number in (0, 1)]
        try:
            for number in (0, 1):
                pair.start(number)
                sides[number].start()
            eventually(lambda: bool(sides[0].names or sides[1].names), "a first bind")
            eventually(lambda: "follows with a copy" in pair.log(0) + pair.log(1), "a follower")
            leader = 0 if sides[0].names else 1
            _must("-n", f"oa{cable}", "link", "set", "cable", "down")
            eventually(lambda: len(sides[1 - leader].names) > 20, "binds at the other one")
            count = len(sides[leader].names)
            _must("-n", f"oa{cable}", "link", "set", "cable", "up")
            eventually(lambda: "gives way" in pair.log(leader), "the old leader gives way")
            assert len(sides[leader].names) == count, "the cut off leader acknowledged"
            assert not sides[0].names & sides[1].names
        finally:
            for side in sides:
                side.close()
            pair.close()


class _Side:
    """A client beside one of the servers, which binds there for as long as it runs."""

    _SCRIPT = """
import sys
from idl_like_interfaces.errors import RemoteError
from nameserver.client import Names
with Names((sys.argv[1], int(sys.argv[2]))) as names:
    number = 0
    while True:
        number += 1
        try:
            names.context.bind(f"p{number}", "PYRO:" + sys.argv[1] + "@localhost:1")
        except RemoteError as error:
            continue
        print(f"p{number}", flush=True)
"""

    def __init__(self, pair: Pair, number: int, wrapper: tuple[str, ...], folder: Path) -> None:
        self._address = pair.addresses[number]
        self._wrapper = wrapper
        self._output = folder / f"side{number}.txt"
        self._output.touch()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._output.open("w") as output:
            self._process = subprocess.Popen(
                [*self._wrapper, sys.executable, "-c", self._SCRIPT, *map(str, self._address)],
                stdout=output,
                stderr=subprocess.DEVNULL,
            )

    @property
    def names(self) -> set[str]:
        return set(self._output.read_text().split())

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def _ip(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        return subprocess.CompletedProcess(arguments, 127, "", str(error))


def _must(*arguments: str) -> None:
    done = _ip(*arguments)
    assert done.returncode == 0, done.stderr


class TestCertificates:
    """With TLS the two know each other by their certificates."""

    @pytest.fixture
    def certs(self, tmp_path: Path) -> Path:
        folder = tmp_path / "certs"
        obsorb = str(Path(sys.executable).with_name("obsorb"))
        for arguments in (
            ("init",),
            ("issue", "names", "--role", "admin", "--host", "localhost"),
            ("issue", "guest", "--role", "operator", "--host", "localhost"),
        ):
            subprocess.run([obsorb, "certs", *arguments, "--dir", str(folder)], check=True)
        return folder

    @pytest.mark.parametrize(
        ("identity", "said"),
        [
            ("names", "follows with a copy"),
            ("guest", "refuses to talk: hello of NameReplica takes the role admin"),
        ],
    )
    def test_an_admin_is_followed(
        self, certs: Path, tmp_path: Path, identity: str, said: str
    ) -> None:
        """Who states less is no name server."""
        options = ("--certs", str(certs), "--identity", identity, "--log-level", "debug")
        pair = Pair(tmp_path, options=options)
        try:
            pair.start(0)
            pair.start(1)
            eventually(lambda: said in pair.log(0) + pair.log(1), said)
        finally:
            pair.close()
