"""Files of keys: made so that nobody else can read them, at no moment; checked before use."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from idl_like_interfaces.security.refusals import AlreadyIssued, KeyNotSafe, NoCertificate

FOLDER_MODE = 0o700
FILE_MODE = 0o600

_OTHERS = 0o077
_OTHERS_WRITE = 0o022


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner can enter; one that exists must be so already.

    Raises:
        KeyNotSafe: It exists and others can enter it, or it belongs to somebody else.
        OSError: It cannot be made.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        # A umask can take rights from this mode, never add any.
        folder.mkdir(FOLDER_MODE)
    except FileExistsError:
        _check(folder, folder.stat(), _OTHERS, "700")


def write_private(path: Path, content: bytes, *, replace: bool = False) -> None:
    """Write a file that only its owner can read, whole or not at all.

    Args:
        path: The file.
        content: Of it.
        replace: Take the place of one that exists.

    Raises:
        AlreadyIssued: It exists, and is not to be replaced.
        OSError: It cannot be written.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            part.replace(path)
        else:
            # Unlike a rename, a link never takes the place of something.
            os.link(part, path)
    except FileExistsError as error:
        raise AlreadyIssued(
            f"{path} exists and is not overwritten",
            path=str(path),
            remedy="use what is there, give another name or folder, or say --force",
        ) from error
    finally:
        part.unlink(missing_ok=True)


def check_private(path: Path) -> None:
    """Refuse a file of a key that somebody else can read, or its folder if they can change it.

    Raises:
        KeyNotSafe: It can be read by others, or belongs to somebody else.
        NoCertificate: It is not there.
    """
    try:
        found = path.stat()
        folder = path.parent.stat()
    except OSError as error:
        raise NoCertificate(
            f"the key file {path} cannot be used: {error.strerror}",
            path=str(path),
            cause="it was not copied with its certificate, or another user should run this",
            remedy="give the folder with --certs DIR or $OBSORB_CERTS; "
            "make keys with `obsorb certs init` and `obsorb certs issue NAME`",
        ) from error
    _check(path, found, _OTHERS, "600")
    _check(path.parent, folder, _OTHERS_WRITE, "700")


def _check(path: Path, found: os.stat_result, forbidden: int, wanted: str) -> None:
    if found.st_uid != os.geteuid():
        raise KeyNotSafe(
            f"{path} belongs to user {found.st_uid}, this process to user {os.geteuid()}",
            path=str(path),
            cause="who owns a file of a key can read and change it",
            remedy=f"run as its owner, or have it given: chown {os.geteuid()} {path}",
        )
    mode = stat.S_IMODE(found.st_mode)
    if mode & forbidden:
        raise KeyNotSafe(
            f"{path} has mode {mode:o}: others could read or change it",
            path=str(path),
            cause="it was copied or unpacked without its mode",
            remedy=f"chmod {wanted} {path}; if somebody may have read the key, issue a new one",
        )
