"""The demonstration from begin to end."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from controller.demo.acquire import OBSERVER, acquire
from controller.demo.interruption import Interrupted, Interruption
from controller.demo.keywords import refuse_misspelt, told_card
from controller.demo.running import NAME_SERVER, RunningInstallation
from controller.demo.scratch import DETECTOR, INSTRUMENT, ROOT, TELEMETRY, Scratch
from controller.demo.services import SharedServices
from controller.demo.show import make_show
from controller.demo.tell import told_story
from controller.demo.verify import verify_product
from controller.failure import CommandFailed
from idl_like_interfaces.daqif import DaqStatus
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.object import Object
from idl_like_interfaces.stdif import StdCmds
from nameserver.client import Names, parse_address

NAMES = tuple(
    f"{ROOT}/{path}"
    for path in (
        "events",
        "log",
        "alarms",
        "oldb",
        "ledger",
        "project",
        "configuration",
        "supervisor",
        "dpm/dpm/dpm",
        "dpm/dpm/daq",
        "ocm/std",
        "ocm/daq",
        f"sources/{DETECTOR}/rec",
        f"sources/{TELEMETRY}/daq",
    )
)
"""What must answer before the acquisition begins."""

_PING_DEADLINE_S = 2.0
_LOOK_EVERY_S = 0.5


def tell_story(scratch: Scratch, interruption: Interruption, *, keep_running: bool) -> None:
    """Start the installation, acquire, verify, and print where the product is.

    Raises:
        CommandFailed: Something went wrong; nothing is left running.
        RemoteError: As above.
        Interrupted: An end was asked for before it was done; nothing is left running.
    """
    with (
        make_show() as show,
        RunningInstallation(scratch.installation, scratch.log, interruption, show.line) as running,
    ):
        address = running.wait_for_name_server()
        show.line(f"{NAME_SERVER}{address}")
        show.line(f"scratch folder: {scratch.folder}")
        with Names(parse_address(address)) as names:
            running.wait_until("all components start", lambda: running.is_up)
            running.wait_until("all objects answer", lambda: _answer(names))
            show.line(f"{len(NAMES)} objects answer by their names")
            services = SharedServices(names, running.wait_until)
            show.line(services.set_project())
            show.line(refuse_misspelt(names))
            show.line("the acquisition starts")
            status = acquire(names, scratch.receiver, show, running.check)
            product = _product_of(status, scratch.receiver)
            wanted = {"INSTRUME": INSTRUMENT, "OBSERVER": OBSERVER}
            found = verify_product(product, scratch.original, wanted)
            show.close()
            show.line(f"verified: {found}")
            show.line(told_card(product, "OBSERVER", "Name of the observer"))
            for tell in (services.raise_alarm, services.read_key, services.account):
                show.line(tell())
            told = told_story(names, status.id, scratch.story, running.wait_until)
            for line in told:
                show.line(line)
        if keep_running:
            show.line(f"look at it with `obsorb --names {address} top`; Ctrl-C ends it")
            show.line(f"product: {product}")
            _keep_running(running, interruption)
            return
    show.line(f"product: {product}")


def _answer(names: Names) -> bool:
    """Tell whether everything is bound and answers, and the OCM takes commands."""
    try:
        for name in NAMES:
            names.narrow(name, Object, _PING_DEADLINE_S).ping()
        state = names.narrow(f"{ROOT}/ocm/std", StdCmds, _PING_DEADLINE_S).get_state()
    except RemoteError:
        return False
    return state.startswith("Operational")


def _product_of(status: DaqStatus, receiver: Path) -> Path:
    """Return the file that the receiver got.

    Raises:
        CommandFailed: It is not there.
    """
    product = receiver / f"{status.file_id}.fits"
    if not product.is_file():
        raise CommandFailed(
            f"the acquisition {status.id} is Completed, but {product} is not there",
            cause=f"the product is at {status.result or 'no known place'}",
            remedy="keep the scratch folder and report it",
        )
    return product


def _keep_running(running: RunningInstallation, interruption: Interruption) -> None:
    """Stay until an end is asked for; here that is no failure."""
    with suppress(Interrupted):
        while True:
            running.check()
            interruption.pause(_LOOK_EVERY_S)
