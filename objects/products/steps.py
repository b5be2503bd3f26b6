"""Does one step of an acquisition: collect, merge, release or discard."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from idl_like_interfaces.daqif import DaqAlert
from idl_like_interfaces.documents import DpSpecification
from objects.component.clock import Clock
from objects.products import alerts
from objects.products.cancel import Cancel
from objects.products.collect import Collected, Collector
from objects.products.collisions import keep_collisions
from objects.products.job import Job, Product
from objects.products.ledger import Ledger
from objects.products.locations import local_names
from objects.products.merge.orders import MergeJob
from objects.products.merge.undo import forget, put_back
from objects.products.merger import Heard, MergeRun, find_program, merge_command, run_merger
from objects.products.product import (
    finish,
    is_placed,
    link_result,
    product_name,
    put_in_place,
    remove_output,
)
from objects.products.progress import Step
from objects.products.release import Releaser
from objects.products.remote import Network
from objects.products.room import lack_of_room, speaks_of_room
from objects.products.silence import Silences
from objects.products.sources import FOLDER, SourceFile
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
    merge_silence_s: float
    complete_after_failed_release: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """End of a step.

    Attributes:
        failed: The acquisition stays.
        alerts: The alerts of this step.
        passing: What has failed may be over by itself: worth another try.
    """

    failed: bool
    alerts: list[DaqAlert] = field(default_factory=list)
    passing: bool = False


class Steps:
    """The steps; each can be done again after it was interrupted at any point."""

    def __init__(
        self,
        workspace: Workspace,
        ledger: Ledger,
        settings: StepSettings,
        network: Network,
        clock: Clock,
    ) -> None:
        self._workspace = workspace
        self._ledger = ledger
        self._settings = settings
        here = local_names()
        self._collector = Collector(here, network, clock)
        self._releaser = Releaser(here, network, self._remember_released)
        # A merger of somebody else's is started for each product: that is all that is known of it.
        kept = 0 if settings.bin_merge else settings.warm_mergers
        self._mergers = WarmMergers(kept, settings.abort_grace_s) if kept else None
        self._silences = Silences(ledger, clock, settings.merge_silence_s)
        self._actions: dict[Step, Callable[[Job, Path, Cancel], Outcome]] = {
            Step.COLLECT: self._collect,
            Step.MERGE: self._merge,
            Step.RELEASE: self._release,
            Step.DISCARD: self._discard,
        }

    def close(self) -> None:
        """End what waits for steps; all of them have ended."""
        if self._mergers is not None:
            self._mergers.close()

    def look(self) -> None:
        """Tell of steps that seem to hang; to be called now and then."""
        self._silences.look()

    def run(self, step: Step, job: Job, cancel: Cancel) -> Outcome:
        """Do a step.

        Raises:
            Cancelled: Asked to end.
            OSError, ValueError: The workspace fails.
        """
        return self._actions[step](job, self._workspace.job_folder(job.id), cancel)

    def _collect(self, job: Job, folder: Path, cancel: Cancel) -> Outcome:
        if self._mergers is not None:
            self._mergers.start()  # not before: a start of the whole installation has enough to do
        specification, files = self._workspace.read_documents(folder)
        stopped_at = specification.stopped_at or job.queued_at
        return _outcome_of(self._collector.collect(files, folder, stopped_at, cancel))

    def _merge(self, job: Job, folder: Path, cancel: Cancel) -> Outcome:
        specification, files = self._workspace.read_documents(folder)
        target = _own_target(folder, specification)
        if job.product and is_placed(job.product, self._workspace.results, cancel):
            link_result(folder, job.product)
            forget(target)
            return Outcome(failed=False)
        put_back(target, folder / product_name(specification))
        # A source may have been repaired since.
        collected = self._collect(job, folder, cancel)
        if collected.failed:
            return _as_merge(collected)
        made = self._make(job.id, folder, specification, files, cancel)
        if not made.failed:
            forget(target)
        return made

    def _make(
        self,
        id: str,
        folder: Path,
        specification: DpSpecification,
        files: list[SourceFile],
        cancel: Cancel,
    ) -> Outcome:
        name = product_name(specification)
        output = folder / name
        remove_output(folder, name)
        wanted, *more = merge_command(self._settings.bin_merge)
        program = find_program(wanted)
        if program is None:
            return Outcome(failed=True, alerts=[not_started(wanted)])
        if full := lack_of_room(folder, files, in_place=self._mergers is not None):
            return Outcome(failed=True, alerts=[full], passing=True)
        marks = self._collector.marks(files, folder)
        with self._silences.listening(id) as heard:
            run = self._run_merger([program, *more], folder, output, cancel, heard)
        cancel.check()
        found = judge(run, has_output=output.is_file())
        if run.code != 0 or not output.is_file():
            return Outcome(failed=True, alerts=found, passing=speaks_of_room(found))
        changed = self._collector.changes(marks)
        if changed.has_failed:
            return _as_merge(_outcome_of(changed))
        keep_collisions(folder, run.messages)
        return self._place(id, folder, finish(output, name, cancel), found)

    def _run_merger(
        self, merger: list[str], folder: Path, output: Path, cancel: Cancel, heard: Heard
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
            return self._mergers.run(job, cancel, heard)
        command = [*merger, "--json", "--root", str(folder), "-o", str(output), str(specification)]
        return run_merger(command, folder, log_path, cancel, self._settings.abort_grace_s, heard)

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
        if job.product is None:
            return Outcome(failed=False)
        place = self._workspace.results / job.product.name
        found = self._releaser.release(job, place, specification.receivers, cancel)
        failed = bool(found.alerts) and not self._settings.complete_after_failed_release
        return Outcome(failed=failed, alerts=found.alerts, passing=found.passing)

    def _remember_released(self, id: str, index: int) -> None:
        self._ledger.change(id, lambda job: replace(job, released=[*job.released, index]))

    def _discard(self, job: Job, folder: Path, cancel: Cancel) -> Outcome:
        shutil.rmtree(folder / FOLDER, ignore_errors=True)
        (folder / FOLDER).mkdir(exist_ok=True)
        # By its file id, since the specification may be what is damaged.
        for left in folder.glob(f"*{job.file_id}.fits*"):
            left.unlink(missing_ok=True)
        if job.product is not None and not job.announced:
            self._discard_product(job, job.product, cancel)
            (folder / RESULT_LINK).unlink(missing_ok=True)
        return Outcome(failed=False)

    def _discard_product(self, job: Job, product: Product, cancel: Cancel) -> None:
        # Nobody was told of it. An announced product is never taken back.
        if is_placed(product, self._workspace.results, cancel):
            (self._workspace.results / product.name).unlink()
        self._ledger.change(job.id, lambda it: replace(it, product=None))


def _own_target(folder: Path, specification: DpSpecification) -> Path:
    """Return the copy of the in-place target; without one a name that no file has."""
    source = specification.target.source
    return folder / (source.location if source else f"{FOLDER}/none")


def _outcome_of(collected: Collected) -> Outcome:
    return Outcome(failed=collected.has_failed, alerts=collected.alerts, passing=collected.passing)


def _as_merge(failed: Outcome) -> Outcome:
    """Say a failure of collecting that was found while merging."""
    found = [
        replace(alert, id=f"{Step.MERGE}/{alert.id}")
        for alert in failed.alerts
        if alerts.has_error([alert])
    ]
    return Outcome(failed=True, alerts=found, passing=failed.passing)
