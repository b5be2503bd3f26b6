"""What the logger confirms of runs that have ended: a file each, so that it can be asked for ever."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.event_logger import MOST_FILES, FileState, RunCertificate, RunState
from idl_like_interfaces.mapping.coding import parse_json
from objects.component.atomic import write_json_atomic
from objects.logger_stream.run import ActiveRun
from objects.logger_stream.runs import no_such_run

log = logging.getLogger(__name__)

UNFINISHED = "the run is ending: not all files are closed yet; ask again"

_SUFFIX = ".json"


def certificate_of(run: ActiveRun, lost: list[str], state: RunState) -> RunCertificate:
    """Return what is on the disk of a run.

    Args:
        run: The run.
        lost: Accepted events that are on no disk, in words.
        state: ENDED or ABORTED when all its files are closed.
    """
    events, octets = run.counts
    files = run.files()
    missing = [*lost]
    if lost:
        # Else other files have what one in ERROR has not; it tells of itself in its ``problem``.
        missing += [
            f"{each.path} is in ERROR: {each.problem or 'it could not be written'}"
            for each in files
            if each.state is FileState.ERROR
        ]
    if state not in {RunState.ENDED, RunState.ABORTED}:
        missing.append(UNFINISHED)
    return RunCertificate(
        run=run.number,
        state=state,
        recording=run.is_recording,
        events=events,
        bytes=octets,
        files=files,
        missing=missing,
        files_total=len(files),
        gap_count=run.gap_count,
        gaps=run.gaps,
    )


def page_of(certificate: RunCertificate, first_file: int = 0) -> RunCertificate:
    """Return a certificate with as many of its files as one message takes."""
    return msgspec.structs.replace(
        certificate,
        files=certificate.files[first_file : first_file + MOST_FILES],
        files_total=len(certificate.files),
    )


class Certificates:
    """The certificates of one logger.

    Args:
        folder: Where they are; made when it is missing.

    Raises:
        OSError: It cannot be made or read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.runs = {int(each.stem) for each in folder.glob(f"*{_SUFFIX}") if each.stem.isdigit()}

    def write(self, certificate: RunCertificate) -> None:
        """Keep a certificate; on return it survives a crash.

        Raises:
            OSError: It could not be written.
        """
        write_json_atomic(self._path(certificate.run), certificate)
        self.runs.add(certificate.run)

    def read(self, run: int) -> RunCertificate:
        """Return a certificate.

        Raises:
            NoSuchRun: There is none of this run.
        """
        path = self._path(run)
        try:
            return parse_json(RunCertificate, path.read_bytes(), str(path))
        except FileNotFoundError:
            raise no_such_run(run) from None
        except (BadParam, msgspec.DecodeError) as error:
            log.error("certificate %s is damaged: %s", path, error)
            raise no_such_run(run) from error

    def _path(self, run: int) -> Path:
        return self._folder / f"{run:09}{_SUFFIX}"
