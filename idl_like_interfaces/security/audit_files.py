"""Which files an audit log consists of, and where its chain ends."""

from __future__ import annotations

import io
import re
from pathlib import Path

from idl_like_interfaces.security.audit_chain import Head, unseal

SUFFIX = ".jsonl"

_ROTATED = re.compile(r"(?P<process>.+)\.(?P<number>\d{6,})")
_FIRST_LOOK = 64 * 1024


def current_file(folder: Path, process: str) -> Path:
    """Return the file that a process writes now."""
    return folder / f"{process}{SUFFIX}"


def next_rotated(folder: Path, process: str) -> Path:
    """Return the name under which the current file is kept when it is full."""
    number = max((number_of(each) for each in rotated(folder, process)), default=0) + 1
    return folder / f"{process}.{number:06d}{SUFFIX}"


def rotated(folder: Path, process: str) -> list[Path]:
    """Return the full files of a process, oldest first."""
    found = [each for each in folder.glob(f"*{SUFFIX}") if number_of(each)]
    mine = [each for each in found if process_of(each) == process]
    return sorted(mine, key=number_of)


def chain_files(folder: Path, process: str) -> list[Path]:
    """Return all files of a process, oldest first."""
    current = current_file(folder, process)
    return [*rotated(folder, process), *([current] if current.exists() else [])]


def processes(folder: Path) -> list[str]:
    """Return the names of the processes that have a log in a folder."""
    return sorted({process_of(each) for each in folder.glob(f"*{SUFFIX}")})


def process_of(path: Path) -> str:
    """Return the name of the process that wrote a file."""
    found = _ROTATED.fullmatch(path.name.removesuffix(SUFFIX))
    return found["process"] if found else path.name.removesuffix(SUFFIX)


def number_of(path: Path) -> int:
    """Return the number of a full file; 0: it is the current one."""
    found = _ROTATED.fullmatch(path.name.removesuffix(SUFFIX))
    return int(found["number"]) if found else 0


def find_end(folder: Path, process: str) -> tuple[Head, bytes] | None:
    """Find the end of a chain, and the octets of an unfinished line behind it.

    Returns:
        None when the last lines are whole, but not what was written.
    """
    for path in reversed(chain_files(folder, process)):
        if path.stat().st_size:
            return _end_of(path)
    return Head(), b""


def _end_of(path: Path) -> tuple[Head, bytes] | None:
    content = _tail(path, _FIRST_LOOK)
    lines = io.BytesIO(content).readlines()
    torn = b""
    for line in reversed(lines):
        try:
            record = unseal(line)
        except ValueError:
            if not is_unfinished(line):
                return None
            torn = line + torn
        else:
            return Head(record.seq, record.hash), torn
    # Nothing but unfinished lines: the very first one was torn.
    return (Head(), torn) if len(content) == path.stat().st_size else None


def is_unfinished(line: bytes) -> bool:
    """Tell whether a line is the begin of one that was being written."""
    return not line.rstrip(b"\n").endswith(b'"}') or not line.endswith(b"\n")


def _tail(path: Path, most: int) -> bytes:
    """Return the last octets of a file, from the begin of a line where there is one."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - most))
        content = file.read()
    return content if size <= most else content.partition(b"\n")[2]
