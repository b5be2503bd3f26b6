"""Many acquisitions in a row while parts of the installation are killed."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from astropy.io import fits

from idl_like_interfaces.daqif import (
    DaqException,
    DaqState,
    DaqStatus,
    DaqSubstate,
    OcmDaqControl,
)
from idl_like_interfaces.errors import CommFailure, RemoteError
from nameserver.client import Names, parse_address
from tests.support.eventually import eventually
from tests.support.installation import running_installation
from tests.system.test_installation import is_answered_by_another, specification

pytestmark = [pytest.mark.system, pytest.mark.timeout(1200)]

VICTIMS = ("obs/ocm/daq", "obs/dpm/dpm/daq", "obs/events", "obs/log", "obs/sources/host1/daq")


@pytest.fixture
def names(tmp_path: Path) -> Iterator[Names]:
    with running_installation(tmp_path) as address, Names(parse_address(address)) as names:
        yield names


def kill(names: Names, name: str) -> int:
    """Kill -9 the component that has a name; return its process id."""
    pid = int(names.context.resolve(name).metadata["pid"])
    psutil.Process(pid).kill()
    return pid


def outcome(names: Names, id: str) -> DaqStatus:
    """Wait until an acquisition has ended, aborting what cannot go on by itself."""
    ocm = names.narrow("obs/ocm/daq", OcmDaqControl)
    last: list[DaqStatus] = []

    def has_ended() -> bool:
        try:
            status = ocm.get_status(id)
            if status.state is DaqState.ACQUIRING and status.error:
                ocm.force_abort_daq(id)
        except CommFailure:
            return False
        except DaqException:
            return False
        last[:] = [status]
        return status.state is DaqState.COMPLETED

    eventually(has_ended, f"{id} has ended: {last}", 120)
    return last[0]


def night(names: Names, kills: int, seed: int) -> None:
    """Take acquisitions while something is killed during each; check every product."""
    chance = random.Random(seed)
    ocm = names.narrow("obs/ocm/daq", OcmDaqControl)
    for number in range(kills):
        victim = chance.choice(VICTIMS)
        id = f"night-{seed}-{number}"
        text = json.dumps(json.loads(specification()) | {"id": id})
        with suppress(RemoteError):
            ocm.start_daq_v2(text)
            with suppress(RemoteError):
                ocm.await_daq_state(
                    id, DaqState.ACQUIRING, DaqSubstate.STOPPED, chance.uniform(0.01, 2.5)
                )
        pid = kill(names, victim)
        eventually(
            lambda victim=victim, pid=pid: is_answered_by_another(names, victim, pid),  # type: ignore[misc]
            f"{victim} is back",
        )
        ended = outcome(names, id)
        if ended.substate is DaqSubstate.COMPLETED:
            with fits.open(ended.result, checksum=True) as product:
                product.verify("exception")
                assert len(product) > 6
        else:
            assert ended.substate is DaqSubstate.ABORTED


def test_a_short_night(names: Names) -> None:
    """Three acquisitions, three kills: each ends, each product is whole."""
    night(names, kills=3, seed=1)


@pytest.mark.soak
def test_a_long_night(names: Names) -> None:
    """A hundred acquisitions, a hundred kills."""
    night(names, kills=100, seed=2)
