"""Every way in which a document can be malformed, with the path that the refusal must name.

One table for coordinator, DPM and merger. ``faults_of`` takes a good document apart:
each member missing, ``null``, of every wrong type, and an unknown one beside it, at every
depth; ``VALUES`` adds what has the right type and cannot be; ``TEXTS`` is what is no JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

_SHORT = 40

WRONG: dict[type, tuple[Any, ...]] = {
    str: (None, 5, True, [], {}),
    bool: (None, 1, "yes", [], {}),
    int: (None, True, "5", [], {}),
    float: (None, True, "5", [], {}),
    list: (None, 5, "x", {}),
    dict: (None, 5, "x", []),
}
"""By the type of a good value: what cannot stand in its place."""

ANY_SCALAR: tuple[Any, ...] = (None, [], {})
"""What cannot be the value of a keyword, which may be text, number or logical."""

REQUIRED = frozenset({
    "type", "sourceName", "rrUri", "location", "name", "value", "selectionPatterns", "regex",
    "format", "path", "fileId", "sources", "target",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A malformed document.

    Attributes:
        what: Names the case.
        document: The document.
        path: Of the fault, below the document.
    """

    what: str
    document: Any
    path: str

    @property
    def text(self) -> str:
        """The document as it is sent."""
        return json.dumps(self.document)

    def below(self, path: str) -> str:
        """Return the whole path of the fault in a document of that name."""
        return f"{path}{self.path}"


VALUE_KEYWORD = {"type": "valueKeyword", "name": "OBJECT", "value": "M 31", "comment": "what"}
ESO_KEYWORD = {"type": "esoKeyword", "name": "DET CHIP GAIN", "value": 1.5, "comment": "e-/ADU"}
LITERAL = {"type": "literalKeyword", "value": "COMMENT taken by night"}
KEYWORDS = [VALUE_KEYWORD, ESO_KEYWORD, LITERAL]

FILTER = {"type": "filter", "selectionPatterns": ["+e INS *", "-e INS SIM *"]}
TRANSFORM = {
    "type": "transform", "selectionPatterns": ["+v A*"], "regex": "^A(.)", "format": "B\\1",
}  # fmt: skip
RULES = [FILTER, TRANSFORM]
RECEIVER = {"type": "olasReceiver", "path": "/olas", "host": "", "options": {"allowSymlink": True}}

PRIMARY = {
    "type": "primarySource", "sourceName": "a", "rrUri": "obs/a", "keywordRules": RULES,
    "alertUnmergeable": True, "initialKeywords": KEYWORDS,
}  # fmt: skip
METADATA = PRIMARY | {"type": "metadataSource", "sourceName": "m", "rrUri": "obs/m"}
FILE = {
    "type": "fitsFile", "sourceName": "f", "location": "/data/f.fits", "keywordRules": RULES,
    "alertUnmergeable": True,
}  # fmt: skip
GIVEN = {"type": "fitsKeywords", "sourceName": "k", "keywords": KEYWORDS}

V1 = {"awaitInterval": 5.0, "keywords": KEYWORDS}
V2 = {
    "id": "given", "sources": [PRIMARY, METADATA, FILE, GIVEN], "mergeTarget": {"sourceName": "a"},
    "receivers": [RECEIVER], "filePrefix": "night-", "awaitCompletionInterval": 2.5,
}  # fmt: skip
PRODUCT = {
    "id": "given", "sources": [FILE, GIVEN], "receivers": [RECEIVER], "keywordDictionaries": [],
    "target": {"fileId": "TEST.1", "source": FILE | {"sourceName": "a"}, "filePrefix": "night-"},
}  # fmt: skip


def faults_of(good: Any) -> Iterator[Fault]:
    """Take a good document apart."""
    yield from _at(good, good, (), "")


def _at(good: Any, value: Any, steps: tuple[Any, ...], path: str) -> Iterator[Fault]:
    if steps:
        wrong = ANY_SCALAR if _is_keyword_value(good, steps) else WRONG[type(value)]
        for other in wrong:
            yield _changed(good, steps, path, f"is {other!r}", other)
    if isinstance(value, dict):
        yield _changed(good, (*steps, "unheardOf"), f"{path}.unheardOf", "is unknown", 1)
        for name, inner in value.items():
            if name in REQUIRED:
                yield _removed(good, (*steps, name), f"{path}.{name}")
            yield from _at(good, inner, (*steps, name), f"{path}.{name}")
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _at(good, inner, (*steps, place), f"{path}[{place}]")


