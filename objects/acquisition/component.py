"""The component ``ocm``: the acquisition coordinator as part of an installation."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta
from typing_extensions import override

from idl_like_interfaces.daqif import OcmDaqControl
from idl_like_interfaces.declare import Value
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.stdif import StdCmds
from objects.acquisition.coordinator import Coordinator
from objects.acquisition.ocm import OcmServant
from objects.acquisition.rules import Rules
from objects.acquisition.store import Workspace
from objects.acquisition.vocabulary import ANY, Vocabulary
from objects.component.config_path import ConfigPath, find
from objects.component.loggers import OCM
from objects.component.site import ActiveObject, Component, Site
from objects.component.std import StdHooks, StdServant


class OcmSettings(Value, frozen=True, kw_only=True):
    """Configuration of the acquisition coordinator.

    Attributes:
        instrument_id: First part of all file ids, and the keyword INSTRUME.
        dpm: Name or URI of the DPM's ``DpmDaqControl``; empty: ``<root>/dpm/dpm/daq``.
        workspace: Its folder; relative to the data root; empty: the component's name.
        stale_acquiring_hours: Age at which an acquisition that is still with its
            sources is archived at a start.
        stale_merging_hours: The same for one that is with the DPM.
        dpm_retry_s: Time between attempts to reach the DPM, seconds.
        dpm_timeout_s: How long the DPM may take to answer a request, seconds.
        source_timeout_s: The same for a source.
        dictionaries: Keyword dictionaries; a relative one is looked for over ``CFGPATH``, then
            beside the installation file; none: keywords are not checked.
        autostart: Become Operational at once, without ``init`` and ``enable``.
    """

    instrument_id: Annotated[str, Meta(pattern=r"^[A-Z0-9_-]{1,32}$")]
    dpm: str = ""
    workspace: str = ""
    stale_acquiring_hours: Annotated[float, Meta(gt=0, le=1e6)] = 14.0
    stale_merging_hours: Annotated[float, Meta(gt=0, le=1e6)] = 48.0
    dpm_retry_s: Annotated[float, Meta(gt=0, le=1e6)] = 2.0
    dpm_timeout_s: Annotated[float, Meta(ge=0.1, le=600)] = 5.0
    source_timeout_s: Annotated[float, Meta(ge=0.1, le=600)] = 10.0
    dictionaries: list[ConfigPath] = []
    autostart: bool = False


class OcmComponent(Component):
    """Coordinates acquisitions; offers ``<name>/daq`` and ``<name>/std``."""

    kind: ClassVar[str] = "ocm"
    Settings: ClassVar[type[msgspec.Struct]] = OcmSettings

    def __init__(self, site: Site, settings: Any) -> None:
        super().__init__(site, settings)
        vocabulary = _vocabulary(settings)
        self.workspace = Workspace(site.data_root / (settings.workspace or site.name))
        hooks = StdHooks(is_active=self._is_active, describe=self.detail)
        self.std = StdServant(site, hooks, OCM)
        self.coordinator = Coordinator(
            site, self.workspace, _rules(site, settings, vocabulary), self.std.refresh_activity
        )
        self.daq = OcmServant(
            self.coordinator,
            vocabulary,
            server_state=self.std.get_state,
            is_operational=lambda: self.std.state.is_operational,
        )

    @override
    def recover(self) -> None:
        try:
            self.coordinator.recover()
        except OSError as error:
            raise BadParam(
                str(error),
                field="workspace",
                remedy="correct the setting workspace, or the folder it names",
            ) from error

    @override
    def objects(self) -> list[ActiveObject]:
        name = self.site.name
        return [
            ActiveObject(path=f"{name}/daq", interface=OcmDaqControl, servant=self.daq),
            ActiveObject(path=f"{name}/std", interface=StdCmds, servant=self.std),
        ]

    @override
    def start(self) -> None:
        self.std.announce()
        if self.settings.autostart:
            self.std.init()
            self.std.enable()
        self.coordinator.start()

    @override
    def stop(self) -> None:
        self.coordinator.close()

    @override
    def detail(self) -> str:
        number = len(self.coordinator.in_progress())
        return f"{number} acquisition{'' if number == 1 else 's'} in progress"

    @override
    def problem(self) -> str:
        return self.coordinator.problem

    def _is_active(self) -> bool:
        return self.coordinator.is_active


def _vocabulary(settings: OcmSettings) -> Vocabulary:
    """Load the dictionaries; one that is missing or faulty ends the start."""
    if not settings.dictionaries:
        return ANY
    # Here, since few who read the settings need a reader of YAML.
    from objects.dictionaries.loading import load_dictionaries

    paths = [
        find(path, field=f"dictionaries[{place}]")
        for place, path in enumerate(settings.dictionaries)
    ]
    return Vocabulary(load_dictionaries(paths))


def _rules(site: Site, settings: OcmSettings, vocabulary: Vocabulary) -> Rules:
    return Rules(
        instrument_id=settings.instrument_id,
        dpm=settings.dpm or f"{site.root}/dpm/dpm/daq",
        dpm_retry_s=settings.dpm_retry_s,
        dpm_timeout_s=settings.dpm_timeout_s,
        source_timeout_s=settings.source_timeout_s,
        vocabulary=vocabulary,
        stale_acquiring=timedelta(hours=settings.stale_acquiring_hours),
        stale_merging=timedelta(hours=settings.stale_merging_hours),
    )
