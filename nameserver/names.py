"""Syntax of what a binder gives: names, references, marks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

from idl_like_interfaces.declare import parse_repository_id
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.naming import REFERENCE, InvalidName

MAX_COMPONENTS = 16
"""Components of a name."""

MAX_NAME_LENGTH = 512
"""Characters of a whole name."""

MAX_URI_LENGTH = 1024
"""Characters of a reference."""

MAX_METADATA_LENGTH = 8192
"""Characters of all marks of one name, keys and values."""

MAX_HOLDER_LENGTH = 256
"""Characters of a lease's holder."""

TERM_LIMITS_S = (0.1, 3600.0)
"""Shortest and longest term of a lease."""

MAX_NAMES = 10_000
"""Names that are resolved at once."""

MAX_WAIT_S = 60.0
"""How long a watcher may wait for a change."""

Path: TypeAlias = tuple[str, ...]

_COMPONENT = re.compile(r"[A-Za-z0-9._~+:-]{1,64}")
_RULE = (
    "a name has up to 16 components joined by '/', each of 1 to 64 characters of "
    "A-Z a-z 0-9 . _ ~ + : -, and 512 characters at most"
)


def parse_name(text: str) -> Path:
    """Split a name into its components; the empty name (the root) has none.

    Raises:
        InvalidName: It breaks a rule.
    """
    if text == "":
        return ()
    components = tuple(text.split("/", MAX_COMPONENTS))
    problem = _problem(text, components)
    if problem:
        message = f"{text[:80]!r} is not a name: {problem}"
        raise InvalidName(message, cause=_RULE, remedy="correct the name", name=text)
    return components


def parse_bindable(text: str) -> Path:
    """Split a name that shall be bound or unbound: any but the root.

    Raises:
        InvalidName: It breaks a rule, or it is the root.
    """
    path = parse_name(text)
    if not path:
        raise InvalidName(
            "the root context has no name that could be bound or unbound",
            remedy="name something below the root",
            name=text,
        )
    return path


def parse_below(below: str) -> Path:
    """Split the name of a context in which something is searched.

    Raises:
        BadParam: It is not a name.
    """
    try:
        return parse_name(below)
    except InvalidName as error:
        raise BadParam(
            error.message, cause=error.cause, remedy=error.remedy, field="below"
        ) from error


def _problem(text: str, components: Path) -> str:
    if len(text) > MAX_NAME_LENGTH:
        return f"it has {len(text)} characters"
    if len(components) > MAX_COMPONENTS:
        return f"it has more than {MAX_COMPONENTS} components"
    bad = [each for each in components if not _COMPONENT.fullmatch(each)]
    if not bad:
        return ""
    return f"component {bad[0][:80]!r}" if bad[0] else "it has an empty component"


def check_reference(uri: str, interface: str, metadata: Mapping[str, str]) -> None:
    """Refuse what a name cannot stand for.

    Raises:
        BadParam: ``uri`` is not ``PYRO:id@host:port``, ``interface`` neither empty nor
            a repository id, or the marks are too long.
    """
    if len(uri) > MAX_URI_LENGTH or not REFERENCE.fullmatch(uri):
        raise BadParam(
            f"uri {uri[:80]!r} is not of the form PYRO:id@host:port",
            remedy="give the reference that the object's daemon made",
            field="uri",
        )
    if interface:
        check_repository_id(interface)
    length = sum(len(key) + len(value) for key, value in metadata.items())
    if length > MAX_METADATA_LENGTH:
        raise BadParam(
            f"the metadata have {length} characters, {MAX_METADATA_LENGTH} are allowed",
            remedy="keep marks short; data belong into the object",
            field="metadata",
        )


def check_repository_id(text: str) -> None:
    """Refuse a text that is not a repository id.

    Raises:
        BadParam: It is not of the form ``IDL:path[:major.minor]``.
    """
    try:
        parse_repository_id(text)
    except ValueError as error:
        raise BadParam(str(error), field="interface") from error


def check_terms(holder: str, term_s: float) -> None:
    """Refuse a lease without a holder or of a term that nobody can keep.

    Raises:
        InvalidName: The holder is empty.
        BadParam: The holder is too long, or the term is out of range.
    """
    if not holder:
        raise InvalidName("a lease needs a holder", remedy="say who takes it", name=holder)
    if len(holder) > MAX_HOLDER_LENGTH:
        raise BadParam(
            f"the holder has {len(holder)} characters, {MAX_HOLDER_LENGTH} are allowed",
            remedy="give a short name",
            field="holder",
        )
    shortest, longest = TERM_LIMITS_S
    if not shortest <= term_s <= longest:
        raise BadParam(
            f"a term of {term_s:g} s was wanted; it must be from {shortest:g} to {longest:g} s",
            remedy="give a term in this range and renew it in time",
            field="term_s",
        )


def check_count(count: int) -> None:
    """Refuse to resolve more names at once than an answer can hold.

    Raises:
        BadParam: They are too many.
    """
    if count > MAX_NAMES:
        raise BadParam(
            f"{count} names were to be resolved at once, {MAX_NAMES} are allowed",
            remedy="ask in several steps, or watch the names (changes)",
            field="names",
        )


def check_timeout(timeout_s: float) -> None:
    """Refuse a wait for changes that is negative or too long.

    Raises:
        BadParam: It is.
    """
    if not 0.0 <= timeout_s <= MAX_WAIT_S:
        raise BadParam(
            f"a wait of {timeout_s:g} s was wanted; it must be from 0 to {MAX_WAIT_S:g} s",
            remedy="wait shorter and ask again with the token of the answer",
            field="timeout_s",
        )
