"""FITS keywords as JSON (``FitsKeyword``) and the rules that choose among them."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta, field

from idl_like_interfaces.declare import Document, Finite

# For fullmatch: alone a dollar sign matches in front of a line break at the end, too.
STANDARD_NAME = r"^[A-Z0-9_-]{1,8}$"
ESO_NAME = r"^[A-Z0-9_-]+( [A-Z0-9_-]+)*$"

KeywordValue: TypeAlias = bool | int | Finite | str
"""Logical, integer (int64 or uint64), real or string; a string stays a string."""


class ValueKeyword(Document, frozen=True, kw_only=True, tag="valueKeyword"):
    """A standard FITS keyword.

    Attributes:
        name: 1 to 8 characters of ``A-Z 0-9 _ -``.
        value: Its value.
        comment: Its comment; None: none.
    """

    name: Annotated[
        str, Meta(pattern=STANDARD_NAME, description="1 to 8 characters of A-Z 0-9 _ -")
    ]
    value: KeywordValue
    comment: str | None = None


class EsoKeyword(Document, frozen=True, kw_only=True, tag="esoKeyword"):
    """A ``HIERARCH ESO`` keyword.

    Attributes:
        name: Without that prefix, e.g. ``DET CHIP GAIN``; at most 63 characters.
        value: Its value.
        comment: Its comment; None: none.
    """

    name: Annotated[
        str,
        Meta(
            pattern=ESO_NAME,
            max_length=63,
            description="words of A-Z 0-9 _ - between single blanks, without HIERARCH ESO",
        ),
    ]
    value: KeywordValue
    comment: str | None = None


class LiteralKeyword(Document, frozen=True, kw_only=True, tag="literalKeyword"):
    """A card as text, e.g. ``COMMENT some text``.

    Attributes:
        value: The card, at most 80 printable ASCII characters.
    """

    value: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=80,
            pattern=r"^[ -~]*$",
            description="a card of at most 80 printable ASCII characters",
        ),
    ]


FitsKeyword: TypeAlias = ValueKeyword | EsoKeyword | LiteralKeyword


Pattern: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[+-][evc] \S.*(?!\n)$",
        description="a pattern such as '+e INS *': + or -, then e, v or c, a blank, and a glob",
    ),
]
"""Sign (``+`` adds, ``-`` removes), kind (``e`` ESO, ``v`` value, ``c`` commentary), blank, glob."""


class KeywordRuleFilter(Document, frozen=True, kw_only=True, tag="filter"):
    """Keeps the selected keywords and drops the others.

    Attributes:
        selection_patterns: Applied in order to an empty selection.
    """

    selection_patterns: list[Pattern] = field(name="selectionPatterns")


class KeywordRuleTransform(Document, frozen=True, kw_only=True, tag="transform"):
    """Renames the selected keywords; the others pass unchanged.

    Attributes:
        selection_patterns: Which are renamed.
        regex: Python regular expression, searched in the logical name.
        format: Replacement of its first occurrence.
    """

    selection_patterns: list[Pattern] = field(name="selectionPatterns")
    regex: str
    format: str


KeywordRule: TypeAlias = KeywordRuleFilter | KeywordRuleTransform
