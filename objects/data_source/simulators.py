"""Simulated sources in the foreground: ``obsorb sim recif|metadaqif NAME``.

They are the sources of this package, hosted in this process and found by name as any other; they
say what is asked of them, and have faults when they are told to. The data are real files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from typing_extensions import override

from idl_like_interfaces.mapping.coding import from_plain
from idl_like_interfaces.metadaqif import MetaDaq
from idl_like_interfaces.recif import RecCmds, RecStatus, RecStatusName
from idl_like_interfaces.security.settings import ABSENT, SecurityTable
from nameserver.client import name_server_address, show_addresses
from objects.component.host import ComponentHost
from objects.component.process import EndingSignals
from objects.component.site import ActiveObject, Site
from objects.data_source.components import (
    DetectorComponent,
    DetectorSettings,
    TelemetryComponent,
    TelemetrySettings,
)
from objects.data_source.faults import Faults, Say
from objects.data_source.told_servants import ToldMetaDaq, ToldRecorder, said_of

_LOOK_S = 0.2

_BY_ITSELF = (RecStatusName.COMPLETED, RecStatusName.FAILED)

Enter = Callable[[float], bool]
"""Waits so many seconds at most for the Enter key; tells whether it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What is simulated, and where.

    Attributes:
        name: Name of the source.
        names: ``HOST:PORT`` of the name server; None: as the environment says.
        root: Root context of the installation.
        data_root: Its files go below ``sources/<name>`` of this folder.
        port: Where it is served; 0: any free port.
        certs: Folder of the certificates; empty: no TLS.
        identity: Which of them, unless one has the name of the source.
        settings: Of a detector (``recif``) or of telemetry (``metadaqif``).
        faults: Members of ``Faults``.
        duration_s: A recording ends after so many seconds; 0: not by time.
        is_verbose: Tell also what is asked all the time.
    """

    name: str
    names: str | None = None
    root: str = "obs"
    data_root: Path
    port: int = 0
    certs: str = ""
    identity: str = "components"
    settings: Mapping[str, Any] = field(default_factory=dict)
    faults: Mapping[str, Any] = field(default_factory=dict)
    duration_s: float = 0.0
    is_verbose: bool = False


class RecifSettings(DetectorSettings, frozen=True, kw_only=True):
    """Settings of a simulated primary source.

    Attributes:
        say: Is told what happens.
        faults: What goes wrong.
        duration_s: A recording ends after so many seconds; 0: not by time.
        is_verbose: Tell also what is asked all the time.
    """

    say: Say
    faults: Faults
    duration_s: float
    is_verbose: bool


class RecifSimulator(DetectorComponent):
    """A simulated primary source."""

    kind: ClassVar[str] = "sim-recif"
    Settings = RecifSettings

    def __init__(self, site: Site, settings: Any) -> None:
        super().__init__(site, settings)
        self.told = ToldRecorder(
            self.recorder,
            settings.faults,
            settings.say,
            duration_s=settings.duration_s,
            is_verbose=settings.is_verbose,
        )

    @override
    def objects(self) -> list[ActiveObject]:
        path = f"sources/{self.site.name}/rec"
        return [ActiveObject(path=path, interface=RecCmds, servant=self.told)]

    @override
    def stop(self) -> None:
        self.told.end()
        super().stop()


class MetadaqifSettings(TelemetrySettings, frozen=True, kw_only=True):
    """Settings of a simulated metadata source; as those of a primary one."""

    say: Say
    faults: Faults
    is_verbose: bool


class MetadaqifSimulator(TelemetryComponent):
    """A simulated metadata source."""

    kind: ClassVar[str] = "sim-metadaqif"
    Settings = MetadaqifSettings

    def __init__(self, site: Site, settings: Any) -> None:
        super().__init__(site, settings)
        self.told = ToldMetaDaq(
            self.daq, settings.faults, settings.say, is_verbose=settings.is_verbose
        )

    @override
    def objects(self) -> list[ActiveObject]:
        path = f"sources/{self.site.name}/daq"
        return [ActiveObject(path=path, interface=MetaDaq, servant=self.told)]

    @override
    def stop(self) -> None:
        self.told.end()
        super().stop()


def simulate_recif(*, enter: Enter, on_message: Say, **options: Any) -> int:
    """Run a simulated primary source until SIGTERM or SIGINT; Enter ends its recording.

    Args:
        enter: Waits for the Enter key.
        on_message: Is told what happens, a line each.
        options: Members of ``Simulation``.

    Returns:
        Exit code: 0.

    Raises:
        RemoteError: A setting is wrong, or the name belongs to a living object.
        OSError: The folder cannot be made, or the port is in use.
    """
    simulation = Simulation(**options)
    settings = RecifSettings(
        **_checked(DetectorSettings, simulation.settings),
        say=on_message,
        faults=Faults(**simulation.faults),
        duration_s=simulation.duration_s,
        is_verbose=simulation.is_verbose,
    )
    signals = EndingSignals()
    with signals, _hosted(RecifSimulator, settings, simulation) as host:
        signals.lead_to(host.site.request_exit)
        assert isinstance(host.component, RecifSimulator)
        _introduce(host, simulation, on_message)
        on_message("Enter ends a recording, Ctrl-C ends the simulator")
        watch = _Watch(host.component, on_message, is_verbose=simulation.is_verbose)
        while not host.site.exit_requested.is_set():
            if enter(_LOOK_S):
                id = host.component.recorder.complete()
                on_message(f"Enter: {id} ends" if id else "Enter: nothing is being recorded")
            watch.look()
    return 0


def simulate_metadaqif(*, enter: Enter, on_message: Say, **options: Any) -> int:
    """Run a simulated metadata source until SIGTERM or SIGINT; see ``simulate_recif``."""
    simulation = Simulation(**options)
    settings = MetadaqifSettings(
        **_checked(TelemetrySettings, simulation.settings),
        say=on_message,
        faults=Faults(**simulation.faults),
        is_verbose=simulation.is_verbose,
    )
    signals = EndingSignals()
    with signals, _hosted(MetadaqifSimulator, settings, simulation) as host:
        signals.lead_to(host.site.request_exit)
        _introduce(host, simulation, on_message)
        on_message("Ctrl-C ends the simulator")
        while not host.site.exit_requested.is_set():
            if enter(_LOOK_S):
                on_message("Enter: it is stopped by who started it (obsorb daq stop ID)")
    return 0


class _Watch:
    """Tells what a recording does by itself: its frames, and its end."""

    def __init__(self, source: RecifSimulator, say: Say, *, is_verbose: bool) -> None:
        self._source = source
        self._say = say
        self._is_verbose = is_verbose
        self._told: RecStatus | None = None

    def look(self) -> None:
        """Tell what is new since the last look."""
        now = self._source.recorder.rec_status()
        before, self._told = self._told, now
        if before is None:
            return
        if (before.id, before.status) != (now.id, now.status):
            if now.status in _BY_ITSELF:
                self._say(f"{said_of(now)}{', ' + now.info if now.info else ''}")
        elif self._is_verbose and before.frames_processed != now.frames_processed:
            self._say(f"{now.id}: {now.frames_processed} frames")


def _checked(declared: type[msgspec.Struct], plain: Mapping[str, Any]) -> dict[str, Any]:
    return msgspec.structs.asdict(from_plain(declared, dict(plain), "sim"))


def _hosted(
    component: type[RecifSimulator | MetadaqifSimulator],
    settings: msgspec.Struct,
    simulation: Simulation,
) -> ComponentHost:
    security = SecurityTable(certs=simulation.certs, identity=simulation.identity)
    return ComponentHost(
        component,
        settings,
        name=simulation.name,
        names=name_server_address(simulation.names),
        root=simulation.root,
        data_root=simulation.data_root.absolute(),
        security=security if simulation.certs else ABSENT,
        port=simulation.port,
        forward_logs=True,
    )


def _introduce(host: ComponentHost, simulation: Simulation, say: Say) -> None:
    """Say where it is found, and where its files go."""
    for name, uri in host.uris.items():
        if "/sources/" in name:
            say(f"name: {name}")
            say(f"uri: {uri}")
    say(f"files: {simulation.data_root.absolute() / 'sources' / simulation.name}")
    if not host.is_bound:
        where = show_addresses(name_server_address(simulation.names))
        say(f"not bound yet: the name server {where} does not answer; it is tried again")
