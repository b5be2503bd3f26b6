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
from objects.products.dpm import DpmDaqServant, DpmServant
from objects.products.engine import Engine
from objects.products.ledger import Ledger
from objects.products.picture_notes import note_picture
from objects.products.pictures import Pictures
from objects.products.quicklook.tool import picture_of
from objects.products.recovery import recover
from objects.products.schedule import Limits
from objects.products.steps import Steps, StepSettings
from objects.products.story import Stories
from objects.products.workspace import Workspace

log = logging.getLogger("daq.dpm")

STORAGE_PERIOD_S = 10.0

_LAST_PICTURES_S = 8.0

Limit = Annotated[int, Meta(ge=0)]


class DpmSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of a DPM.

    Attributes:
        workspace: Its folder; relative to the data root; empty: the component's name.
        limits_daq: Acquisitions at work at once; 0: no limit.
        limits_merge: Mergers at once; 0: no limit.
        workers: Threads, which bound both.
        bin_merge: Command of the merger; empty: the installed ``obsorb merge``.
        warm_mergers: Mergers that are started beforehand and make one product after the
            other; 0: a process for each product, as it is with ``bin_merge``.
        abort_grace_s: From SIGTERM to SIGKILL for a merger that is aborted.
        complete_after_failed_release: True: an acquisition completes although a
            receiver failed; False: it stays in Releasing until it is retried.
        poll_once: End when nothing is left to do.
        quicklook: Draw a picture of each product and put it beside it.
    """

    workspace: str = ""
    limits_daq: Limit = 1
    limits_merge: Limit = 1
    workers: Annotated[int, Meta(ge=1, le=64)] = 16
    bin_merge: str = ""
    warm_mergers: Annotated[int, Meta(ge=0, le=64)] = 1
    abort_grace_s: Seconds = 5.0
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
        self._steps = Steps(
            self._workspace,
            self._ledger,
            StepSettings(
                bin_merge=settings.bin_merge,
                warm_mergers=settings.warm_mergers,
                abort_grace_s=settings.abort_grace_s,
                complete_after_failed_release=settings.complete_after_failed_release,
            ),
        )
        self._engine = Engine(
            self._ledger,
            self._steps,
            site.clock,
            Limits(daq=settings.limits_daq, merge=settings.limits_merge),
            settings.workers,
            when_idle=site.request_exit if settings.poll_once else None,
        )
        self._end_storage: Callable[[], None] | None = None

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
        stories = Stories(self._workspace, has_pictures=self._pictures is not None)
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
        self._steps.start()
        if self._pictures is not None:
            self._pictures.start()
            self._catch_up(self._pictures)
        self._ledger.proclaim()
        self._publish_storage()
        self._end_storage = self.site.every(STORAGE_PERIOD_S, self._publish_storage)
        self._engine.start()

    @override
    def stop(self) -> None:
        if self._end_storage is not None:
            self._end_storage()
        self._engine.stop()
        self._steps.close()
        if self._pictures is not None:
            # One that ends by itself when all is done has the time; another one is waited for.
            self._pictures.close(_LAST_PICTURES_S if self.settings.poll_once else 0.0)
        self._workspace.close()

    @override
    def detail(self) -> str:
        return self._engine.describe()

    def _catch_up(self, pictures: Pictures) -> None:
        """Have pictures drawn that an end of the process has prevented."""
        for job in self._ledger.queue():
            if job.product is not None and job.has_result:
                product = self._workspace.results / job.product.name
                if job.announced and not picture_of(product).exists():
                    pictures.request(job.id, product)

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
