"""What the servants ask of numbers of versions."""

from __future__ import annotations

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.project import NoSuchVersion, VersionConflict

MOST_VERSIONS = 1000
"""In one reply."""

_LARGEST = 2**53


def check_page(limit: int, before: int) -> None:
    """See that a page of a history can be given.

    Raises:
        BadParam: The limit or the number is out of range.
    """
    if not 1 <= limit <= MOST_VERSIONS:
        raise BadParam(
            f"the limit {limit} is not within 1 to {MOST_VERSIONS}",
            field="limit",
            remedy="ask page by page, with 'before'",
        )
    if not 0 <= before <= _LARGEST:
        raise BadParam(
            f"no version has the number {before}",
            field="before",
            remedy="give the number of a version, or 0",
        )


def check_number(version: int, name: str = "") -> None:
    """See that there can be a version of this number.

    Raises:
        NoSuchVersion: There cannot.
    """
    if not 0 <= version <= _LARGEST:
        raise no_such_version(version, name)


def no_such_version(version: int, name: str = "") -> NoSuchVersion:
    """Return the refusal of what is not there."""
    what = f"configuration {name!r}" if name else "project information"
    found = f"there is no version {version} of the {what}" if version else f"there is no {what}"
    return NoSuchVersion(
        found,
        name=name,
        version=version,
        remedy="see with `obsorb project config list` or `obsorb project history` what there is",
    )


def check_expected(expected: int, present: int, changed_by: str, what: str) -> None:
    """See that nobody else has changed it.

    Args:
        expected: Version that the caller knows; 0: any will do.
        present: Version that it has.
        changed_by: Who made that.
        what: It, in words.

    Raises:
        VersionConflict: Somebody has.
    """
    if expected and expected != present:
        raise VersionConflict(
            f"the {what} has version {present} by now, not {expected}",
            version=present,
            changed_by=changed_by,
            cause=f"{changed_by or 'somebody'} has changed it meanwhile",
            remedy="look at it, and change it again with that version",
        )
