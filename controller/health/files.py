"""How many files the processes of this host may open: each connection is one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from controller.health.finding import Finding, Verdict, bad
from idl_like_interfaces.mapping.hosting.limits import Limits
from idl_like_interfaces.mapping.wire import host_name
from idl_like_interfaces.object import Identity

SPARE = 64
"""Files that are no connections."""

_FULL = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The open files of a process, and how many it may open."""

    opened: int
    allowed: int


def examine_files(identities: Mapping[str, Identity]) -> list[Finding]:
    """Examine the processes of objects that run on this host.

    Args:
        identities: Of the objects, by name.
    """
    here = {each.pid: name for name, each in identities.items() if each.host == host_name()}
    found = {name: files for pid, name in here.items() if (files := files_of(pid)) is not None}
    return list(judge_files(found, Limits().connections)) if found else []


def files_of(pid: int) -> Files | None:
    """Read the files of a process; None when it is gone or belongs to somebody else."""
    import psutil

    try:
        process = psutil.Process(pid)
        allowed, _ = process.rlimit(psutil.RLIMIT_NOFILE)
        return Files(opened=process.num_fds(), allowed=allowed)
    except psutil.Error:
        return None


def judge_files(found: Mapping[str, Files], connections: int) -> Iterable[Finding]:
    """Judge processes by what they may open; each has the name of one of its objects."""
    fullest = max(found, key=lambda name: found[name].opened / found[name].allowed)
    least = min(each.allowed for each in found.values())
    text = f"at most {found[fullest].opened} of {found[fullest].allowed} ({fullest})"
    if found[fullest].opened > _FULL * found[fullest].allowed:
        yield bad(
            "open files",
            text,
            cause="so many clients are connected, or files are not closed",
            remedy="raise the limit (`ulimit -n`, LimitNOFILE=) and start it again",
        )
    else:
        yield Finding(subject="open files", found=text)
    if least < connections + SPARE:
        yield Finding(
            subject="open files",
            verdict=Verdict.NOTE,
            found=f"a process may open {least}: fewer than the {connections} connections "
            "that it would serve",
            cause="the limit of the shell or service that started it",
            remedy=f"raise it to {connections + SPARE} or more (`ulimit -n`, LimitNOFILE=)",
        )
