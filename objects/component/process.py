"""One component as a process: ``obsorb serve``, and what a supervisor starts."""

from __future__ import annotations

import logging
import queue
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from typing_extensions import override

from idl_like_interfaces.clients.logs import register_levels
from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.logs import LEVEL_NUMBERS, LogLevel
from nameserver.client import Where, name_server_address, parse_addresses
from objects.component.common_settings import CommonSettings
from objects.component.host import ComponentHost
from objects.component.installation import Installation
from objects.component.log_file import logging_to_file
from objects.component.log_properties import apply_log_properties

REFUSED = 3
"""Exit code of a component that refuses to start: to start it again would not help."""

_END, _ENDED = "end", "ended"

_LOOK_S = 0.5

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What goes before the installation file.

    Attributes:
        names: ``HOST:PORT`` of the name server, or of both with a comma between; None: as
            the file or environment says.
        settings: Settings of the component's kind.
        log_level: Root level of its logs.
        port: Where its objects are served.
    """

    names: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    log_level: str | None = None
    port: int | None = None


def serve(
    installation: Path,
    component: str,
    *,
    on_message: Callable[[str], None] = lambda _: None,
    **wishes: Any,
) -> int:
    """Run one component of an installation until SIGTERM, SIGINT or its own exit command.

    Args:
        installation: The installation file.
        component: The component's name in it.
        on_message: Gets ``ready NAME`` once it serves.
        wishes: What goes before the file, see ``Wishes``.

    Returns:
        Exit code: 0.

    Raises:
        RemoteError: The component refuses to start (its settings, its store, its name).
        OSError: A folder cannot be made or read.
    """
    wanted = Wishes(**wishes)
    read = Installation(installation)
    settings = read.settings(component, wanted.settings)
    common = _wanted(read.common(component), wanted)
    _set_levels(common)
    # Before the boot: a component that has bound its names must not just die.
    signals = EndingSignals()
    with (
        signals,
        logging_to_file(component),
        ComponentHost(
            read.component_class(component),
            settings,
            name=component,
            names=_addresses(read, wanted.names),
            root=read.root,
            data_root=read.data_root,
            security=read.security,
            port=common.request_port,
            forward_logs=True,
            common=[common],
        ) as host,
    ):
        signals.lead_to(host.site.request_exit)
        on_message(f"ready {component}")
        # The system may give a signal to another thread, and only this one can meet it.
        while not host.site.exit_requested.wait(_LOOK_S):
            pass
    return 0


class EndingSignals(Closing):
    """SIGTERM and SIGINT as the wish to end; one that comes early is kept until it can be met.

    The handler only puts into a queue that may be interrupted at any point: one that took
    a lock could wait for ever for the very thread that it interrupted.
    """

    def __init__(self) -> None:
        self._wishes: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._wishes.put(_END))

    def lead_to(self, request_exit: Callable[[], None]) -> None:
        """Say what a signal does; one that has come already does it now."""

        def run() -> None:
            if self._wishes.get() == _END:
                request_exit()

        self._thread = threading.Thread(target=run, name="ending signals")
        self._thread.start()

    @override
    def close(self) -> None:
        """Meet no more wishes: the end is under way."""
        self._wishes.put(_ENDED)
        if self._thread is not None:
            self._thread.join()


def _wanted(common: CommonSettings, wanted: Wishes) -> CommonSettings:
    """Let options go before the file."""
    return replace(
        common,
        log_level=LogLevel(wanted.log_level or common.log_level or LogLevel.INFO),
        request_port=common.request_port if wanted.port is None else wanted.port,
    )


def _set_levels(common: CommonSettings) -> None:
    """Set the root level, and the levels of named loggers as their file says."""
    if common.log_level:
        logging.getLogger().setLevel(LEVEL_NUMBERS[common.log_level])
    if common.log_properties:
        apply_log_properties(Path(common.log_properties))


def _addresses(installation: Installation, option: str | None) -> Where:
    """Option, then the file when it says a port, then the environment."""
    if option:
        return parse_addresses(option)
    configured = installation.name_servers
    return configured if all(port for _, port in configured) else name_server_address()


def set_up_logging(level: str = "INFO") -> None:
    """Log to stderr, one line a record."""
    register_levels()
    logging.basicConfig(
        level=level,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)-8s %(name)s: %(message)s",
    )


def main(arguments: list[str]) -> int:
    """Run as the child of a supervisor: FILE COMPONENT NAMES [LEVEL]."""
    set_up_logging()
    file, component, names, *level = arguments

    def say(text: str) -> None:
        with suppress(BrokenPipeError):
            sys.stdout.write(text + "\n")
            sys.stdout.flush()

    try:
        return serve(
            Path(file),
            component,
            names=names,
            log_level=level[0] if level else None,
            on_message=say,
        )
    except (RemoteError, OSError) as error:
        text = error.explain() if isinstance(error, RemoteError) else str(error)
        say("refused " + text.replace("\n", "; "))
        return REFUSED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
