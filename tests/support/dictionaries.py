"""Dictionaries for tests, written short."""

from __future__ import annotations

from typing import Any

from idl_like_interfaces.dictionaries import (
    Dictionary,
    DictionaryForm,
    DictionaryRecord,
    ValueType,
)
from objects.dictionaries.lookup import Dictionaries
from objects.dictionaries.reading import parse_dictionary

CLASSIC = """\
Dictionary Name:   ESO-VLT-DIC.TEST
Scope:             TEST

Parameter Name:    EXPTIME
Class:             header
Context:           Instrument
Type:              double
Value Format:      %.3f
Unit:              s
Range:             (0, 3600)
Comment Format:    [s] Integration time
Description:       How long.

Parameter Name:    OBJECT
Type:              string
Value Format:      %.20s
Comment Format:    Target

Parameter Name:    INS FILTi ID
Type:              string
Range:             (OPEN, RED, BLUE)
Comment Format:    Filter

Parameter Name:    INS SHUT ST
Type:              logical
Value Format:      %c
Comment Format:    Shutter open

Parameter Name:    DET NDIT
Type:              integer
Value Format:      %d
Range:             (1, )
"""


def classic(text: str = CLASSIC, name: str = "ESO-VLT-DIC.TEST") -> Dictionary:
    """Read a classic dictionary from text."""
    return parse_dictionary(name, text.encode())


def record(name: str, type: ValueType = ValueType.INTEGER, **more: Any) -> DictionaryRecord:
    """Make a record."""
    return DictionaryRecord(name=name, type=type, dictionary="TEST", line=1, **more)


def of(*records: DictionaryRecord) -> Dictionaries:
    """Make one dictionary of records and look-up over it."""
    return Dictionaries(
        [Dictionary(path="TEST", form=DictionaryForm.CLASSIC, name="TEST", records=list(records))]
    )
