"""The reference pages and the snapshots of all interfaces.

As a script it writes both anew; with ``--freeze`` it also keeps the snapshots as those of a
release, which no later change may break.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec

from idl_like_interfaces.declare import Interface
from idl_like_interfaces.description import InterfaceDescription, describe
from idl_like_interfaces.idl.pages import page_name, write_index, write_page
from idl_like_interfaces.idl.registry import declared

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "reference" / "interfaces"
SNAPSHOTS = Path(__file__).parent / "snapshots"
CURRENT = SNAPSHOTS / "current"
FROZEN = SNAPSHOTS / "frozen"


@cache
def pages() -> dict[str, str]:
    """Return the pages that the declarations as they are now give, by file name."""
    written = {page_name(each): write_page(each) for each in declared()}
    return written | {"index.md": write_index(declared())}


def snapshot_name(interface: Interface) -> str:
    """Return the name of the file that keeps an interface at its version."""
    path, _, version = interface.repository_id.removeprefix("IDL:").rpartition(":")
    return f"{path.replace('/', '.')}-{version}.json"


def snapshots() -> dict[str, str]:
    """Return the descriptions of all interfaces, by file name."""
    return {
        snapshot_name(each): msgspec.json.format(
            msgspec.json.encode(describe(each)), indent=1
        ).decode()
        + "\n"
        for each in declared()
    }


def frozen() -> Iterator[InterfaceDescription]:
    """Yield the descriptions that were released."""
    for path in sorted(FROZEN.glob("*.json")):
        yield msgspec.json.decode(path.read_bytes(), type=InterfaceDescription)


def stale(folder: Path, wanted: dict[str, str]) -> list[str]:
    """Name the files of a folder that are missing, too many or not as they should be."""
    found = {each.name: each.read_text(encoding="utf-8") for each in folder.iterdir()}
    names = found.keys() | wanted.keys()
    return sorted(name for name in names if found.get(name) != wanted.get(name))


def write(folder: Path, files: dict[str, str], *, clear: bool) -> None:
    """Write files; what else is in the folder goes when ``clear`` says so."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir() if clear else ():
        if path.name not in files:
            path.unlink()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def main() -> int:
    """Write pages and snapshots; ``--freeze``: keep them as those of a release."""
    write(PAGES, pages(), clear=True)
    write(CURRENT, snapshots(), clear=True)
    if "--freeze" in sys.argv[1:]:
        write(FROZEN, snapshots(), clear=False)
    sys.stdout.write(f"{PAGES.relative_to(ROOT)}\n{SNAPSHOTS.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
