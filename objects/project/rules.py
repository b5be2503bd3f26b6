"""What a change makes of the project information (pure decisions)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.mapping.context import current_caller
from idl_like_interfaces.project import ProjectChange, ProjectInformation

LONGEST_VALUE = 255
LONGEST_COMMENT = 1000
MOST_ENTRIES = 100

FIELDS = ("project", "operator", "flight")
CONTEXT = "context."
"""So begins the name of a field that is an entry of the context."""

_ENTRY = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def check_change(change: ProjectChange) -> None:
    """See that a change can be made.

    Raises:
        BadParam: It cannot; the field is named.
    """
    for name in FIELDS:
        value = getattr(change, name)
        if value is not None:
            check_text(value, f"change.{name}", LONGEST_VALUE, may_be_empty=False)
    for entry, value in change.context.items():
        _check_entry(entry)
        check_text(value, f"change.context.{entry}", LONGEST_VALUE)
    check_text(change.comment, "change.comment", LONGEST_COMMENT)


def check_text(text: str, field: str, longest: int, *, may_be_empty: bool = True) -> None:
    """See that a text can stand in any file.

    Raises:
        BadParam: It is too long, has control characters, or is empty and must not be.
    """
    if not text.strip() and (text or not may_be_empty):
        found = "is empty"
    elif len(text) > longest:
        found = f"has {len(text)} characters, {longest} are the most"
    elif not text.isprintable():
        found = "has control characters"
    else:
        return
    raise BadParam(f"{field} {found}", field=field, remedy="give a text of one line")


def _check_entry(name: str) -> None:
    if not _ENTRY.fullmatch(name):
        raise BadParam(
            f"change.context: {name[:80]!r} is no name of an entry",
            field="change.context",
            cause="it has other characters than letters, digits and _.-, or more than 64",
            remedy="choose another name",
        )


def changed(
    present: ProjectInformation, change: ProjectChange, by: str, now: datetime
) -> ProjectInformation:
    """Return what a change makes of the present information; the same when it changes nothing.

    Raises:
        BadParam: The context would have too many entries.
    """
    context = {name: text for name, text in {**present.context, **change.context}.items() if text}
    if len(context) > MOST_ENTRIES:
        raise BadParam(
            f"the context would have {len(context)} entries, {MOST_ENTRIES} are the most",
            field="change.context",
            remedy="remove some that are not needed, by an empty text",
        )
    values = {name: getattr(change, name) for name in FIELDS}
    wanted = replace(
        present,
        **{name: value for name, value in values.items() if value is not None},
        context=context,
    )
    if wanted == present and not change.comment:
        return present
    return replace(
        wanted,
        comment=change.comment,
        version=present.version + 1,
        changed=now,
        changed_by=by,
    )


def values_of(information: ProjectInformation) -> dict[str, str]:
    """Return all values that are not empty, by field."""
    values = {name: getattr(information, name) for name in FIELDS}
    values |= {f"{CONTEXT}{name}": text for name, text in information.context.items()}
    return {field: value for field, value in values.items() if value}


def since_of(
    before: Mapping[str, datetime], old: ProjectInformation | None, new: ProjectInformation
) -> dict[str, datetime]:
    """Return since when each value of a new version is what it is.

    Args:
        before: The same of the version before.
        old: The version before; None: there is none.
        new: The new version.
    """
    known = values_of(old) if old is not None else {}
    return {
        field: before.get(field, new.changed) if known.get(field) == value else new.changed
        for field, value in values_of(new).items()
    }


def who(by: str) -> str:
    """Return who makes a change: the identity of the caller's certificate, then what it says.

    Raises:
        BadParam: What it says is too long or has control characters.
    """
    check_text(by, "by", LONGEST_VALUE)
    identity = current_caller().identity
    return ": ".join(filter(None, [identity, by if by != identity else ""]))
