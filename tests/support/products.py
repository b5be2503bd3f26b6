"""A DPM without a process, and a merger that does what a test wants."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from msgspec.structs import replace

from idl_like_interfaces.daqif import (
    INTERNAL_STATUS_TOPIC,
    DaqStatus,
    DaqSubstate,
    DpmControl,
    DpmDaqControl,
)
from objects.products.component import DpmComponent, DpmSettings
from objects.products.job import Job
from tests.support.site import FakeSite

BEFORE = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
"""A time before that of the manual clock: files of an acquisition that had stopped."""

_MERGER = """
import json, os, signal, sys, time
control, args = sys.argv[1], sys.argv[2:]
at = lambda name: os.path.join(control, name)
root, out = args[args.index("--root") + 1], args[args.index("-o") + 1]
def say(type, **content):
    print(json.dumps({"type": type, "timestamp": "2026-01-02T03:04:05Z", "content": content}), flush=True)
def terminated(number, frame):
    open(at("terminated"), "a").write(str(number))
    if not os.path.exists(at("stubborn")):
        sys.exit(1)
signal.signal(signal.SIGTERM, terminated)
print("hello from the merger", flush=True)
print("and from its stderr", file=sys.stderr, flush=True)
open(at("pids"), "a").write(str(os.getpid()) + "\\n")
os.write(os.open(at("started"), os.O_RDWR), b".")
if os.path.exists(at("gate")):
    os.read(os.open(at("gate"), os.O_RDWR), 1)
say("progress", message="one of one", done=1, total=1)
if os.path.exists(at("alert")):
    say("alert", **json.load(open(at("alert"))))
if os.path.exists(at("fail")):
    say("error", message=open(at("says")).read() if os.path.exists(at("says")) else "it cannot be merged", code=110, cause="told cause", remedy="told remedy")
    sys.exit(int(open(at("fail")).read()))
if os.path.exists(at("nothing")):
    sys.exit(0)
document = json.load(open(args[-1]))
files = [s["location"] for s in [document["target"].get("source"), *document.get("sources", [])] if s and s["type"] == "fitsFile"]
content = b"".join(open(os.path.join(root, f), "rb").read()[2880:] for f in files)
with open(out + ".part", "wb") as file:
    file.write(b"merged:" + content)
os.rename(out + ".part", out)
open(at("inode"), "w").write(str(os.stat(out).st_ino))
say("result", message="made", path=out)
"""


class MergerControl:
    """Tells the stand-in merger how to behave."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.script = folder / "merger.py"
        self.script.write_text(_MERGER)
        os.mkfifo(folder / "started")
        self._started = os.open(folder / "started", os.O_RDWR)
        self._gate: int | None = None

    @property
    def command(self) -> str:
        """Return the setting ``bin_merge``."""
        return f"{sys.executable} -I -S {self.script} {self.folder}"

    def set(self, name: str, content: str = "") -> None:
        """Switch a behaviour on: fail (exit code), alert (JSON), nothing, stubborn."""
        (self.folder / name).write_text(content)

    def clear(self, name: str) -> None:
        """Switch a behaviour off."""
        (self.folder / name).unlink()

    def hold(self) -> None:
        """Let mergers wait for ``release``."""
        os.mkfifo(self.folder / "gate")
        self._gate = os.open(self.folder / "gate", os.O_RDWR)

    def release(self) -> None:
        """Let one merger go on."""
        assert self._gate is not None, "mergers are not held"
        os.write(self._gate, b".")

    def await_started(self) -> int:
        """Wait until one more merger has started; return the process id of the last."""
        os.read(self._started, 1)
        return self.pids[-1]

    def close(self) -> None:
        """Forget the mergers."""
        os.close(self._started)
        if self._gate is not None:
            os.close(self._gate)

    @property
    def pids(self) -> list[int]:
        """Return the process ids of all mergers that ran."""
        path = self.folder / "pids"
        return [int(line) for line in path.read_text().split()] if path.exists() else []


class Dpm:
    """A running component on a site; pictures of its products are drawn when they are asked for."""

    def __init__(self, site: FakeSite, settings: DpmSettings, *, pictures: bool = False) -> None:
        self.site = site
        self.component = DpmComponent(site, replace(settings, quicklook=pictures))
        self.root = site.data_root / (settings.workspace or site.name)
        offered = {offer.interface: offer.servant for offer in self.component.objects()}
        self.dpm = cast("DpmControl", offered[DpmControl])
        self.daq = cast("DpmDaqControl", offered[DpmDaqControl])

    def wait(self, id: str, wanted: DaqSubstate, *, error: bool | None = None) -> DaqStatus:
        """Return the status once the acquisition is there."""

        def there() -> bool:
            status = self.daq.get_daq_status(id)
            return status.substate is wanted and error in (None, status.error)

        self.wait_until(there)
        return self.daq.get_daq_status(id)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that changes with an acquisition."""
        news = self.component._ledger.news
        with news:
            assert news.wait_for(condition, 30), self.site.events

    def substates(self, id: str) -> list[DaqSubstate]:
        """Return the published substates, each once for a stay."""
        seen: list[DaqSubstate] = []
        for topic, body in self.site.events:
            if topic == INTERNAL_STATUS_TOPIC and isinstance(body, DaqStatus) and body.id == id:
                seen += [body.substate] if seen[-1:] != [body.substate] else []
        return seen

    def job(self, id: str) -> Job:
        """Return what the DPM remembers."""
        job = self.component._ledger.find(id)
        assert job is not None
        return job


@contextmanager
def running(
    data_root: Path,
    settings: DpmSettings | None = None,
    site: FakeSite | None = None,
    *,
    pictures: bool = False,
) -> Iterator[Dpm]:
    """Recover and start a DPM; stop it at the end."""
    where = site or FakeSite(data_root, name="dpm")
    dpm = Dpm(where, settings or DpmSettings(), pictures=pictures)
    dpm.component.recover()
    try:
        dpm.component.start()
        yield dpm
    finally:
        dpm.component.stop()


HEADER = b"".join(
    card.ljust(80).encode()
    for card in (f"{'SIMPLE':8}= {'T':>20}", f"{'BITPIX':8}= {8:20}", f"{'NAXIS':8}= {0:20}", "END")
).ljust(2880)
"""Of a FITS file without data."""


def make_source(path: Path, content: bytes = b"frames") -> Path:
    """Write a source file (a header, and then the content) from before the acquisition's end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(HEADER + content)
    os.utime(path, (BEFORE, BEFORE))
    return path


def specification(id: str, *files: Path | str, **more: Any) -> str:
    """Return a specification of the files ``s0``, ``s1``, …; ``target``: more of the target."""
    target = {"fileId": id, **more.pop("target", {})}
    sources = [
        {"type": "fitsFile", "sourceName": f"s{index}", "location": str(file)}
        for index, file in enumerate(files)
    ]
    return json.dumps({"id": id, "sources": sources, "target": target, **more})
