"""What the types of the documents cannot say: keywords that fit on cards, rules, places.

Coordinator, DPM and merger refuse by these functions, so what one of them takes the
next one takes, too, and all of them say the same. Each raises ``BadParam`` with the
path of the first fault.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from idl_like_interfaces.cards import (
    CARD_LENGTH,
    COMMENTARY_NAMES,
    ESO_PREFIX,
    PRINTABLE,
    STRUCTURE,
    CardKind,
    kind_and_name,
)
from idl_like_interfaces.documents import (
    DpSpecification,
    FitsFileSource,
    FitsKeywordsSource,
    MetadataSource,
    OlasReceiver,
    PrimarySource,
)
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.keywords import (
    ESO_NAME,
    STANDARD_NAME,
    EsoKeyword,
    FitsKeyword,
    KeywordRule,
    KeywordRuleTransform,
    KeywordValue,
    LiteralKeyword,
    ValueKeyword,
)
from idl_like_interfaces.naming import REFERENCE
from idl_like_interfaces.places import HOST, split_place

AnySource = PrimarySource | MetadataSource | FitsFileSource | FitsKeywordsSource

_STRING = 70
"""Room of a value card behind its name: columns 11 to 80."""

_LEAST_ROOM = len("'&'") + 2
_LONGEST_FITS_STRING = 68
_LONGEST_PATH = 4095
_INTEGERS = range(-(2**63), 2**64)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x80-\x9f]")
_PART = r"[A-Za-z0-9._~+:-]{1,64}"
_NAME = re.compile(rf"{_PART}(?:/{_PART}){{0,15}}")


def check_specification(
    specification: DpSpecification, path: str, *, may_be_relative: bool
) -> None:
    """Check what a data product specification says besides its types.

    Args:
        specification: The specification.
        path: Its name.
        may_be_relative: A location may begin at the merger's root.
    """
    target = specification.target
    check_product_name(target.file_prefix, target.file_id, f"{path}.target.fileId")
    if target.source is not None:
        check_source(target.source, f"{path}.target.source", may_be_relative=may_be_relative)
    check_sources(specification.sources, f"{path}.sources", may_be_relative=may_be_relative)
    check_receivers(specification.receivers, f"{path}.receivers")


def check_sources(sources: Sequence[AnySource], path: str, *, may_be_relative: bool) -> None:
    """Check what the sources of a document say besides their names.

    Args:
        sources: All of them.
        path: Of the list.
        may_be_relative: A location may begin at the merger's root.
    """
    for place, source in enumerate(sources):
        check_source(source, f"{path}[{place}]", may_be_relative=may_be_relative)


def check_source(source: AnySource, path: str, *, may_be_relative: bool = False) -> None:
    """Check what one source says besides its name."""
    match source:
        case FitsKeywordsSource():
            check_keywords(source.keywords, f"{path}.keywords")
            return
        case PrimarySource() | MetadataSource():
            check_keywords(source.initial_keywords, f"{path}.initialKeywords")
            check_reference(source.rr_uri, f"{path}.rrUri")
        case FitsFileSource():
            check_location(source.location, f"{path}.location", may_be_relative=may_be_relative)
    check_rules(source.keyword_rules or (), f"{path}.keywordRules")


def check_reference(reference: str, path: str) -> None:
    """Refuse what is neither a name nor a URI; whether it is bound, its source tells."""
    if "://" in reference:
        raise BadParam(
            f"{path}: {shown(reference)} is an endpoint; objects are found by name here",
            field=path,
            cause="it is a URI of another middleware (zpb.rr://HOST:PORT/SERVICE)",
            remedy="write the name, e.g. obs/sources/dcs1/rec; `obsorb names list obs/sources` shows all",
        )
    good = REFERENCE if reference.startswith("PYRO:") else _NAME
    if not good.fullmatch(reference):
        what = "URI" if good is REFERENCE else "name"
        raise BadParam(
            f"{path}: {shown(reference)} is not a {what}",
            field=path,
            remedy="write the name, e.g. obs/sources/dcs1/rec, or PYRO:OBJECT@HOST:PORT",
        )


def check_location(location: str, path: str, *, may_be_relative: bool = False) -> None:
    """Refuse what cannot be the place of a file: ``/path`` or ``host:/path``."""
    fault = path_fault(location)
    if not fault and not may_be_relative and split_place(location) is None:
        fault = "is neither an absolute path nor host:/path"
    if not fault and not may_be_relative and _leads_upwards(location.rpartition("/")[0]):
        fault = "has a part '..'"
    if not fault and location.rpartition("/")[2] in ("", ".", ".."):
        fault = "names no file"
    if fault:
        raise BadParam(
            f"{path}: {shown(location)} {fault}",
            field=path,
            remedy="give the file as /path or host:/path",
        )


def check_receivers(receivers: Sequence[OlasReceiver], path: str) -> None:
    """Refuse receivers whose folder cannot be one."""
    for place, receiver in enumerate(receivers):
        fault = path_fault(receiver.path)
        if not fault and _leads_upwards(receiver.path):
            fault = "has a part '..'"
        if fault:
            field = f"{path}[{place}].path"
            raise BadParam(
                f"{field}: {shown(receiver.path)} {fault}",
                field=field,
                remedy="give the absolute path of an existing folder",
            )
        if receiver.host and not re.fullmatch(HOST, receiver.host):
            field = f"{path}[{place}].host"
            raise BadParam(
                f"{field}: {shown(receiver.host)} is no host",
                field=field,
                remedy="give a name or an IPv4 address, with user@ before it or not",
            )


def _leads_upwards(path: str) -> bool:
    return ".." in path.split("/")


def path_fault(text: str) -> str:
    """Say why a text can be no path; empty when it can."""
    if _CONTROL.search(text):
        return "holds a control character"
    length = len(text.encode(errors="surrogatepass"))
    return f"has {length} bytes, a path at most {_LONGEST_PATH}" if length > _LONGEST_PATH else ""


def check_rules(rules: Sequence[KeywordRule], path: str) -> None:
    """Refuse a renaming whose expression or replacement is malformed."""
    for place, rule in enumerate(rules):
        if isinstance(rule, KeywordRuleTransform):
            compiled_rule(rule, f"{path}[{place}]")


def compiled_rule(rule: KeywordRuleTransform, path: str) -> re.Pattern[str]:
    """Return the expression of a renaming, whose replacement fits it."""
    try:
        regex = re.compile(rule.regex)
    except (re.error, OverflowError, RecursionError) as error:
        raise BadParam(
            f"{path}.regex: {shown(rule.regex)} is no regular expression: {error}",
            field=f"{path}.regex",
            remedy="correct it; a backslash goes before . ( ) [ ] + * ? that stand for themselves",
        ) from error
    try:
        # The replacement is compiled before anything is searched, so this checks it whole.
        regex.sub(rule.format, "")
    except (re.error, IndexError) as error:
        raise BadParam(
            f"{path}.format: {shown(rule.format)} does not fit {shown(rule.regex)}: {error}",
            field=f"{path}.format",
            remedy="a group of the expression is written \\1",
        ) from error
    return regex


def check_product_name(prefix: str, file_id: str, path: str) -> None:
    """Refuse a file name that ``ORIGFILE`` cannot hold."""
    name = f"{prefix}{file_id}.fits"
    if len(name) > _LONGEST_FITS_STRING:
        raise BadParam(
            f"{path}: the file name {name!r} has {len(name)} characters,"
            f" a FITS string at most {_LONGEST_FITS_STRING}",
            field=path,
            remedy="shorten the prefix or the file id",
        )


def check_keywords(keywords: Sequence[FitsKeyword], path: str) -> None:
    """Refuse what no FITS header can hold.

    Args:
        keywords: All of them.
        path: Of the list.
    """
    for place, keyword in enumerate(keywords):
        fault = keyword_fault(keyword)
        if fault:
            _refuse(keyword, f"{path}[{place}]", *fault)


def check_no_structure(keywords: Sequence[FitsKeyword], path: str) -> None:
    """Refuse keywords that would describe the layout of the product."""
    for place, keyword in enumerate(keywords):
        kind, name = identity_of(keyword)
        if kind is not CardKind.ESO and STRUCTURE.fullmatch(name):
            raise BadParam(
                f"{path}[{place}]: {name} describes the layout of the file",
                field=f"{path}[{place}]",
                cause="such keywords follow from the data and are written by the merger",
                remedy="leave it out",
            )


def identity_of(keyword: FitsKeyword) -> tuple[CardKind, str]:
    """Return kind and logical name of a keyword; a literal is judged by its text."""
    match keyword:
        case ValueKeyword():
            return CardKind.VALUE, keyword.name
        case EsoKeyword():
            return CardKind.ESO, keyword.name
        case LiteralKeyword():
            return kind_and_name(keyword.value)


def keyword_fault(keyword: FitsKeyword) -> tuple[str, str] | None:
    """Say which member of a keyword is wrong and why; ``None``: it fits."""
    if isinstance(keyword, LiteralKeyword):
        fault = name_fault(*kind_and_name(keyword.value))
        return ("value", fault) if fault else _text_fault("value", keyword.value)
    fault = name_fault(*identity_of(keyword))
    if fault:
        return "name", fault
    return _text_fault("comment", keyword.comment or "") or _value_fault(keyword)


def value_text(value: KeywordValue) -> str:
    """Return a value as it stands on a card, a string without filling."""
    match value:
        case bool():
            return "T" if value else "F"
        case int():
            return str(value)
        case float():
            mantissa, exponent, power = repr(value).partition("e")
            mantissa += "" if "." in mantissa else ".0"
            return f"{mantissa}E{power}" if exponent else mantissa
        case str():
            return "'" + value.replace("'", "''") + "'"


def shown(text: str, most: int = 60) -> str:
    """Return a text in quotes, as much of it as a message can take."""
    return repr(text if len(text) <= most else f"{text[:most]}…")


def name_fault(kind: CardKind, name: str) -> str:
    """Say why a name can be none of its kind of keyword; empty when it can."""
    if kind is CardKind.ESO:
        longest = CARD_LENGTH - len(ESO_PREFIX) - len(" = v")
        is_good = bool(re.fullmatch(ESO_NAME, name)) and len(name) <= longest
        return "" if is_good else f"{shown(name)} cannot be the name of an ESO keyword"
    wants_value = kind is CardKind.VALUE
    is_good = bool(re.fullmatch(STANDARD_NAME, name)) or (not name and not wants_value)
    taken = COMMENTARY_NAMES - {"END"} if wants_value else {"CONTINUE", "HIERARCH"}
    if is_good and (not name or name not in taken):
        return ""
    what = "value" if wants_value else "commentary"
    return f"{shown(name)} cannot be the name of a {what} keyword"


def _text_fault(member: str, text: str) -> tuple[str, str] | None:
    if PRINTABLE.fullmatch(text):
        return None
    odd = next(letter for letter in text if not PRINTABLE.fullmatch(letter))
    return member, f"{odd!r} is not a printable ASCII character, and FITS has no others"


def _value_fault(keyword: ValueKeyword | EsoKeyword) -> tuple[str, str] | None:
    value = keyword.value
    if isinstance(value, int) and value not in _INTEGERS:
        return "value", f"the integer {shown_number(value)} has more than 64 bits"
    if isinstance(value, str) and (fault := _text_fault("value", value)):
        return fault
    is_eso = isinstance(keyword, EsoKeyword)
    room = CARD_LENGTH - len(ESO_PREFIX) - len(keyword.name) - 3 if is_eso else _STRING
    needed = len(value_text(value.rstrip() if isinstance(value, str) else value))
    # A string goes on over CONTINUE cards where the first one takes a character of it.
    if needed <= room or (isinstance(value, str) and room >= _LEAST_ROOM):
        return None
    return "value", f"the value needs {needed} characters as FITS text and there are {room}"


def shown_number(value: int) -> str:
    """Return an integer as text, a very long one by its size."""
    if value.bit_length() <= 256:  # noqa: PLR2004 (77 digits can be read)
        return str(value)
    return f"of {value.bit_length()} bits"


def _refuse(keyword: FitsKeyword, path: str, member: str, fault: str) -> None:
    name = "" if isinstance(keyword, LiteralKeyword) else f" ({keyword.name})"
    raise BadParam(
        f"{path}.{member}{name}: {fault}",
        field=f"{path}.{member}",
        cause="a FITS card holds 80 printable ASCII characters",
        remedy="shorten, replace or leave out the keyword; write text in ASCII",
    )
