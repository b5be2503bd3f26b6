"""Names of keywords in dictionaries: words in which ``#`` stands for an index.

``INS(#) FILT# ID`` is the name of ``INS FILT1 ID`` and ``INS2 FILT3 ID``. Classic
dictionaries write ``INS FILTi ID``; here a name has the form with ``#`` always.
"""

from __future__ import annotations

import re

LONGEST = 63
"""Characters of an ESO name that leave room for a value on its card."""
LONGEST_STANDARD = 8

_PLACEHOLDER = r"(?:\(#\)|#)"
_WORD = rf"[A-Z0-9_-]+(?:{_PLACEHOLDER}[A-Z0-9_-]+)*{_PLACEHOLDER}?"
_NAME = re.compile(rf"{_WORD}(?: {_WORD})*")
_INDEX = re.compile(r"\(#\)|#")
_VARYING = re.compile(r"[0-9]+|\(#\)|#")
_CLASSIC_INDEX = re.compile(r"(?<=[A-Z0-9_-])[ij](?![a-z])")


def from_classic(name: str) -> str:
    """Write the placeholders ``i`` (and ``j``, as in ``CDi_j``) of a classic name as ``#``."""
    return _CLASSIC_INDEX.sub("#", " ".join(name.split()))


def complaint_about(name: str) -> str:
    """Say what is wrong with a name; empty: nothing."""
    # The length first: what follows takes time that grows with it.
    if len(_INDEX.sub("", name[: 4 * LONGEST])) > LONGEST:
        return f"a name has at most {LONGEST} characters, this one begins with {name[:30]!r}"
    if not _NAME.fullmatch(name):
        return (
            f"{name!r} is not made of words of A-Z 0-9 _ - with single blanks between"
            " (and placeholders for an index, each behind a letter)"
        )
    return ""


def has_index(name: str) -> bool:
    """Tell whether a name stands for several keywords."""
    return "#" in name


def skeleton(name: str) -> str:
    """Return what is common to a name with placeholders and all keywords it stands for."""
    return _VARYING.sub("", name)


def matcher(name: str) -> re.Pattern[str]:
    """Return an expression for all keywords that a name stands for."""
    parts: list[str] = []
    at = 0
    for index in _INDEX.finditer(name):
        parts.append(re.escape(name[at : index.start()]))
        parts.append("[0-9]+" if index[0] == "#" else "[0-9]*")
        at = index.end()
    return re.compile("".join([*parts, re.escape(name[at:])]))


def is_standard(name: str) -> bool:
    """Tell whether a name is that of a standard keyword; else it is an ESO keyword's."""
    return " " not in name and len(name) <= LONGEST_STANDARD
