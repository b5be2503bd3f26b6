"""What a failed rsync means: its exit code, and what it or ssh has said."""

from __future__ import annotations

import re
from dataclasses import dataclass

from objects.products.transfer import RETRY, TransferFailed


class ConnectionLost(TransferFailed):
    """The other host was not there, or not to the end; what has come so far may be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trouble:
    """Something that is known to happen.

    Attributes:
        says: By what it is recognized.
        cause: ``{host}`` is the other host, ``{place}`` where it was written to.
        remedy: Likewise.
        passing: It may be over by itself.
    """

    says: str
    cause: str
    remedy: str
    passing: bool = False


MEANINGS = {
    1: "wrong usage",
    2: "the two rsync do not understand each other",
    3: "a file or folder cannot be used",
    4: "the other side cannot do that",
    5: "the conversation could not begin",
    10: "the connection failed",
    11: "a file could not be read or written",
    12: "the conversation broke off",
    13: "an error of rsync",
    14: "ssh cannot be run",
    20: "it was ended",
    21: "it was ended",
    22: "there was no memory left",
    23: "the file could not be transferred",
    24: "the file vanished",
    30: "nothing came for too long",
    35: "nothing came for too long",
    124: "the remote command failed",
    125: "the remote command was killed",
    126: "the remote command cannot be run",
    127: "there is no remote command",
    255: "ssh failed",
}

_FILE_ERROR = 11
_LOST = frozenset({10, 12, 30, 35, 255})

_TROUBLES = (
    _Trouble(
        says=r"Host key verification failed|HOST IDENTIFICATION HAS CHANGED|No \S+ host key is known",
        cause="the key of host {host} is not known here, or it has changed",
        remedy="compare it with that of the host, enter it in known_hosts (`ssh {host}` once, as the "
        f"DPM's user), {RETRY}",
    ),
    _Trouble(
        says=r"Permission denied \((publickey|password|keyboard|gssapi|hostbased)|Too many authentication",
        cause="host {host} refuses the key of the DPM's user",
        remedy="enter the public key in authorized_keys there, or name the right key and user in "
        f"ssh_command or ~/.ssh/config, {RETRY}",
    ),
    _Trouble(
        says=r"Could not resolve hostname|Name or service not known",
        cause="there is no host {host}, or the name server of the network does not answer",
        remedy=f"correct the name, or give the host an entry in ~/.ssh/config, {RETRY}",
    ),
    _Trouble(
        says=r"Connection refused",
        cause="no ssh server answers on host {host} at that port",
        remedy="start it, or name the right port in ssh_command or ~/.ssh/config; it is tried again by itself",
        passing=True,
    ),
    _Trouble(
        says=r"No route to host|Network is unreachable|timed out|Timeout, server",
        cause="host {host} is switched off, or the network to it is down",
        remedy="look after host and network; it is tried again by itself",
        passing=True,
    ),
    _Trouble(
        says=r"Failed to exec",
        cause="there is no such ssh program here",
        remedy=f"install ssh, or correct the setting ssh_command and restart the DPM, {RETRY}",
    ),
    _Trouble(
        says=r"rsync: (command )?not found|rsync: No such file or directory$|remote command not found",
        cause="rsync is not installed on host {host}, or not found by a login without terminal",
        remedy=f"install rsync there, {RETRY}",
    ),
    _Trouble(
        says=r"No space left on device",
        cause="the disk of {place} is full",
        remedy="free some space; it is tried again by itself, or retry the acquisition",
        passing=True,
    ),
    _Trouble(
        says=r"quota exceeded",
        cause="the quota on {place} is used up",
        remedy="free some space; it is tried again by itself, or retry the acquisition",
        passing=True,
    ),
    _Trouble(
        says=r"Read-only file system",
        cause="the file system of {place} is mounted read-only",
        remedy=f"mount it for writing, {RETRY}",
    ),
    _Trouble(
        says=r"Permission denied \(13\)",
        cause="the user has no permission on host {host}",
        remedy=f"give it the permission, {RETRY}",
    ),
    _Trouble(
        says=r"Not a directory \(20\)",
        cause="a part of the path is no folder",
        remedy=f"correct the path, or make it a folder, {RETRY}",
    ),
    _Trouble(
        says=r"No such file or directory \(2\)|file has vanished",
        cause="it was moved or deleted on host {host}, or its file system is not mounted there",
        remedy=f"put it back, {RETRY}",
    ),
)

_DISK = tuple(each for each in _TROUBLES if "{place}" in each.cause)
"""Then what has come so far is only in the way."""


def failure(code: int, errors: str, *, host: str, place: str) -> TransferFailed:
    """Say what went wrong.

    Args:
        code: Exit code of rsync; negative: the signal that ended it.
        errors: What rsync and ssh wrote to stderr.
        host: The other host.
        place: Whose disk was written to, in words.
    """
    found = next((each for each in _TROUBLES if re.search(each.says, errors, re.MULTILINE)), None)
    kind = ConnectionLost if code in _LOST and found not in _DISK else TransferFailed
    if found is None:
        found = _unknown(code)
    return kind(
        _description(code, errors),
        cause=found.cause.format(host=host, place=place),
        remedy=found.remedy.format(host=host, place=place),
        passing=found.passing,
    )


def _unknown(code: int) -> _Trouble:
    if code in _LOST or code < 0:
        return _Trouble(
            says="",
            cause="the connection to host {host} broke off or stood still",
            remedy="look after host and network; it is tried again by itself",
            passing=True,
        )
    if code == _FILE_ERROR:
        # The other rsync often ends before its last words have come over.
        return _Trouble(
            says="",
            cause="the disk of {place} is full or has a fault",
            remedy="look after that disk, free some space; it is tried again by itself, or retry the acquisition",
            passing=True,
        )
    return _Trouble(
        says="", cause="see the description", remedy=f"see the log of the DPM, repair it, {RETRY}"
    )


def _description(code: int, errors: str) -> str:
    meaning = MEANINGS.get(code, "it failed")
    what = f"signal {-code}" if code < 0 else f"exit code {code}: {meaning}"
    told = _told(errors)
    return f"rsync ended with {what}; {told}" if told else f"rsync ended with {what}"


def _told(errors: str) -> str:
    """Return the first line that says something, without what only follows from it."""
    lines = [line.strip() for line in errors.splitlines()]
    said = [line for line in lines if line and not _FOLLOWS.search(line)]
    return (said or [line for line in lines if line] or [""])[0][:300]


_FOLLOWS = re.compile(
    r"^rsync error:|connection unexpectedly closed|write error: Broken pipe|^[@ ]+$|^Warning: Permanently"
)
