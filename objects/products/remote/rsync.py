"""The program rsync: its command line, and what its output means."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from objects.products.cancel import Cancel
from objects.products.merger import find_program
from objects.products.remote.failures import failure
from objects.products.remote.following import follow
from objects.products.transfer import RETRY, TransferFailed

_SSH_OPTIONS = (
    # Nobody is there who could answer; a wait has an end.
    "BatchMode=yes",
    "ConnectTimeout=10",
    "ServerAliveInterval=10",
    "ServerAliveCountMax=3",
    # A master that stays behind would keep our pipes open.
    "ControlMaster=no",
)

_GLOBS = re.compile(r"[*?\[]")
_ITEM = re.compile(r"(?P<flags>[<>.ch*][fdLDS].{9}) (?P<size>\d+)")
_PROGRESS = re.compile(r"\s*[\d,.]+\s+(?P<percent>\d+)%\s+(?P<speed>\S+/s)")
_GRACE_S = 3.0
_SLOWEST_DISK = 10e6
"""Bytes a second that are at least read when both sides compare what they have."""

_CHANGES = slice(2, 5)  # checksum, size, time: see "itemize-changes" in rsync(1)

OnSize = Callable[[int], None]
OnProgress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RsyncSettings:
    """How rsync is called.

    Attributes:
        program: The program.
        ssh_command: The program that reaches other hosts, with its options.
        timeout_s: A transfer from which nothing comes so long has failed.
    """

    program: str = "rsync"
    ssh_command: str = "ssh"
    timeout_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a comparison found.

    Attributes:
        is_new: There is nothing at the target.
        changes: Which of checksum, size and time differ, as rsync writes them; all dots
            or blanks: none.
        size: Of the source, in bytes.
    """

    is_new: bool
    changes: str
    size: int

    @property
    def is_same(self) -> bool:
        """Tell whether content, size and time are equal."""
        return not self.is_new and not self.changes.strip(". ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of rsync.

    Attributes:
        source: Path or ``host:path``.
        target: Likewise; one of both is on another host.
        host: That host.
        place: Whose disk is written to, in words.
    """

    source: str
    target: str
    host: str
    place: str


class Rsync:
    """Moves one file at a time, or compares it."""

    def __init__(self, settings: RsyncSettings) -> None:
        self._settings = settings

    def move(
        self,
        call: Call,
        options: Sequence[str],
        cancel: Cancel,
        on_size: OnSize = lambda _: None,
        on_progress: OnProgress = lambda _: None,
    ) -> int:
        """Transfer a file, and return its size.

        Args:
            call: From where to where.
            options: Further ones.
            cancel: Ends it.
            on_size: Told the size before the first byte comes; what it raises ends it.
            on_progress: Told how far it is.

        Raises:
            TransferFailed: With cause and remedy.
            Cancelled: Asked to end.
        """
        item = self._run(
            call,
            ["--ignore-times", "--info=progress2", *options],
            self._settings.timeout_s,
            cancel,
            on_size,
            on_progress,
        )
        return int(item["size"])

    def compare(
        self, call: Call, size: int, cancel: Cancel, *, quickly: bool = False
    ) -> Difference:
        """Compare both by checksum (``quickly``: by size and time); nothing is written.

        Raises:
            TransferFailed: With cause and remedy.
            Cancelled: Asked to end.
        """
        options = ["--dry-run"] if quickly else ["--dry-run", "--checksum"]
        patience_s = self._settings.timeout_s + size / _SLOWEST_DISK
        item = self._run(call, options, patience_s, cancel)
        flags = item["flags"]
        return Difference(is_new="+" in flags, changes=flags[_CHANGES], size=int(item["size"]))

    def _run(
        self,
        call: Call,
        options: Sequence[str],
        timeout_s: float,
        cancel: Cancel,
        on_size: OnSize = lambda _: None,
        on_progress: OnProgress = lambda _: None,
    ) -> re.Match[str]:
        items: list[re.Match[str]] = []

        def listen(line: str) -> None:
            if item := _ITEM.fullmatch(line):
                items.append(item)
                on_size(int(item["size"]))
            elif progress := _PROGRESS.match(line):
                on_progress(f"{progress['percent']} % at {progress['speed']}")

        command = [*self._command(timeout_s), *options, "--", call.source, call.target]
        try:
            ended = follow(command, listen, cancel, _GRACE_S)
        except OSError as error:
            raise _no_program(self._settings.program) from error
        cancel.check()
        if ended.code:
            raise failure(ended.code, ended.errors, host=call.host, place=call.place)
        if not items or items[-1]["flags"][1] != "f":
            raise _not_regular()
        return items[-1]

    def _command(self, timeout_s: float) -> list[str]:
        program = find_program(self._settings.program)
        if program is None:
            raise _no_program(self._settings.program)
        return [
            program,
            "--protect-args",  # no shell of the other host reads a path
            "--copy-links",
            "--times",
            "--itemize-changes",
            "--itemize-changes",  # twice: what is equal is told, too
            "--out-format=%i %l",
            "--outbuf=None",
            f"--timeout={max(1, round(timeout_s))}",
            f"--rsh={_shell(self._settings.ssh_command)}",
        ]


def far(host: str, path: str) -> str:
    """Return ``host:path`` of a file to be read, so that only this file is meant.

    Raises:
        TransferFailed: That cannot be said to rsync.
    """
    if not _GLOBS.search(path):
        return f"{host}:{path}"
    # The other rsync expands patterns, whoever else is kept from reading the path.
    if "\\" in path:
        raise TransferFailed(
            f"the path {path!r} cannot be given to rsync",
            cause="it has both a backslash and one of *?[",
            remedy="rename the file, or mount its disk here and give the local path",
        )
    return f"{host}:{_GLOBS.sub(lambda found: chr(92) + found[0], path)}"


def _shell(ssh_command: str) -> str:
    """Return a command as rsync reads it; options that were given come first and count."""
    words = shlex.split(ssh_command) or ["ssh"]
    ours = [word for option in _SSH_OPTIONS for word in ("-o", option)]
    # rsync knows quotes, and a doubled one within, but no backslashes.
    return " ".join("'" + word.replace("'", "''") + "'" for word in [*words, *ours])


def _no_program(name: str) -> TransferFailed:
    return TransferFailed(
        f"rsync cannot be started: there is no program {name!r}",
        cause="rsync is not installed here, or the setting bin_rsync names another program",
        remedy=f"install it, or correct the setting and restart the DPM, {RETRY}",
    )


def _not_regular() -> TransferFailed:
    return TransferFailed(
        "it is not a regular file",
        cause="the source named a folder or device",
        remedy="correct what the source delivers and start the acquisition again",
    )
