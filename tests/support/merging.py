"""A folder with FITS files, a specification over them, and the merger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from astropy.io import fits

from idl_like_interfaces.merging import MergeMessage, MergeMessageType
from objects.products.merge.tool import merge
from tests.support.clock import ManualClock
from tests.support.fits import write_fits

FILE_ID = "INSX.2025-02-03T04:05:06.789"


class Bench:
    """A folder with files, and the merger over it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sources: list[dict[str, Any]] = []
        self.target: dict[str, Any] = {"fileId": FILE_ID}
        self.messages: list[MergeMessage] = []
        self.clock = ManualClock()

    @property
    def product(self) -> Path:
        return self.folder / f"{FILE_ID}.fits"

    def add(self, name: str, cards: Any = (), **more: Any) -> Path:
        """Write a file and make it a source; ``spec`` are further fields of the source."""
        spec = more.pop("spec", {})
        path = write_fits(self.folder / f"{name}.fits", cards, **more)
        self.sources.append(self.source(name) | spec)
        return path

    def aim(self, name: str, cards: Any = (), **more: Any) -> Path:
        """Write a file and make it the in-place target."""
        spec = more.pop("spec", {})
        path = write_fits(self.folder / f"{name}.fits", cards, **more)
        self.target["source"] = self.source(name) | spec
        return path

    def give(self, name: str, **values: Any) -> None:
        """Add a source of value keywords."""
        keywords = [{"type": "valueKeyword", "name": n, "value": v} for n, v in values.items()]
        self.sources.append({"type": "fitsKeywords", "sourceName": name, "keywords": keywords})

    def source(self, name: str) -> dict[str, Any]:
        return {"type": "fitsFile", "sourceName": name, "location": f"{name}.fits"}

    def specification(self) -> str:
        document = {"id": "daq-1", "sources": self.sources, "target": self.target}
        path = self.folder / "specification.json"
        path.write_bytes(msgspec.json.encode(document))
        return str(path)

    def merge(
        self,
        specification: str | None = None,
        *,
        root: Path | None = None,
        outfile: Path | None = None,
        dry_run: bool = False,
        logfile: Path | None = None,
    ) -> int:
        """Merge and keep the messages; without an argument, what was built up here."""
        return merge(
            specification or self.specification(),
            root=root,
            outfile=outfile,
            dry_run=dry_run,
            logfile=logfile,
            on_message=self.messages.append,
            clock=self.clock,
        )

    def of(self, type_: MergeMessageType) -> list[MergeMessage]:
        return [message for message in self.messages if message.type is type_]

    def error(self) -> str:
        (message,) = self.of(MergeMessageType.ERROR)
        assert self.messages[-1] is message
        return message.content.message


def hdu_names(path: Path) -> list[str]:
    """Return the names of all HDUs."""
    with fits.open(path) as hdus:
        return [hdu.name for hdu in hdus]


def primary_header(path: Path) -> fits.Header:
    """Return the primary header; a wrong checksum anywhere fails the test."""
    with fits.open(path, checksum=True) as hdus:
        hdus.verify("exception")
        return hdus[0].header.copy()
