"""The scratch folder: real frames, an installation file, and a place for the product."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from controller.failure import CommandFailed

INSTRUMENT = "STIS"
DETECTOR = "dcs1"
TELEMETRY = "host1"
ROOT = "obs"
DICTIONARY = "ESO-VLT-DIC.OBSORB"

FRAMES = "o4sp040b0_raw.fits"
"""Raw Hubble/STIS exposures of HD 101998 that astropy has among its test data."""

_INSTALLATION = """\
# Written by `obsorb demo`; start it again with `obsorb up {file}`.

[installation]
name = "demo"
root = "{root}"
data_root = "data"

[name_server]
address = "localhost:0"        # any free port
start = true

[component.events]
kind = "events"

[component.log]
kind = "log"

[component.alarms]
kind = "alarms"

[component.oldb]
kind = "oldb"

[component.ledger]
kind = "ledger"

[component.project]
kind = "project"

[component.dpm]
kind = "dpm"

[component.ocm]
kind = "ocm"
instrument_id = "{instrument}"
autostart = true
dictionaries = ["{dictionary}"]    # relative to this file; `obsorb dictionary show` reads it

[component.{detector}]
kind = "detector"
frames = {frames}
exposure_s = 0.4

[component.{telemetry}]
kind = "telemetry"
period_s = 0.25
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scratch:
    """The places of a demonstration.

    Attributes:
        folder: All of it.
        original: The frames as they were before.
        receiver: Where the product goes.
        installation: The installation file.
        log: What the processes said on stderr.
        story: The story of the acquisition as text.
    """

    folder: Path
    original: Path
    receiver: Path
    installation: Path
    log: Path
    story: Path


def prepare(folder: Path | None) -> Scratch:
    """Make the scratch folder.

    Args:
        folder: Where; must be missing or empty. None: a new temporary folder.

    Raises:
        CommandFailed: The folder is in use or cannot be written, or the frames are missing.
    """
    frames = find_frames()
    try:
        return _fill(make_folder(folder), frames)
    except OSError as error:
        raise CommandFailed(
            f"the scratch folder cannot be made: {error}",
            cause="the place is read-only or full",
            remedy="give another place with --folder DIR",
        ) from error


def find_frames() -> Path:
    """Return the path of the real frames, without importing astropy.

    Raises:
        CommandFailed: They are not installed.
    """
    spec = find_spec("astropy")
    folder = Path(spec.origin).parent if spec and spec.origin else Path()
    path = folder / "io" / "fits" / "tests" / "data" / FRAMES
    if not path.is_file():
        raise CommandFailed(
            f"the frames {FRAMES} are not in the installed astropy",
            cause="this astropy was packaged without its tests",
            remedy="install astropy from PyPI: pip install --force-reinstall astropy",
        )
    return path


def make_folder(folder: Path | None) -> Path:
    """Return a folder that is empty: that one, or a new temporary one.

    Raises:
        CommandFailed: It is in use.
        OSError: It cannot be made.
    """
    if folder is None:
        return Path(tempfile.mkdtemp(prefix="obsorb-demo-"))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CommandFailed(
            f"{folder} is not an empty folder",
            remedy="give one that is empty or does not exist yet",
        )
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def _fill(folder: Path, frames: Path) -> Scratch:
    scratch = Scratch(
        folder=folder,
        original=folder / "frames" / frames.name,
        receiver=folder / "olas",
        installation=folder / "installation.toml",
        log=folder / "demo.log",
        story=folder / "story.txt",
    )
    scratch.original.parent.mkdir()
    scratch.receiver.mkdir()
    shutil.copyfile(frames, scratch.original)
    shutil.copytree(Path(__file__).with_name("dictionary"), folder / "dictionary")
    scratch.installation.write_text(
        _INSTALLATION.format(
            file=scratch.installation,
            root=ROOT,
            instrument=INSTRUMENT,
            dictionary=f"dictionary/{DICTIONARY}",
            detector=DETECTOR,
            telemetry=TELEMETRY,
            # A JSON string is a TOML basic string.
            frames=json.dumps(str(scratch.original.parent)),
        ),
        encoding="utf-8",
    )
    return scratch
