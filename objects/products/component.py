"""The DPM as a part of an installation."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta
from typing_extensions import override

from idl_like_interfaces.daqif import STORAGE_TOPIC, DpmControl, DpmDaqControl
from idl_like_interfaces.declare import Seconds
from objects.component.site import ActiveObject, Component, Site
from objects.component.workspace_faults import tell_faults
from objects.products.dpm import DpmDaqServant, DpmServant
from objects.products.engine import Engine
from objects.products.ledger import Ledger
from objects.products.missing_pictures import missing_pictures
from objects.products.patience import Patience
from objects.products.picture_notes import note_picture
from objects.products.pictures import Pictures
from objects.products.recovery import REMEDY, recover
from objects.products.remote import Network, NetworkSettings, RsyncSettings
from objects.products.schedule import Limits
from objects.products.steps import Steps, StepSettings
from objects.products.story import Stories
from objects.products.workspace import Workspace

log = logging.getLogger("daq.dpm")

STORAGE_PERIOD_S = 10.0

_LOOK_S = 2.0
"""How often it is looked whether something may be tried again, or seems to hang."""

_LAST_PICTURES_S = 8.0

Limit = Annotated[int, Meta(ge=0)]


class DpmSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of a DPM.

    Attributes:
        workspace: Its folder; relative to the data root; empty: the component's name.
        limits_daq: Acquisitions at work at once; 0: no limit.
        limits_merge: Mergers at once; 0: no limit.
        limits_net_receive: Files that are fetched from other hosts at once; 0: no limit.
        limits_net_send: Products that are sent to other hosts at once; 0: no limit.
        workers: Threads, which bound the first two.
        bin_merge: Command of the merger; empty: the installed ``obsorb merge``.
        warm_mergers: Mergers that are started beforehand and make one product after the
            other; 0: a process for each product, as it is with ``bin_merge``.
        bin_rsync: The program that reaches the disks of other hosts.
        ssh_command: The command through which it does, with its options.
        net_timeout_s: A transfer from which nothing comes for so long has failed.
        look_again_s: Pause before something that may be over by itself (a full disk, a lost
            connection) is tried again, doubled up to 5 min; 0: it is not.
        abort_grace_s: From SIGTERM to SIGKILL for a merger that is aborted.
        merge_silence_s: A merger that has told no progress for so long raises an alert; 0: none.
        complete_after_failed_release: True: an acquisition completes although a
            receiver failed; False: it stays in Releasing until it is retried.
        poll_once: End when nothing is left to do.
        quicklook: Draw a picture of each product and put it beside it.
    """

    workspace: str = ""
    limits_daq: Limit = 1
    limits_merge: Limit = 1
    limits_net_receive: Limit = 0
    limits_net_send: Limit = 0
    workers: Annotated[int, Meta(ge=1, le=64)] = 16
    bin_merge: str = ""
    warm_mergers: Annotated[int, Meta(ge=0, le=64)] = 1
    bin_rsync: Annotated[str, Meta(min_length=1)] = "rsync"
    ssh_command: Annotated[str, Meta(min_length=1)] = "ssh"
    net_timeout_s: Annotated[float, Meta(ge=1.0)] = 60.0
    look_again_s: Seconds = 10.0
    abort_grace_s: Seconds = 5.0
    merge_silence_s: Seconds = 300.0
    complete_after_failed_release: bool = False
    poll_once: bool = False
    quicklook: bool = True


class DpmComponent(Component):
    """Makes data products."""

    kind: ClassVar[str] = "dpm"
    Settings: ClassVar[type[msgspec.Struct]] = DpmSettings

    def __init__(self, site: Site, settings: DpmSettings) -> None:
        super().__init__(site, settings)
        root = site.data_root.absolute() / (settings.workspace or site.name)
        self._workspace = Workspace(root)
        self._pictures = Pictures(self._note_picture) if settings.quicklook else None
        draw = self._pictures.request if self._pictures else _without_picture
        self._ledger = Ledger(self._workspace, site, draw)
        self._network = _network_of(settings)
        self._steps = Steps(
            self._workspace,
            self._ledger,
            StepSettings(
                bin_merge=settings.bin_merge,
                warm_mergers=settings.warm_mergers,
                abort_grace_s=settings.abort_grace_s,
                merge_silence_s=settings.merge_silence_s,
                complete_after_failed_release=settings.complete_after_failed_release,
            ),
            self._network,
            site.clock,
        )
        self._engine = Engine(
            self._ledger,
            self._steps,
            site.clock,
            Limits(daq=settings.limits_daq, merge=settings.limits_merge),
            settings.workers,
            when_idle=site.request_exit if settings.poll_once else None,
            patience=Patience(site.clock, settings.look_again_s),
        )
        self._ends: list[Callable[[], None]] = []

    @override
    def recover(self) -> None:
        self._workspace.open()
        try:
            jobs = recover(self._workspace, self.site.clock.utc())
        except BaseException:
            self._workspace.close()
            raise
        self._ledger.load(jobs)
        if jobs:
            log.info("%d acquisitions go on", len(jobs))

    @override
    def objects(self) -> list[ActiveObject]:
        stories = Stories(self._workspace, self._pictures)
        return [
            ActiveObject(
                path=f"dpm/{self.site.name}/dpm",
                interface=DpmControl,
                servant=DpmServant(self._workspace, self.site.request_exit),
            ),
            ActiveObject(
                path=f"dpm/{self.site.name}/daq",
                interface=DpmDaqControl,
                servant=DpmDaqServant(self._ledger, self._engine, stories, self.site.clock),
            ),
        ]

    @override
    def start(self) -> None:
        if self._pictures is not None:
            self._pictures.start()
            for id, product in missing_pictures(self._workspace, self._ledger.queue()):
                self._pictures.request(id, product)
        self._ledger.proclaim()
        tell_faults(self.site, self._workspace.faults, REMEDY)
        self._publish_storage()
        self._ends.append(self.site.every(STORAGE_PERIOD_S, self._publish_storage))
        self._engine.start()
        self._ends.append(self.site.every(_LOOK_S, self._engine.look))
        self._ends.append(self.site.every(_LOOK_S, self._steps.look))

    @override
    def stop(self) -> None:
        for end in self._ends:
            end()
        self._engine.stop()
        self._steps.close()
        if self._pictures is not None:
            # One that ends by itself when all is done has the time; another one is waited for.
            self._pictures.close(_LAST_PICTURES_S if self.settings.poll_once else 0.0)
        self._workspace.close()

    @override
    def detail(self) -> str:
        return ", ".join(filter(None, [self._engine.describe(), self._network.describe()]))

    def _note_picture(self, id: str, error: str) -> None:
        note_picture(self._ledger, id, error, self.site.clock.utc())

    def _publish_storage(self) -> None:
        try:
            storage = self._workspace.storage()
        except OSError as error:
            log.error("workspace %s cannot be measured: %s", self._workspace.root, error)
            return
        self.site.publish(STORAGE_TOPIC, storage)
        self.site.record("storage", storage)


def _without_picture(_id: str, _product: Path) -> None:
    """Do nothing about a product."""


def _network_of(settings: DpmSettings) -> Network:
    rsync = RsyncSettings(
        program=settings.bin_rsync,
        ssh_command=settings.ssh_command,
        timeout_s=settings.net_timeout_s,
    )
    return Network(
        NetworkSettings(
            rsync=rsync, receive=settings.limits_net_receive, send=settings.limits_net_send
        )
    )
