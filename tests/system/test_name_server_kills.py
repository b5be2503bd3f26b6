"""The name server's process, killed at any moment while several clients change names."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import pytest

from idl_like_interfaces.naming import NamingContext
from nameserver.stores import Durability
from tests.support.nameserver import RunningNameServer, name_server
from tests.support.naming_load import TERM_S, Changer, Count

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

SEED = 20260102
CLIENTS = 4
DEADLINE_S = 60.0


def _check(changers: list[Changer], names: NamingContext, seconds_up: float) -> None:
    """Compare all names with what was acknowledged; each lease has a full term again."""
    bindings, leases = names.list(recursive=True).bindings, names.list_leases()
    assert {each.name.partition("/")[0] for each in bindings} <= {each.home for each in changers}
    for changer in changers:
        changer.adopt(bindings, leases)
    used = [TERM_S - lease.remaining_s for lease in leases]
    assert all(0.0 <= each <= seconds_up for each in used), (used, seconds_up)


def _kill_amid_changes(
    server: RunningNameServer, changers: list[Changer], chance: random.Random
) -> int:
    """Kill it once some changes are acknowledged, a moment later; return how many there were."""
    count = Count()
    with server.names() as names:
        threads = [
            threading.Thread(target=changer.change_until_it_dies, args=(names, count))
            for changer in changers
        ]
        for thread in threads:
            thread.start()
        assert count.wait_for(chance.randrange(1, 120), DEADLINE_S)
        # Not always just after an acknowledgement: anywhere within the next change too.
        until = time.perf_counter() + chance.uniform(0.0, 0.004)
        while time.perf_counter() < until:
            pass
        server.kill()
        for thread in threads:
            thread.join(DEADLINE_S)
    assert not any(thread.is_alive() for thread in threads)
    return count.value


@pytest.mark.parametrize(
    "kills", [5, pytest.param(100, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])]
)
def test_what_was_acknowledged_survives_kill_9(tmp_path: Path, kills: int) -> None:
    """And of what was not, a change is there whole or not at all; whatever the durability."""
    store = str(tmp_path / "names.db")
    chance = random.Random(SEED)
    changers = [Changer(f"t{number}", SEED) for number in range(CLIENTS)]
    durable = list(Durability)
    changed = 0
    for number in range(kills + 1):
        began = time.monotonic()
        mode = durable[number % len(durable)].value
        with name_server("--port", "0", "--store", store, "--durable", mode) as server:
            with server.names() as names:
                _check(changers, names, time.monotonic() - began + 0.001)
            if number < kills:
                changed += _kill_amid_changes(server, changers, chance)
    assert changed >= kills