def _is_keyword_value(good: Any, steps: tuple[Any, ...]) -> bool:
    holder = _find(good, steps[:-1])
    return bool(steps[-1] == "value" and holder["type"] != "literalKeyword")


def _find(document: Any, steps: tuple[Any, ...]) -> Any:
    for step in steps:
        document = document[step]
    return document


def _changed(good: Any, steps: tuple[Any, ...], path: str, what: str, value: Any) -> Fault:
    document = json.loads(json.dumps(good))
    _find(document, steps[:-1])[steps[-1]] = value
    return Fault(what=f"{path} {what}", document=document, path=path)


def _removed(good: Any, steps: tuple[Any, ...], path: str) -> Fault:
    document = json.loads(json.dumps(good))
    del _find(document, steps[:-1])[steps[-1]]
    return Fault(what=f"{path} is missing", document=document, path=path)


def put(good: Any, path: str, value: Any, at: str = "") -> Fault:
    """Return a good document with one value exchanged.

    Args:
        good: The document.
        path: ``.sources[0].rrUri``; where the value goes.
        value: What goes there.
        at: The path of the fault when it is another one.
    """
    parts = path.replace("[", ".[").split(".")[1:]
    steps = tuple(int(part[1:-1]) if part.startswith("[") else part for part in parts)
    shown = repr(value) if len(repr(value)) < _SHORT else f"{repr(value)[:_SHORT]}…"
    changed = _changed(good, steps, path, f"is {shown}", value)
    return replace(changed, path=at) if at else changed


def in_all_keywords(good: Any, path: str) -> list[Fault]:
    """Return the document with every kind of bad keyword in a list of keywords."""
    return [
        put(good, f"{path}[{place}].{member}", value, at=f"{path}[{place}].{at or member}")
        for place, member, value, at in BAD_KEYWORDS
    ]


BAD_KEYWORDS: list[tuple[int, str, Any, str]] = [
    (0, "type", "number", ""),
    (0, "name", "", ""),
    (0, "name", "NINECHARS", ""),
    (0, "name", "lower", ""),
    (0, "name", "A B", ""),
    (0, "name", "A\n", ""),
    (0, "name", "Ä", ""),
    (0, "name", "COMMENT", ""),
    (0, "name", "HIERARCH", ""),
    (0, "name", "CONTINUE", ""),
    (0, "value", 2**64, ""),
    (0, "value", -(2**63) - 1, ""),
    (0, "value", 10**300, ""),
    (0, "value", "Ω Cen", ""),
    (0, "value", "two\nlines", ""),
    (0, "value", "a\0b", ""),
    (0, "value", "\x7f", ""),
    (0, "comment", "é", ""),
    (0, "comment", "a\tb", ""),
    (1, "name", "", ""),
    (1, "name", "DET  GAIN", ""),
    (1, "name", " DET", ""),
    (1, "name", "DET ", ""),
    (1, "name", "det", ""),
    (1, "name", "DET = X", ""),
    (1, "name", "N" * 64, ""),
    (1, "value", 2**64, ""),
    (1, "value", "ü", ""),
    (2, "value", "", ""),
    (2, "value", "x" * 81, ""),
    (2, "value", "COMMENT Ω", ""),
    (2, "value", "COMMENT a\n", ""),
    (2, "value", "lower   = 1", ""),
    (2, "value", "NO VALUE IN THIS", ""),
    (2, "value", "CONTINUE  'x'", ""),
    (2, "value", "HIERARCH ESO det gain = 1", ""),
]
"""Place in ``KEYWORDS``, member, value, and the member of the fault when it is another one."""

STRUCTURE = ["SIMPLE", "BITPIX", "NAXIS", "NAXIS1", "EXTEND", "PCOUNT", "GROUPS", "END", "XTENSION"]
"""Names that users cannot give."""

