"""Finding the interface or the object that an argument means."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from controller.cli.session import Session
from controller.failure import CommandFailed
from idl_like_interfaces.naming import OBJECT_ID

if TYPE_CHECKING:
    from idl_like_interfaces.declare import Interface
    from idl_like_interfaces.description import InterfaceDescription
    from idl_like_interfaces.mapping.calling.probe import Probe

_STDIN = "-"


def find_interface(text: str) -> Interface:
    """Return a declaration.

    Raises:
        CommandFailed: There is none of that name.
    """
    from idl_like_interfaces.idl.registry import NoSuchInterface, find

    try:
        return find(text)
    except NoSuchInterface as error:
        raise CommandFailed(
            str(error),
            cause="it is mistyped, or declared by a package that is not installed here",
            remedy="see `obsorb idl list`; give PACKAGE.MODULE:CLASS for one of your own",
        ) from error


def described(session: Session, text: str) -> InterfaceDescription:
    """Return the description of an interface, of a file, or of a living object.

    Raises:
        CommandFailed: There is nothing of that name.
        RemoteError: The object does not answer.
    """
    from idl_like_interfaces.description import describe

    if text == _STDIN:
        return _read(sys.stdin.buffer.read(), "stdin")
    if text.endswith(".json") or Path(text).is_file():
        return _read(_content(Path(text)), text)
    if _is_of_object(text):
        return _told(session, text)
    return describe(find_interface(text))


def open_probe(session: Session, name: str) -> Probe:
    """Connect to a living object.

    Raises:
        CommandFailed: The name stands for a context.
        RemoteError: There is no such name, or the object does not answer.
    """
    from idl_like_interfaces.mapping.calling.probe import Probe

    if name.startswith("PYRO:"):
        return Probe(name)
    with session.connect() as names:
        if name == OBJECT_ID:
            return Probe(names.reference)  # the name server itself, which is not bound
        binding = names.context.resolve(name)
        if not binding.uri:
            raise CommandFailed(
                f"{name} is a context, not an object",
                remedy=f"choose one of `obsorb names list {name}`",
            )
        return Probe(binding.uri)


def _is_of_object(text: str) -> bool:
    """A text with a stroke is a name, unless it is the path of a declared interface."""
    from idl_like_interfaces.idl.registry import NoSuchInterface, find

    if text.startswith(("PYRO:", "IDL:")):
        return text.startswith("PYRO:")
    if "/" not in text:
        return False
    try:
        find(text)
    except NoSuchInterface:
        return True
    return False


def _told(session: Session, name: str) -> InterfaceDescription:
    from idl_like_interfaces.description import InterfaceDescription

    with open_probe(session, name) as probe:
        found = probe.read(InterfaceDescription, "get_interface")
    if found.operations and not found.signatures:
        raise CommandFailed(
            f"{name} tells the names of its operations only, not their signatures",
            cause="it is of an older release",
            remedy="bring its component to this release",
        )
    return _sound(found, name)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandFailed(
            f"{path} cannot be read: {error.strerror}",
            remedy="give a file that `obsorb idl show --json` has written",
        ) from error


def _read(content: bytes, where: str) -> InterfaceDescription:
    from idl_like_interfaces.description import InterfaceDescription

    try:
        return _sound(msgspec.json.decode(content, type=InterfaceDescription), where)
    except (msgspec.DecodeError, RecursionError) as error:
        raise CommandFailed(
            f"{where} is not the description of an interface: {error}",
            cause="it was written by something else, or by a newer release",
            remedy="write it with `obsorb idl show --json INTERFACE`",
        ) from error


def _sound(found: InterfaceDescription, where: str) -> InterfaceDescription:
    from idl_like_interfaces.idl.soundness import flaw_of

    if flaw := flaw_of(found):
        raise CommandFailed(
            f"{where} is not the description of an interface: {flaw}",
            cause="it was changed by hand, or is not of obsorb",
            remedy="write it with `obsorb idl show --json INTERFACE`",
        )
    return found
