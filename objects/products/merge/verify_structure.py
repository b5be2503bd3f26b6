"""The mandatory keywords of a header: which, in which order and form, with which values."""

from __future__ import annotations

import re
from collections.abc import Iterator

from objects.products.merge.cards import parse_card, split_value
from objects.products.merge.layout import Hdu
from objects.products.merge.verify_findings import Found, error, warning

_KNOWN = frozenset({"IMAGE", "TABLE", "BINTABLE", "A3DTABLE", "IUEIMAGE", "FOREIGN", "DUMP"})
_WANTED = {
    "IMAGE": {"PCOUNT": 0, "GCOUNT": 1},
    "TABLE": {"BITPIX": 8, "NAXIS": 2, "PCOUNT": 0, "GCOUNT": 1},
    "BINTABLE": {"BITPIX": 8, "NAXIS": 2, "GCOUNT": 1},
}
_TABLES = frozenset({"TABLE", "BINTABLE"})
_STRINGS = ("EXTNAME", "DATE", "ORIGIN", "TELESCOP", "INSTRUME", "OBSERVER", "OBJECT")
_ORDER = "write the mandatory keywords first, in the order of the standard"


def verify_structure(hdu: Hdu) -> Iterator[Found]:
    """Yield what is wrong with the keywords that describe an HDU."""
    wanted = _mandatory(hdu)
    names = [parse_card(image).name for image in hdu.images[: len(wanted)]]
    for place, name in enumerate(wanted):
        if name not in hdu.values:
            yield error(f"the mandatory keyword {name} is missing")
        elif place >= len(names) or names[place] != name:
            yield error(f"{name} is not card {place + 1}, where it must stand", remedy=_ORDER)
        else:
            yield from _fixed_format(hdu.images[place])
    yield from _values(hdu)
    yield from _misplaced(hdu)


def extension_type(hdu: Hdu) -> str:
    """Return the value of XTENSION; empty for the primary HDU."""
    return hdu.values.get("XTENSION", "").strip("' ")


def number(hdu: Hdu, name: str, default: int) -> int:
    """Return the integer of a keyword; another value is the default (and told elsewhere)."""
    try:
        return int(hdu.values.get(name, default))
    except ValueError:
        return default


def _mandatory(hdu: Hdu) -> list[str]:
    axes = [f"NAXIS{axis + 1}" for axis in range(number(hdu, "NAXIS", 0))]
    if hdu.index == 0:
        return ["SIMPLE", "BITPIX", "NAXIS", *axes]
    more = ["TFIELDS"] if extension_type(hdu) in _TABLES else []
    return ["XTENSION", "BITPIX", "NAXIS", *axes, "PCOUNT", "GCOUNT", *more]


def _fixed_format(image: str) -> Iterator[Found]:
    value, _ = split_value(parse_card(image))
    if value.startswith("'"):
        good = image[10] == "'" and len(value) >= len("'12345678'")
    else:
        good = image[10:30] == value.rjust(20)
    if not good:
        yield error(
            f"{image[:8].rstrip()} is not in fixed format: {image.rstrip()!r}",
            remedy="let a number or logical end in column 30, a string begin in column 11 "
            "and have 8 characters",
        )


def _values(hdu: Hdu) -> Iterator[Found]:
    kind = extension_type(hdu)
    for name, value in _WANTED.get(kind, {}).items():
        if number(hdu, name, value) != value:
            yield error(f"{name} is {hdu.values[name]}, wanted {value} in {kind}")
    if hdu.index and kind not in _KNOWN:
        yield warning(f"XTENSION is {kind!r}, which is not registered")
    if "BLANK" in hdu.values and number(hdu, "BITPIX", 0) < 0:
        yield error("BLANK belongs to integers only, these data are real numbers")
    yield from _strings(hdu)
    if hdu.index == 0 and hdu.values.get("GROUPS") == "T":
        missing = [name for name in ("PCOUNT", "GCOUNT") if name not in hdu.values]
        if missing:
            yield error(f"{' and '.join(missing)}: missing, random groups need it")


def _strings(hdu: Hdu) -> Iterator[Found]:
    for name in _STRINGS:
        if hdu.values.get(name, "'")[:1] not in ("'", ""):
            yield warning(f"{name} is {hdu.values[name]}, wanted a string")


def _misplaced(hdu: Hdu) -> Iterator[Found]:
    names = hdu.values
    stranger = "XTENSION" if hdu.index == 0 else "SIMPLE"
    if stranger in names:
        yield error(f"{stranger} does not belong into this header")
    axes = number(hdu, "NAXIS", 0)
    beyond = [
        name
        for name in names
        if (found := re.fullmatch(r"NAXIS(\d+)", name)) and int(found[1]) > axes
    ]
    if beyond:
        yield error(f"{', '.join(beyond)} is more than NAXIS = {axes} allows")
    for place, image in enumerate(hdu.images[1:], 2):
        if image.startswith("EXTEND  ") and place <= axes + 3 and hdu.index == 0:
            yield error("EXTEND stands between the mandatory keywords", remedy=_ORDER)