BAD_RULES: list[tuple[str, Any]] = [
    ("[0].type", "sieve"),
    ("[0].selectionPatterns[1]", "INS *"),
    ("[0].selectionPatterns[1]", "+x INS *"),
    ("[0].selectionPatterns[1]", "+e"),
    ("[0].selectionPatterns[1]", "+eINS"),
    ("[0].selectionPatterns[1]", "*e INS"),
    ("[0].selectionPatterns[1]", "+e INS\n"),
    ("[0].selectionPatterns[1]", ""),
    ("[1].selectionPatterns[0]", "?"),
    ("[1].regex", "("),
    ("[1].regex", "[a"),
    ("[1].regex", "*"),
    ("[1].regex", "a{99999999999999999999}"),
    ("[1].regex", "(?P<x>"),
    ("[1].format", "\\2"),
    ("[1].format", "\\g<nobody>"),
    ("[1].format", "\\"),
]
"""Place below a list like ``RULES``, and what goes there."""

BAD_NAMES = ["", "a b", "a/b", "..\\", "ä", "a\n", "~", "x" * 65, "a\0", "a;b", "$a"]
"""What can be no name of a source."""

BAD_IDS = ["a/b", "../x", "..", ".hidden", "a b", "ä", "a\n", "a\0", "~1", "x~1", "x" * 129, "*"]
"""What can be no id of an acquisition or a file."""

BAD_PREFIXES = ["a/b", "../", "a b", "ä", "a\n", "a\0", "~", "x" * 65, "a:b"]
"""What cannot stand before the name of a result."""

BAD_REFERENCES = [
    "", " ", "obs//a", "/obs/a", "obs/a/", "obs/a b", "obs/a\n", "obs/ä", "PYRO:", "PYRO:rec",
    "PYRO:rec@host", "PYRO:rec@host:port", "zpb.rr://host:1/rec", "obs/" * 20 + "a", "x" * 600,
]  # fmt: skip
"""What can be no reference to a source."""

BAD_LOCATIONS = [
    "",
    "f.fits",
    "host:f.fits",
    ":/a",
    "/",
    "/a/",
    "/a/..",
    "/a\0b",
    "/a\nb",
    "-x:/a",
    "a b:/a",
    "$(x):/a",
    "@:/a",
    "a@-b:/a",
    "/a/../b",
    "host:/a/../b",
    "/" + "x" * 5000,
]
"""What can be no place of a file."""

BAD_HOSTS = ["-x", "-oProxyCommand=x", "a b", "a;b", "$(x)", "a/b", "a:1", "@a", "a@", "ä", "a\n"]
"""What can be no host of a receiver."""

BAD_TIMES = [
    None, 5, "", "tomorrow", "2030-01-01", "2030-01-01T00:00:00", "2030-13-01T00:00:00Z",
    "2030-01-01T25:00:00Z",
]  # fmt: skip
"""What can be no time of a start: a zone must be given."""

BAD_PATHS = [
    "", "olas", "../olas", "~/olas", "/a\0b", "/a\nb", "/" + "x" * 5000, "/a/../b", "/a/..",
]  # fmt: skip
"""What can be no folder of a receiver."""


def of_rules(good: Any, path: str) -> list[Fault]:
    """Return the document with every kind of bad rule."""
    return [put(good, path + below, value) for below, value in BAD_RULES]


def of_values(good: Any, path: str, values: list[Any]) -> list[Fault]:
    """Return the document with each of several values at a path."""
    return [put(good, path, value) for value in values]


OF_V1 = [
    *in_all_keywords(V1, ".keywords"),
    *of_values(V1, ".awaitInterval", [-1, -1e-9]),
    *of_values(V1, ".startTime", BAD_TIMES),
]

