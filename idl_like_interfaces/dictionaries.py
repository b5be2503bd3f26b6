"""What keyword dictionaries say: records of keywords, and what was found wrong in a file."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from idl_like_interfaces.declare import Document, Finite, Value


class DictionaryForm(StrEnum):
    """In which form a dictionary is written."""

    CLASSIC = "classic"
    """Text, ``ESO-VLT-DIC.<scope>``."""
    YAML = "yaml"
    """Plain YAML."""
    DID = "did"
    """``.did.yaml``: YAML with tags."""


class ValueType(StrEnum):
    """Of what type the value of a keyword is."""

    STRING = "string"
    LOGICAL = "logical"
    INTEGER = "integer"
    DOUBLE = "double"


Bound: TypeAlias = int | Finite | None
"""End of a range; ``None``: there is none on that side."""


class DictionaryRecord(Document, frozen=True, kw_only=True):
    """What a dictionary says of one keyword, or of all that differ in their indices only.

    Attributes:
        name: Logical name; ``#`` stands for an index, ``(#)`` for one that may be missing.
        type: Of its value.
        format: A C printf conversion, e.g. ``%.3f``; empty: the built-in format.
        unit: SI text; empty: none.
        lowest: The least value that is allowed.
        highest: The greatest one.
        choices: The only strings that are allowed; empty: all are.
        comment: For who gives none.
        default: What the dictionary proposes as value, as text.
        description: What it means, in one paragraph.
        classes: Where it is used, e.g. ``header``.
        context: Overall category.
        dictionary: Name of the dictionary.
        line: Where it begins in the file.
    """

    name: str
    type: ValueType
    format: str = ""
    unit: str = ""
    lowest: Bound = None
    highest: Bound = None
    choices: list[str] = []
    comment: str = ""
    default: str = ""
    description: str = ""
    classes: list[str] = []
    context: str = ""
    dictionary: str = ""
    line: int = 0

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return f"{self.dictionary}, line {self.line}"


class Dictionary(Value, frozen=True, kw_only=True):
    """A dictionary that was read.

    Attributes:
        path: The file.
        form: How it is written.
        name: As it calls itself.
        scope: What it is for.
        records: In the order of the file; each name once.
        notes: What is odd in it and does not matter for checking keywords.
    """

    path: str
    form: DictionaryForm
    name: str
    scope: str = ""
    records: list[DictionaryRecord] = []
    notes: list[str] = []


class Flaw(Value, frozen=True, kw_only=True):
    """Something wrong in a dictionary.

    Attributes:
        line: Where; 0: in no line of it.
        field: Which field; empty: none in particular.
        text: What was wanted and what was found.
        remedy: What to do.
    """

    line: int
    field: str = ""
    text: str
    remedy: str = ""

    def told(self, path: str) -> str:
        """Say it on one line that begins with the place, as compilers do."""
        place = f"{path}:{self.line}: " if self.line else f"{path}: "
        return place + (f"{self.field}: " if self.field else "") + self.text


class Duplicate(Value, frozen=True, kw_only=True):
    """A keyword that two dictionaries have.

    Attributes:
        name: Its name.
        used: File and line of the record that counts: the first one.
        unused: Those of the other one.
        is_same: Both say the same.
    """

    name: str
    used: str
    unused: str
    is_same: bool


class DictionaryReport(Document, frozen=True, kw_only=True):
    """What was found in one file.

    Attributes:
        path: The file.
        name: Of the dictionary.
        form: How it is written; ``None``: it could not be read.
        keywords: How many it has.
        notes: What is odd in it.
        flaws: What is wrong; then no component takes it.
    """

    path: str
    name: str = ""
    form: DictionaryForm | None = None
    keywords: int = 0
    notes: list[str] = []
    flaws: list[Flaw] = []


class DictionaryCheck(Value, frozen=True, kw_only=True):
    """What was found in several files that are used together."""

    files: list[DictionaryReport]
    duplicates: list[Duplicate] = []
