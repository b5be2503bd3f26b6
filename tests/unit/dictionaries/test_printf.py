"""Formats are applied as C does."""

from __future__ import annotations

import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.dictionaries import ValueType
from objects.dictionaries.printf import complaint_about, parse_format

_LIBC = ctypes.CDLL(None)
_ROOM = 1000

_WIDTHS = st.one_of(st.just(""), st.integers(0, 40).map(str))
_PRECISIONS = st.one_of(st.just(""), st.just("."), st.integers(0, 30).map(".{}".format))


def _flags(of: str) -> st.SearchStrategy[str]:
    return st.sets(st.sampled_from(of)).map(lambda found: "".join(sorted(found)))


def by_c(format: str, value: object) -> str:
    """Write a value with the C library of this host."""
    room = ctypes.create_string_buffer(_ROOM)
    _LIBC.snprintf(room, ctypes.c_size_t(_ROOM), format.encode(), value)
    return room.value.decode()


def by_us(format: str, value: bool | float | str) -> str:
    """Write a value with our own code."""
    found = parse_format(format)
    assert found is not None, format
    return found.apply(value)


@given(
    _flags("-+ #0"),
    _WIDTHS,
    _PRECISIONS,
    st.sampled_from("fFeE"),
    st.floats(allow_nan=False, allow_infinity=False),
)
@pytest.mark.spec("ESO-172")
def test_reals_are_written_as_by_c(
    flags: str, width: str, precision: str, letter: str, value: float
) -> None:
    """To the last digit, with all flags, widths and precisions."""
    format = f"%{flags}{width}{precision}{letter}"
    assert by_us(format, value) == by_c(format, ctypes.c_double(value))


@given(
    _flags("-+ 0"), _WIDTHS, _PRECISIONS, st.sampled_from("di"), st.integers(-(2**63), 2**63 - 1)
)
def test_integers_are_written_as_by_c(
    flags: str, width: str, precision: str, letter: str, value: int
) -> None:
    """Also where Python's own formatting differs from C."""
    format = f"%{flags}{width}{precision}ll{letter}"
    assert by_us(format, value) == by_c(format, ctypes.c_longlong(value))


@given(_flags("-0"), _WIDTHS, _PRECISIONS, st.integers(0, 2**64 - 1))
def test_unsigned_integers_are_written_as_by_c(
    flags: str, width: str, precision: str, value: int
) -> None:
    """Up to the largest of 64 bits."""
    format = f"%{flags}{width}{precision}llu"
    assert by_us(format, value) == by_c(format, ctypes.c_ulonglong(value))


@given(_flags("-"), _WIDTHS, _PRECISIONS, st.text("abc '%0", max_size=50))
def test_strings_are_written_as_by_c(flags: str, width: str, precision: str, value: str) -> None:
    """Padded and cut."""
    format = f"%{flags}{width}{precision}s"
    assert by_us(format, value) == by_c(format, ctypes.c_char_p(value.encode()))


@pytest.mark.parametrize(("value", "written"), [(True, "T"), (False, "F")])
def test_logicals_are_t_and_f(value: bool, written: str) -> None:
    """With the conversion for a character."""
    assert by_us("%c", value) == by_c("%c", ctypes.c_char(written.encode())) == written
    assert by_us("%3c", value) == f"  {written}"


@pytest.mark.parametrize(
    ("format", "type", "why"),
    [
        ("%.3g", ValueType.DOUBLE, "forbidden"),
        ("%G", ValueType.DOUBLE, "forbidden"),
        ("%d", ValueType.DOUBLE, "does not fit the type double"),
        ("%f", ValueType.INTEGER, "does not fit the type integer"),
        ("%x", ValueType.INTEGER, "does not fit the type integer"),
        ("%s", ValueType.LOGICAL, "wants the conversion c"),
        ("%n", ValueType.INTEGER, "does not fit"),
        ("%c", ValueType.STRING, "wants the conversion s"),
        ("%05s", ValueType.STRING, "does not define the flag '0'"),
        ("%+u", ValueType.INTEGER, r"does not define the flag '\+'"),
        ("%.3f m", ValueType.DOUBLE, "not one C printf conversion"),
        ("%*d", ValueType.INTEGER, "not one C printf conversion"),
        ("%1$d", ValueType.INTEGER, "not one C printf conversion"),
        ("%100d", ValueType.INTEGER, "at most 2 digits"),
        ("%٣d", ValueType.INTEGER, "not one C printf conversion"),
        ("%", ValueType.INTEGER, "not one C printf conversion"),
        ("d", ValueType.INTEGER, "not one C printf conversion"),
    ],
)
def test_a_format_that_makes_no_sense_is_refused(format: str, type: ValueType, why: str) -> None:
    """With the reason."""
    import re

    assert re.search(why, complaint_about(format, type))


@pytest.mark.parametrize(
    ("format", "type"),
    [
        ("%-10s", ValueType.STRING),
        ("%.0f", ValueType.DOUBLE),
        ("%12.5e", ValueType.DOUBLE),
        ("%lf", ValueType.DOUBLE),
        ("%+05ld", ValueType.INTEGER),
        ("%c", ValueType.LOGICAL),
    ],
)
def test_a_good_format_is_taken(format: str, type: ValueType) -> None:
    """Without a word."""
    assert complaint_about(format, type) == ""
