"""All FITS files that astropy and fitsio ship, found where they are installed, and their merges.

As a script it writes ``docs/reference/merge-fixtures.md`` anew.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import msgspec

from idl_like_interfaces.merging import MergeExit, MergeMessage, MergeMessageType
from objects.products.merge.tool import merge
from objects.products.merge.verify import verify_file

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "merge-fixtures.md"
PACKAGES = ("astropy", "fitsio")
FILE_ID = "INSX.fixture"

_NAMES = (".fits", ".fit", ".fts", ".fz", ".fits.gz", ".fits.bz2", ".fits.z")
_HEAD = """\
# Files that the merger was tried on

All FITS files that astropy and fitsio ship for their own tests, valid and invalid, also
headers as text (`.hdr`). Each is merged twice: as the in-place target of a product, and as
a source of a new one. A refusal has its exit code and what the message says; an alert its id.
*Errors* and *warnings* are those that `obsorb fits verify` finds in the file itself.

A test makes every merge again, examines each product, and compares the outcome with this page when
the packages are of the versions below. A new version may bring new files: `make fixtures` writes the
page anew, from what is installed. Look at the new lines before you commit them.

Made with {versions}.

| file | HDUs | errors | warnings | as target | as source |
|---|---|---|---|---|---|
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """How a merge of a file went.

    Attributes:
        product: The product; there when ``code`` is 0.
        code: The exit code.
        messages: What was told.
    """

    product: Path
    code: int
    messages: Sequence[MergeMessage]

    @property
    def outcome(self) -> str:
        """Say it in a cell of the table."""
        if self.code == MergeExit.OK:
            alerts = [m.content.id for m in self.messages if m.type is MergeMessageType.ALERT]
            return ", ".join(["merged", *(id.partition("/")[0] for id in alerts)])
        text = self.messages[-1].content.message.partition(": ")[2]
        return f"{self.code}: {text}".replace("|", "\\|")


def fixtures() -> dict[str, Path]:
    """Return the files by their path within the packages, sorted."""
    found: dict[str, Path] = {}
    for package in PACKAGES:
        spec = find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        base = Path(spec.origin).parent
        for path in sorted(base.rglob("*")):
            if path.is_file() and _is_fixture(path):
                found[path.relative_to(base.parent).as_posix()] = path
    return found


def merge_file(path: Path, folder: Path, *, as_target: bool) -> Merge:
    """Merge one file, as the target or as the only source of a new product."""
    source = {"type": "fitsFile", "sourceName": "file", "location": str(path)}
    document = {
        "id": "fixture",
        "sources": [] if as_target else [source],
        "target": {"fileId": FILE_ID} | ({"source": source} if as_target else {}),
    }
    folder.mkdir()
    specification = folder / "specification.json"
    specification.write_bytes(msgspec.json.encode(document))
    messages: list[MergeMessage] = []
    code = merge(str(specification), on_message=messages.append)
    return Merge(product=folder / f"{FILE_ID}.fits", code=code, messages=messages)


def row(name: str, path: Path, merges: Sequence[Merge]) -> str:
    """Return the line of a file."""
    report = verify_file(path)
    as_target, as_source = (each.outcome for each in merges)
    outcomes = [as_target, "the same" if as_source == as_target else as_source]
    cells = [f"`{name}`", report.hdus, report.errors, report.warnings, *outcomes]
    return f"| {' | '.join(map(str, cells))} |"


def rows() -> dict[str, str]:
    """Return the lines of the committed page by file."""
    lines = PAGE.read_text().splitlines()
    return {line.split("`")[1]: line for line in lines if line.startswith("| `")}


def is_of_these_packages() -> bool:
    """Tell whether the committed page was made with the versions that are installed."""
    return f"Made with {_versions()}." in PAGE.read_text()


def _versions() -> str:
    return " and ".join(f"{package} {version(package)}" for package in PACKAGES)


def _is_fixture(path: Path) -> bool:
    if path.name.lower().endswith(_NAMES):
        return True
    with path.open("rb") as file:
        return file.read(9) == b"SIMPLE  ="


def _lines() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, path) in enumerate(fixtures().items()):
            merges = [
                merge_file(path, Path(folder) / f"{number}-{as_target}", as_target=as_target)
                for as_target in (True, False)
            ]
            yield row(name, path, merges)


def main() -> None:
    """Write the page."""
    PAGE.write_text(_HEAD.format(versions=_versions()) + "\n".join(_lines()) + "\n")


if __name__ == "__main__":
    main()
