"""The part of YAML that dictionaries use, as a tree of texts with lines and tags.

It is made from the parser's events. Nothing is ever constructed from a tag, no text becomes
a number or a boolean (``NO`` and ``ON`` are names of keywords), no alias is followed, and
depth and size are bounded: a hostile file can do no more than be refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml

from objects.dictionaries.flaws import bad_dictionary

_DEEPEST = 4

# The parser in C is ten times as fast; wheels have it, some builds from source do not.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text; ``tag`` is without the leading ``!``, empty when there is none."""

    text: str
    line: int
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Sequence:
    """Nodes in their order."""

    items: list[Node]
    line: int
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Mapping:
    """Pairs in their order; a key may come twice."""

    items: list[tuple[Scalar, Node]]
    line: int
    tag: str = ""


Node: TypeAlias = Scalar | Sequence | Mapping


class _Bad(Exception):
    """The text is not what is read here; with the line."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


def read_yaml(path: str, text: str) -> Mapping:
    """Read a document whose top is a mapping.

    Args:
        path: For messages.
        text: All of the file.

    Raises:
        BadDictionary: It is not YAML, or uses more of YAML than dictionaries do.
    """
    try:
        return _document(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        what = f"not YAML: {error.problem or error.context or 'it cannot be parsed'}"
        raise bad_dictionary(path, line, "", what) from error
    except yaml.YAMLError as error:
        what = f"not YAML: {str(error).splitlines()[0] if str(error) else 'it cannot be parsed'}"
        raise bad_dictionary(path, 0, "", what) from error
    except _Bad as error:
        raise bad_dictionary(path, error.line, "", str(error)) from error
    except (ValueError, OverflowError, RecursionError) as error:
        # Escapes of characters that do not exist, and numbers in directives.
        raise bad_dictionary(path, 0, "", f"not YAML: {error}") from error


def _document(events: Iterator[Any]) -> Mapping:
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            top = _node(next(events), events, 1)
            if not isinstance(top, Mapping):
                raise _Bad(top.line, "the top of a dictionary is a mapping of keywords")
            _check_end(events)
            return top
    raise _Bad(0, "the file is empty")


def _check_end(events: Iterator[Any]) -> None:
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            raise _Bad(_line(event), "there is a second document in the file")


def _node(event: Any, events: Iterator[Any], depth: int) -> Node:
    if depth > _DEEPEST:
        raise _Bad(_line(event), "nested deeper than any dictionary")
    match event:
        case yaml.ScalarEvent():
            return Scalar(event.value, _line(event), _tag(event))
        case yaml.SequenceStartEvent():
            return Sequence(list(_items(events, depth)), _line(event), _tag(event))
        case yaml.MappingStartEvent():
            return Mapping(_pairs(list(_items(events, depth))), _line(event), _tag(event))
        case _:
            raise _Bad(_line(event), "aliases (*name) have no place in a dictionary")


def _items(events: Iterator[Any], depth: int) -> Iterator[Node]:
    for event in events:
        if isinstance(event, yaml.CollectionEndEvent):
            return
        yield _node(event, events, depth + 1)


def _pairs(nodes: list[Node]) -> list[tuple[Scalar, Node]]:
    pairs = []
    for key, value in zip(nodes[::2], nodes[1::2], strict=True):
        if not isinstance(key, Scalar):
            raise _Bad(key.line, "a key is a text")
        pairs.append((key, value))
    return pairs


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1 if event.start_mark else 0


def _tag(event: Any) -> str:
    return (event.tag or "").removeprefix("!")