OF_V2 = [
    *of_values(V2, ".id", BAD_IDS),
    *of_values(V2, ".filePrefix", BAD_PREFIXES),
    *of_values(V2, ".awaitCompletionInterval", [-1]),
    *of_values(V2, ".startTime", BAD_TIMES),
    *of_values(V2, ".mergeTarget.sourceName", ["nobody", "k", "ocm", "a b"]),
    *of_values(V2, ".sources", [[]]),
    *of_values(V2, ".sources[1].sourceName", [*BAD_NAMES, "a", "ocm"]),
    *of_values(V2, ".sources[3].sourceName", ["a", "f"]),
    *of_values(V2, ".sources[0].type", ["camera", "primaryDataSource", "PrimarySource", ""]),
    *of_values(V2, ".sources[0].rrUri", BAD_REFERENCES),
    *of_values(V2, ".sources[1].rrUri", BAD_REFERENCES[:3]),
    *of_values(V2, ".sources[2].location", BAD_LOCATIONS),
    *of_rules(V2, ".sources[0].keywordRules"),
    *of_rules(V2, ".sources[2].keywordRules"),
    *in_all_keywords(V2, ".sources[0].initialKeywords"),
    *in_all_keywords(V2, ".sources[1].initialKeywords"),
    *in_all_keywords(V2, ".sources[3].keywords"),
    *of_values(V2, ".receivers[0].type", ["dvd", "OlasReceiver"]),
    *of_values(V2, ".receivers[0].path", BAD_PATHS),
    *of_values(V2, ".receivers[0].host", BAD_HOSTS),
    put(V2, ".receivers[0].options.noSymlink", True),
]

OF_PRODUCT = [
    *of_values(PRODUCT, ".id", BAD_IDS),
    *of_values(PRODUCT, ".target.fileId", [*BAD_IDS, "x" * 70]),
    *of_values(PRODUCT, ".target.filePrefix", BAD_PREFIXES),
    *of_values(PRODUCT, ".sources[0].type", ["primarySource", "metadataSource", "file"]),
    *of_values(PRODUCT, ".sources[0].sourceName", BAD_NAMES),
    *of_rules(PRODUCT, ".sources[0].keywordRules"),
    *of_rules(PRODUCT, ".target.source.keywordRules"),
    *of_values(PRODUCT, ".target.source.type", ["fitsKeywords"]),
    *in_all_keywords(PRODUCT, ".sources[1].keywords"),
    *of_values(PRODUCT, ".receivers[0].path", BAD_PATHS),
    *of_values(PRODUCT, ".receivers[0].host", BAD_HOSTS),
]

OF_PRODUCT_AT_DPM = [
    *of_values(PRODUCT, ".sources[0].location", BAD_LOCATIONS),
    *of_values(PRODUCT, ".target.source.location", BAD_LOCATIONS),
]
"""The merger takes relative locations, the DPM does not."""

TEXTS: list[tuple[str, str | bytes]] = [
    ("empty", ""),
    ("blank", " \n"),
    ("cut short", '{"id": "x", "sour'),
    ("a word", "sources"),
    ("single quotes", "{'id': 'x'}"),
    ("a trailing comma", '{"id": "x",}'),
    ("two documents", "{}{}"),
    ("Python's words", '{"alertUnmergeable": True}'),
    ("a comment", '{} // or "{}"'),
    ("NaN", '{"awaitInterval": NaN}'),
    ("infinite", '{"awaitInterval": -Infinity}'),
    ("too large a number", '{"awaitInterval": 1e999}'),
    ("too long an integer", '{"awaitInterval": ' + "9" * 5000 + "}"),
    ("nested arrays", "[" * 100_000),
    ("nested objects", '{"a":' * 100_000),
    ("closed nesting", "[" * 50_000 + "]" * 50_000),
    ("a byte order mark", "\ufeff{}"),
    ("half a character", '{"id": "\\ud800"}'),
    ("a raw control character", '{"id": "\n"}'),
    ("10 MB of nothing", "x" * 10_000_000),
]
"""What is no JSON."""

BYTES: list[tuple[str, bytes]] = [
    ("Latin-1", '{"id": "ä"}'.encode("latin-1")),
    ("UTF-16", '{"id": "x"}'.encode("utf-16")),
    ("UTF-16 without mark", '{"id": "x"}'.encode("utf-16-le")),
    ("a FITS file", b"SIMPLE  =                    T" + b" " * 50),
    ("noise", bytes(range(256))),
]
"""What is no text; only files bring that."""

NO_OBJECTS = ["[]", "3", '"text"', "null", "true", "[{}]"]
"""JSON of another form than an object."""
