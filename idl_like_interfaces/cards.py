"""What a FITS card is, judged by its text; what text can stand on one."""

from __future__ import annotations

import re
import sys
from enum import StrEnum

CARD_LENGTH = 80
NAME_LENGTH = 8
VALUE_INDICATOR = "= "
ESO_PREFIX = "HIERARCH ESO "
COMMENTARY_NAMES = frozenset({"", "COMMENT", "HISTORY", "CONTINUE", "HIERARCH", "END"})
"""Names that never have a value, whatever stands in columns 9 and 10."""

STRUCTURE = re.compile(
    r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|EXTEND|PCOUNT|GCOUNT|GROUPS|BLOCKED"
    r"|TFIELDS|TFORM\d*|TBCOL\d+|END"
)
"""Names that describe the layout of their own HDU; they never travel."""

ESO_CARD = re.compile(r"HIERARCH ESO +(?P<name>[^ =']+(?: +[^ =']+)*) *=(?P<rest>.*)")
PRINTABLE = re.compile(r"[ -~]*")


class CardKind(StrEnum):
    """Kind of a card; the value is its letter in a selection pattern."""

    VALUE = "v"
    ESO = "e"
    COMMENTARY = "c"


def kind_and_name(card: str) -> tuple[CardKind, str]:
    """Tell kind and logical name of a card; trailing NULs count as blanks."""
    card = card.rstrip("\0 ").ljust(CARD_LENGTH)
    if card.startswith("HIERARCH") and (eso := ESO_CARD.fullmatch(card)):
        return CardKind.ESO, " ".join(eso["name"].split())
    name = sys.intern(card[:NAME_LENGTH].rstrip())  # it stands in several tables of each header
    has_value = card[NAME_LENGTH:].startswith(VALUE_INDICATOR) and name not in COMMENTARY_NAMES
    return (CardKind.VALUE if has_value else CardKind.COMMENTARY), name
