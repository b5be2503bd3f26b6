"""The document of exported names: what is in it, and what is refused."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from controller.failure import CommandFailed
from idl_like_interfaces.naming import REFERENCE

FORMAT: Final = "obsorb names"
VERSION = 1

_COMPONENT = "[A-Za-z0-9._~+:-]{1,64}"

Name = Annotated[str, Meta(pattern=rf"\A{_COMPONENT}(/{_COMPONENT}){{0,15}}\Z", max_length=512)]
Reference = Annotated[str, Meta(pattern=rf"\A(?:{REFERENCE.pattern})\Z", max_length=1024)]


class ExportedBinding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An object that was bound.

    Attributes:
        name: Its full name.
        uri: Where it is.
        interface: Repository id; empty: none.
        metadata: The marks.
        leased_to: Holder of the lease under which it stood; empty: it stood without one.
    """

    name: Name
    uri: Reference
    interface: str = ""
    metadata: dict[str, str] = {}
    leased_to: str = ""


class Export(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file of exported names holds.

    Attributes:
        format: Tells it from other documents.
        version: Of the format.
        exported_at: When.
        contexts: Full names, each after the contexts that it is in.
        bindings: The objects, sorted by name.
    """

    format: Literal["obsorb names"] = FORMAT
    version: int = VERSION
    exported_at: datetime
    contexts: list[Name]
    bindings: list[ExportedBinding]


class _Head(msgspec.Struct, frozen=True):
    """What is read first, so that a newer document is not taken for a wrong one."""

    format: str
    version: int


def to_text(export: Export) -> str:
    """Return the document for people and programs."""
    return msgspec.json.format(msgspec.json.encode(export), indent=2).decode() + "\n"


def read_export(text: str, source: str) -> Export:
    """Read a document.

    Args:
        text: Of the file.
        source: What the file is called in an error.

    Raises:
        CommandFailed: It is none, of another version, or a field of it is wrong.
    """
    try:
        head = msgspec.json.decode(text, type=_Head)
        if head.format != FORMAT or head.version != VERSION:
            raise _of_another_kind(head, source)
        export = msgspec.json.decode(text, type=Export)
    except msgspec.DecodeError as error:
        raise _wrong(str(error), source) from error
    _refuse_twice(export, source)
    return export


def _refuse_twice(export: Export, source: str) -> None:
    names = Counter([*export.contexts, *(each.name for each in export.bindings)])
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise _wrong(f"{twice[0]!r} is there more than once, in $.contexts or $.bindings", source)


def _wrong(what: str, source: str) -> CommandFailed:
    return CommandFailed(
        f"{source} is not a document of exported names: {what}",
        cause="it was changed by hand, is cut off, or another file was meant",
        remedy="correct the field ($ is the document), or export again; nothing was imported",
    )


def _of_another_kind(head: _Head, source: str) -> CommandFailed:
    if head.format != FORMAT:
        return _wrong(f"its $.format is {head.format!r}, not {FORMAT!r}", source)
    return CommandFailed(
        f"{source} has version {head.version} of the format, this obsorb reads {VERSION}",
        cause="another release has written it",
        remedy="import it with that release; nothing was imported",
    )
