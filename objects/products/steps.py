"""Does one step of an acquisition: collect, merge, release or discard."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from idl_like_interfaces.daqif import DaqAlert
from idl_like_interfaces.documents import DpSpecification
from objects.component.atomic import PART_SUFFIX
from objects.products import alerts
from objects.products.cancel import Cancel
from objects.products.collect import collect
from objects.products.collisions import keep_collisions
from objects.products.job import Job, Product
from objects.products.ledger import Ledger
from objects.products.locations import local_names
from objects.products.merge.orders import MergeJob
from objects.products.merge.undo import forget, put_back
from objects.products.merger import MergeRun, find_program, merge_command, run_merger
from objects.products.product import finish, is_placed, link_result, put_in_place
from objects.products.progress import Step
from objects.products.release import deliver
from objects.products.sources import FOLDER
from objects.products.transfer import TransferFailed
from objects.products.verdict import judge, not_started
from objects.products.warm_mergers import WarmMergers
from objects.products.workspace import MERGE_LOG, RESULT_LINK, SPECIFICATION, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSettings:
    """How steps are done; see the component's settings."""

    bin_merge: str
    warm_mergers: int
    abort_grace_s: float
    complete_after_failed_release: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """End of a step: whether the acquisition stays, and the alerts of this step."""

    failed: bool
    alerts: list[DaqAlert] = field(default_factory=list)


