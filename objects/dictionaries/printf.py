"""Value formats: C printf conversions, applied exactly as C does.

Only those that make sense for a FITS value: ``s`` for strings, ``c`` for logicals (``T`` or
``F``), ``d i u`` for integers, ``f F e E`` for reals. ``g`` is forbidden: it drops zeros, so
the number of digits would depend on the value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from idl_like_interfaces.dictionaries import ValueType
from idl_like_interfaces.keywords import KeywordValue

_CONVERSION = re.compile(
    r"%(?P<flags>[-+ #0]*)(?P<width>[0-9]{0,2})(?P<point>\.(?P<precision>[0-9]{0,2}))?"
    r"(?:hh|h|ll|l|L|q|j|z|t)?(?P<letter>[A-Za-z])"
)

LETTERS: dict[ValueType, str] = {
    ValueType.STRING: "s",
    ValueType.LOGICAL: "c",
    ValueType.INTEGER: "diu",
    ValueType.DOUBLE: "fFeE",
}

_FLAGS = {"s": "-", "c": "-", "u": "-0", "d": "-+ 0", "i": "-+ 0"}
"""Flags that C defines for a conversion; with the others anything may happen."""
_FLAGS_OF_REALS = "-+ #0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A conversion, taken apart.

    Attributes:
        flags: Of ``- + blank # 0``.
        width: Least number of characters; 0: any.
        precision: Digits behind the point, or of an integer, or characters of a string;
            ``None``: not given.
        letter: What it converts.
    """

    flags: str
    width: int
    precision: int | None
    letter: str

    def apply(self, value: KeywordValue) -> str:
        """Write a value as C does; it must be of the right type and finite."""
        match value:
            case bool():
                return self._padded("T" if value else "F")
            case str():
                return self._padded(value[: self.precision])
            case int() if self.letter in LETTERS[ValueType.INTEGER]:
                return self._integer(value)
            case _:
                # For reals Python does the same as C, to the last digit.
                return f"%{self.flags}{self.width or ''}{self._point}{self.letter}" % value

    @property
    def _point(self) -> str:
        return "" if self.precision is None else f".{self.precision}"

    def _padded(self, text: str) -> str:
        return text.ljust(self.width) if "-" in self.flags else text.rjust(self.width)

    def _integer(self, value: int) -> str:
        # Written out, for Python differs: %05.3d, and %.0d of 0, which is nothing at all.
        digits = str(abs(value)).rjust(self.precision or 0, "0")
        if self.precision == 0 and value == 0:
            digits = ""
        plus = "+" if "+" in self.flags else " " if " " in self.flags else ""
        sign = "-" if value < 0 else plus
        if "0" in self.flags and "-" not in self.flags and self.precision is None:
            digits = digits.rjust(self.width - len(sign), "0")
        return self._padded(sign + digits)


@lru_cache(maxsize=1024)
def parse_format(text: str) -> Format | None:
    """Take a conversion apart; ``None`` when it is none, or has more text around it."""
    found = _CONVERSION.fullmatch(text)
    if found is None:
        return None
    return Format(
        flags=found["flags"],
        width=int(found["width"] or 0),
        precision=int(found["precision"] or 0) if found["point"] else None,
        letter=found["letter"],
    )


def complaint_about(text: str, type_: ValueType) -> str:
    """Say why a format is no good for a type; empty: it is."""
    found = parse_format(text)
    if found is None:
        return f"{text!r} is not one C printf conversion, such as %.3f, with at most 2 digits each"
    if found.letter in "gG":
        return (
            f"{text!r}: the conversion {found.letter} is forbidden, its digits vary with the value"
        )
    if found.letter not in LETTERS[type_]:
        wanted = " or ".join(LETTERS[type_])
        return f"{text!r} does not fit the type {type_}, which wants the conversion {wanted}"
    undefined = set(found.flags) - set(_FLAGS.get(found.letter, _FLAGS_OF_REALS))
    if undefined:
        return f"{text!r}: C does not define the flag {min(undefined)!r} for {found.letter}"
    return ""
