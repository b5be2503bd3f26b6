"""Control of the runs for a command: from the token file, or taken for its time."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from controller.cli.output import print_note
from controller.failure import CommandFailed
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.run_control import Control, NotInControl

if TYPE_CHECKING:
    from idl_like_interfaces.run_control import RunControl

TOKEN_ENVIRONMENT = "OBSORB_RUN_TOKEN"  # noqa: S105 (the name of a variable)
"""Path of the token file."""

FOR_A_COMMAND_S = 15.0
"""Renewed while a command works and released at its end; so long one that was killed keeps it."""

RENEWALS = 5
"""In a term: some may fail."""

_MODE = 0o600


def token_file(root: str) -> Path:
    """Return where the token of ``obsorb run take`` is kept."""
    if named := os.environ.get(TOKEN_ENVIRONMENT):
        return Path(named)
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "obsorb" / f"run-control-{root.replace('/', '_')}.json"


def keep(file: Path, control: Control) -> None:
    """Keep a token for later commands, readable by its owner only.

    Raises:
        CommandFailed: It cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_name(f".{file.name}.part")
        with suppress(FileNotFoundError):
            beside.unlink()
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "wb") as part:  # noqa: PTH123 (a descriptor)
            part.write(msgspec.json.encode(control))
        beside.replace(file)
    except OSError as error:
        raise CommandFailed(
            f"the token cannot be kept in {file}: {error.strerror}",
            cause="the folder is read-only, or the disk is full",
            remedy=f"name another file in ${TOKEN_ENVIRONMENT}; you have control until its term ends",
        ) from error


def kept(file: Path) -> Control | None:
    """Return what is kept; None: nothing, or it cannot be read."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Control)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        print_note(f"{file} is passed over: {error}")
        return None


def forget(file: Path) -> None:
    """Forget the token."""
    with suppress(OSError):
        file.unlink()


def place() -> str:
    """Say from where: host and terminal."""
    try:
        terminal = os.ttyname(2)
    except OSError:
        terminal = f"process {os.getpid()}"
    return f"{socket.gethostname()} {terminal}"


@contextmanager
def controlling(
    service: RunControl, file: Path, operator: str, *, is_forced: bool
) -> Iterator[str]:
    """Have control for a command: yield the token.

    That of ``obsorb run take`` is renewed and used. Without one control is taken when nobody
    has it, and given back at the end.

    Raises:
        ControlHeld: Somebody has it.
        NotInControl: It was taken away from who has the token file.
    """
    token = _renewed(service, file, is_forced=is_forced)
    if token:
        yield token
        return
    taken = service.take_control(operator, place(), FOR_A_COMMAND_S, is_forced)
    try:
        with _renewing(service, taken.token):
            yield taken.token
    finally:
        with suppress(RemoteError):
            service.release_control(taken.token)


@contextmanager
def _renewing(service: RunControl, token: str) -> Iterator[None]:
    """Renew control in a thread of its own, until the end."""
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(FOR_A_COMMAND_S / RENEWALS):
            # Run control may be starting anew: it knows the lease when it is back.
            with suppress(RemoteError):
                service.renew_control(token)

    thread = threading.Thread(target=renew, name="run control lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(1.0)  # a call to who is away may take longer


def _renewed(service: Any, file: Path, *, is_forced: bool) -> str:
    mine = kept(file)
    if mine is None:
        return ""
    try:
        service.renew_control(mine.token)
    except NotInControl as error:
        forget(file)
        if error.holder and not is_forced:
            raise
        print_note("control of `obsorb run take` has ended; it is taken for this command")
        return ""
    return mine.token
