"""What must be true after OCM and DPM were killed many times, and the page that tells it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from statistics import median

from astropy.io import fits

from idl_like_interfaces.daqif import DaqState, DaqStatus, DaqSubstate, DpmDaqControl, OcmDaqControl
from objects.acquisition.context import Context
from objects.acquisition.product import SourceState
from objects.acquisition.states import AT_DPM, TRANSITIONS, Phase, reachable
from objects.acquisition.store import Workspace
from tests.system.daq_kill_arena import VICTIMS, Arena
from tests.system.daq_kill_clients import Told

_CLIENTS = (
    f"{'client':<12}{'accepted':>10}{'completed':>11}{'aborted':>9}{'refused':>9}"
    f"{'calls lost':>12}{'longest (s)':>13}"
)
BOOT_S = 10.0
"""So long after it serves again a client may still meet what the kill has left."""


class Judge:
    """Looks at everything that is left.

    Args:
        arena: Whose clients have ended.

    Attributes:
        ended: The last status of each acquisition that was accepted.
    """

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._ocm = arena.names.narrow("obs/ocm/daq", OcmDaqControl)
        self._dpm = arena.names.narrow("obs/dpm/dpm/daq", DpmDaqControl)
        self._workspace = Workspace(arena.data / "ocm")
        self.told = [each for client in arena.clients for each in client.told if each.is_accepted]
        self.ended: dict[str, DaqStatus] = {}

    def faults(self) -> list[str]:
        """Return what must not be."""
        found = [f"{name} has died by itself" for name in self._arena.deaths]
        for client in self._arena.clients:
            found += client.faults
        for told in self.told:
            found += self._faults_of(told)
        return [
            *found,
            *self._faults_of_paths(),
            *self._made_twice(),
            *self._noticed(),
        ]

    def _faults_of(self, told: Told) -> list[str]:
        status = self._ocm.get_status(told.id)
        self.ended[told.id] = status
        kept = self._workspace.past.newest(told.id)
        if status.state is not DaqState.COMPLETED or kept is None:
            return [f"{told.id} has not ended: {status}"]
        found = _faults_of_entries(kept[1])
        if status.substate is DaqSubstate.COMPLETED:
            if status.error:
                found.append(f"{told.id} has completed with an error: {status.message}")
            found += self._faults_of_product(told, status, kept[1])
        elif told.was_answered and not told.is_unwanted:
            found.append(f"{told.id} was started and wanted, and is aborted: {status.message}")
        return found

    def _faults_of_product(self, told: Told, status: DaqStatus, context: Context) -> list[str]:
        found = []
        if self._dpm.get_daq_status(told.id).substate is not status.substate:
            found.append(f"{told.id}: the DPM says {self._dpm.get_daq_status(told.id).substate}")
        if any(each.state is not SourceState.ENDED for each in context.results):
            found.append(f"{told.id}: not all sources have given their data: {context.results}")
        files = [*told.files, *(file for each in context.results for file in each.files)]
        wanted = sum(_extensions(Path(file)) for file in files)
        product = Path(status.result)
        if not product.is_file():
            return [*found, f"{told.id}: there is no product {product}"]
        with fits.open(product, checksum=True) as hdus:
            hdus.verify("exception")
            if len(hdus) - 1 != wanted or not wanted:
                found.append(f"{told.id}: {len(hdus) - 1} extensions of {wanted}")
            if hdus[0].header["ARCFILE"] != f"{status.file_id}.fits":
                found.append(f"{told.id}: ARCFILE is {hdus[0].header['ARCFILE']}")
            if any("CHECKSUM" not in hdu.header for hdu in hdus):
                found.append(f"{told.id}: an HDU has no checksum")
        return found

    def _faults_of_paths(self) -> list[str]:
        paths: dict[str, list[Phase]] = {}
        for status in self._arena.published:
            path = paths.setdefault(status.id, [])
            phase = Phase((status.state, status.substate))
            if not path or path[-1] is not phase:
                path.append(phase)
        return [
            f"{id} was published from {begin} to {end}"
            for id, path in paths.items()
            for begin, end in pairwise(path)
            if not reachable(begin, end)
        ]

    def _made_twice(self) -> list[str]:
        digests: dict[str, set[str]] = {}
        for file in self._arena.finished:
            digests.setdefault(file.path, set()).add(file.digest)
        found = [
            f"{path} was made more than once"
            for path, several in digests.items()
            if len(several) > 1
        ]
        completed = [each for each in self.ended.values() if each.result]
        found += [
            f"{status.result} is not what was announced"
            for status in completed
            if digests.get(status.result) != {_digest(Path(status.result))}
        ]
        products = {str(each) for each in (self._arena.data / "dpm" / "result").glob("*.fits")}
        wanted = {each.result for each in completed if each.substate is DaqSubstate.COMPLETED}
        found += [f"nobody knows the product {each}" for each in products - wanted]
        for server in VICTIMS:
            archive = self._arena.data / server / "archive"
            found += [f"{each} was kept twice" for each in archive.glob("*~*")]
        left = json.loads((self._arena.data / "dpm" / "queue.json").read_text())
        return found + [f"{each} is left in the queue" for each in left]

    def _noticed(self) -> list[str]:
        """Calls of the OCM may fail around its own kills only."""
        times = [
            (kill.at - BOOT_S, kill.back_at + BOOT_S)
            for kill in self._arena.kills
            if "ocm" in kill.victims
        ]
        return [
            f"{client.name} found nobody although the OCM was there: {said}"
            for client in self._arena.clients
            for asked_at, ended_at, said in client.losses
            if not any(begin <= ended_at and asked_at <= end for begin, end in times)
        ]

    def page(self) -> str:
        """Return the figures as a text."""
        lines = [
            "OCM and DPM killed with -9 at random moments while clients keep acquisitions going.",
            "back: from the kill until it serves again (s), median / longest",
            "",
            f"{'killed':<10}{'kills':>7}{'back':>16}",
            *(self._line(victim) for victim in (*VICTIMS, "both")),
            "",
            _CLIENTS,
            *(self._client_line(kind) for kind in range(len(self._arena.clients))),
        ]
        return "\n".join(lines) + "\n"

    def _line(self, victim: str) -> str:
        wanted = VICTIMS if victim == "both" else (victim,)
        kills = [each for each in self._arena.kills if each.victims == wanted]
        times = [each.back_at - each.at for each in kills]
        figures = f"{median(times):.2f} / {max(times):.2f}" if times else "-"
        return f"{victim:<10}{sum(1 + each.more for each in kills):>7}{figures:>16}"

    def _client_line(self, number: int) -> str:
        client = self._arena.clients[number]
        ends = Counter(self.ended[each.id].substate for each in client.told if each.is_accepted)
        accepted = [each for each in client.told if each.is_accepted]
        longest = max((each.ended_at - each.began_at for each in accepted), default=0.0)
        return (
            f"{client.kind:<12}{len(accepted):>10}{ends[DaqSubstate.COMPLETED]:>11}"
            f"{ends[DaqSubstate.ABORTED]:>9}{len(client.told) - len(accepted):>9}"
            f"{len(client.losses):>12}{longest:>13.2f}"
        )


def _faults_of_entries(context: Context) -> list[str]:
    """Look at the states that it has entered: none was left out before the DPM had it."""
    path = [Phase((each.state, each.substate)) for each in context.entered]
    found = [] if path[0] is Phase.NOT_STARTED else [f"{context.id} begins in {path[0]}"]
    for begin, end in pairwise(path):
        steps = {after for (before, _), after in TRANSITIONS.items() if before is begin}
        may_jump = begin in AT_DPM or begin is Phase.NOT_SCHEDULED
        if end not in steps and not (may_jump and reachable(begin, end)):
            found.append(f"{context.id} went from {begin} to {end}")
    return found


def _extensions(file: Path) -> int:
    with fits.open(file) as hdus:
        return len(hdus) - 1


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
