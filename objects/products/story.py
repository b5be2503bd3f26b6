"""The story of a product: what the DPM has kept of its making, in its folder and its memory."""

from __future__ import annotations

import os
from pathlib import Path

from idl_like_interfaces.daq_contributions import MOST_TOLD, StoryFile, StoryReceiver
from idl_like_interfaces.daqif import ProductStory
from idl_like_interfaces.documents import DpSpecification, Receiver
from objects.products.collisions import story_of_collisions
from objects.products.history import alerts_of, stays
from objects.products.job import Job, status_of
from objects.products.locations import local_names, place
from objects.products.pictures import Pictures
from objects.products.progress import Step
from objects.products.quicklook.tool import picture_of
from objects.products.sources import SourceFile
from objects.products.workspace import PICTURE_LOG, Workspace

_LATER = "it is not drawn yet"
_NEVER = "the DPM ended before it was drawn, or it was removed: draw it with"


class Stories:
    """Tells the stories of one DPM.

    Args:
        workspace: Where everything is kept.
        pictures: Has them made; ``None``: there are none.
    """

    def __init__(self, workspace: Workspace, pictures: Pictures | None) -> None:
        self._workspace = workspace
        self._pictures = pictures
        self._here = local_names()

    def tell(self, job: Job, folder: Path) -> ProductStory:
        """Tell about an acquisition, as far as its documents can be read.

        Args:
            job: The acquisition.
            folder: Its own, in progress or in the archive.
        """
        specification, files = self._documents(folder)
        collisions, more = story_of_collisions(folder)
        result = self._workspace.results / job.product.name if job.product else None
        picture, note = self._picture(job, result, folder)
        return ProductStory(
            status=status_of(job, self._workspace.results),
            states=stays(job),
            files=[_file(each, folder) for each in files[:MOST_TOLD]],
            more_files=max(len(files) - MOST_TOLD, 0),
            alerts=alerts_of(job),
            collisions=collisions,
            more_collisions=more,
            receivers=self._receivers(job, specification, result),
            product=StoryFile(path=str(result), size_bytes=_size(result)) if result else None,
            digest=job.product.digest if job.product else "",
            picture=picture,
            picture_note=note,
        )

    def _documents(self, folder: Path) -> tuple[DpSpecification | None, list[SourceFile]]:
        try:
            return self._workspace.read_documents(folder)
        except (OSError, ValueError):
            return None, []

    def _picture(self, job: Job, result: Path | None, folder: Path) -> tuple[str, str]:
        if result is None or not job.has_result:
            return "", ""
        # Asked first: one that is drawn meanwhile is found below.
        is_expected = self._is_expected(job)
        if (picture := picture_of(result)).is_file():
            return str(picture), ""
        if self._pictures is None:
            return "", "the setting quicklook of the DPM is off"
        try:
            said = (folder / PICTURE_LOG).read_text(encoding="utf-8").splitlines()
        except OSError:
            said = []
        if said:
            return "", said[-1]
        return "", _LATER if is_expected else f"{_NEVER} `obsorb quicklook {result}`"

    def _is_expected(self, job: Job) -> bool:
        if not job.announced:
            return True  # it is asked for when the product is announced
        return self._pictures is not None and self._pictures.expects(job.id)

    def _receivers(
        self, job: Job, specification: DpSpecification | None, result: Path | None
    ) -> list[StoryReceiver]:
        receivers = specification.receivers if specification else []
        return [self._receiver(each, index, job, result) for index, each in enumerate(receivers)]

    def _receiver(
        self, receiver: Receiver, index: int, job: Job, result: Path | None
    ) -> StoryReceiver:
        found = place(receiver.host, receiver.path, self._here)
        file = found.path / f"{job.file_id}.fits"
        where = str(file) if found.is_local else f"{found.host}:{file}"
        if index in job.released:
            detail = _standing(Path(file), result) if found.is_local and result else ""
            return StoryReceiver(place=where, is_delivered=True, detail=detail)
        wrong = [a.description for a in job.alerts if a.id == f"{Step.RELEASE}/{index}"]
        return StoryReceiver(place=where, is_delivered=False, detail=wrong[-1] if wrong else "")


def _file(file: SourceFile, folder: Path) -> StoryFile:
    return StoryFile(path=file.origin, size_bytes=_size(folder / file.path))


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _standing(file: Path, result: Path) -> str:
    """Say how a delivered file stands there now; a receiver may do with it what it likes."""
    if file.is_symlink():
        return "symbolic link"
    try:
        return "hard link" if os.path.samefile(file, result) else "copy"  # noqa: PTH121 (either may be missing)
    except OSError:
        return "not there any more"