class Steps:
    """The steps; each can be done again after it was interrupted at any point."""

    def __init__(self, workspace: Workspace, ledger: Ledger, settings: StepSettings) -> None:
        self._workspace = workspace
        self._ledger = ledger
        self._settings = settings
        self._here = local_names()
        # A merger of somebody else's is started for each product: that is all that is known of it.
        kept = 0 if settings.bin_merge else settings.warm_mergers
        self._mergers = WarmMergers(kept, settings.abort_grace_s) if kept else None
        self._actions: dict[Step, Callable[[Job, Path, Cancel], Outcome]] = {
            Step.COLLECT: self._collect,
            Step.MERGE: self._merge,
            Step.RELEASE: self._release,
            Step.DISCARD: self._discard,
        }

    def start(self) -> None:
        """Start what shall be ready when the first step comes."""
        if self._mergers is not None:
            self._mergers.start()

    def close(self) -> None:
        """End what waits for steps; all of them have ended."""
        if self._mergers is not None:
            self._mergers.close()

    def run(self, step: Step, job: Job, cancel: Cancel) -> Outcome:
        """Do a step.

        Raises:
            Cancelled: Asked to end.
            OSError, ValueError: The workspace fails.
        """
        return self._actions[step](job, self._workspace.job_folder(job.id), cancel)

    def _collect(self, job: Job, folder: Path, cancel: Cancel) -> Outcome:
        _specification, files = self._workspace.read_documents(folder)
        found = collect(files, folder, job.queued_at, self._here, cancel)
        return Outcome(failed=alerts.has_error(found), alerts=found)

    def _merge(self, job: Job, folder: Path, cancel: Cancel) -> Outcome:
        specification, _files = self._workspace.read_documents(folder)
        target = _own_target(folder, specification)
        if job.product and is_placed(job.product, self._workspace.results, cancel):
            link_result(folder, job.product)
            forget(target)
            return Outcome(failed=False)
        put_back(target, folder / product_name(specification))
        # A source may have been repaired since.
        collected = self._collect(job, folder, cancel)
        if collected.failed:
            return Outcome(failed=True, alerts=_as_merge(collected.alerts))
        made = self._make(job.id, folder, specification, cancel)
        if not made.failed:
            forget(target)
        return made

    def _make(
        self, id: str, folder: Path, specification: DpSpecification, cancel: Cancel
    ) -> Outcome:
        name = product_name(specification)
        output = folder / name
        remove_output(folder, name)
        wanted, *more = merge_command(self._settings.bin_merge)
        program = find_program(wanted)
        if program is None:
            return Outcome(failed=True, alerts=[not_started(wanted)])
        run = self._run_merger([program, *more], folder, output, cancel)
        cancel.check()
        found = judge(run, has_output=output.is_file())
        if run.code != 0 or not output.is_file():
            return Outcome(failed=True, alerts=found)
        keep_collisions(folder, run.messages)
        return self._place(id, folder, finish(output, name, cancel), found)

    def _run_merger(
        self, merger: list[str], folder: Path, output: Path, cancel: Cancel
    ) -> MergeRun:
        specification, log_path = folder / SPECIFICATION, folder / MERGE_LOG
        if self._mergers is not None:
            job = MergeJob(
                specification=str(specification),
                root=str(folder),
                outfile=str(output),
                log=str(log_path),
                in_place=True,
            )
            return self._mergers.run(job, cancel)
        command = [*merger, "--json", "--root", str(folder), "-o", str(output), str(specification)]
        return run_merger(command, folder, log_path, cancel, self._settings.abort_grace_s)

    def _place(self, id: str, folder: Path, product: Product, found: list[DaqAlert]) -> Outcome:
        # Remembered first: after a crash between the two our own file is known again.
        if self._ledger.change(id, lambda job: replace(job, product=product)).stuck:
            return Outcome(failed=True, alerts=found)
        try:
            put_in_place(folder / product.name, product, self._workspace.results)
        except TransferFailed as failure:
            alert = alerts.error(
                f"{Step.MERGE}/place",
                failure.description,
                cause=failure.cause,
                remedy=failure.remedy,
            )
            return Outcome(failed=True, alerts=[*found, alert])
        link_result(folder, product)
        return Outcome(failed=False, alerts=found)

    def _release(self, job: Job, folder: Path, cancel: Cancel) -> Outcome:
        specification, _files = self._workspace.read_documents(folder)
        found = []
        for index, receiver in enumerate(specification.receivers):
            if index in job.released or job.product is None:
                continue
            place = self._workspace.results / job.product.name
            try:
                deliver(place, job.file_id, receiver, self._here, cancel)
            except TransferFailed as failure:
                found.append(_not_released(index, failure))
            else:
                self._remember_released(job.id, index)
        failed = bool(found) and not self._settings.complete_after_failed_release
        return Outcome(failed=failed, alerts=found)

    def _remember_released(self, id: str, index: int) -> None:
        self._ledger.change(id, lambda job: replace(job, released=[*job.released, index]))

    def _discard(self, job: Job, folder: Path, cancel: Cancel) -> Outcome:
        specification, _files = self._workspace.read_documents(folder)
        shutil.rmtree(folder / FOLDER, ignore_errors=True)
        (folder / FOLDER).mkdir(exist_ok=True)
        remove_output(folder, product_name(specification))
        if job.product is not None and not job.announced:
            self._discard_product(job, job.product, cancel)
            (folder / RESULT_LINK).unlink(missing_ok=True)
        return Outcome(failed=False)

    def _discard_product(self, job: Job, product: Product, cancel: Cancel) -> None:
        # Nobody was told of it. An announced product is never taken back.
        if is_placed(product, self._workspace.results, cancel):
            (self._workspace.results / product.name).unlink()
        self._ledger.change(job.id, lambda it: replace(it, product=None))


def product_name(specification: DpSpecification) -> str:
    """Return the file name of the product below ``result/``."""
    target = specification.target
    return f"{target.file_prefix}{target.file_id}.fits"


def _own_target(folder: Path, specification: DpSpecification) -> Path:
    """Return the copy of the in-place target; without one a name that no file has."""
    source = specification.target.source
    return folder / (source.location if source else f"{FOLDER}/none")


def remove_output(folder: Path, name: str) -> None:
    """Remove what an interrupted merger left."""
    for left in (name, f"{name}{PART_SUFFIX}", f".{name}{PART_SUFFIX}"):
        with suppress(FileNotFoundError):
            os.unlink(folder / left)  # noqa: PTH108 (a name, whatever it is)


def _as_merge(found: list[DaqAlert]) -> list[DaqAlert]:
    return [
        replace(alert, id=f"{Step.MERGE}/{alert.id}")
        for alert in found
        if alerts.has_error([alert])
    ]


def _not_released(index: int, failure: TransferFailed) -> DaqAlert:
    return alerts.error(
        f"{Step.RELEASE}/{index}",
        f"the product cannot be released to receiver {index}: {failure.description}",
        cause=failure.cause,
        remedy=failure.remedy,
    )
