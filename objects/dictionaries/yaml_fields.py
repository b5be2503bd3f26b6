"""Fields of a mapping in a YAML dictionary: known ones, each once, as texts."""

from __future__ import annotations

from collections.abc import Collection

from objects.dictionaries.draft import ABSENT, Text
from objects.dictionaries.flaws import Flaws
from objects.dictionaries.yaml_tree import Mapping, Node, Scalar, Sequence

_NOTHING = frozenset({"None", "null", "~"})
"""Are written for what is not there."""


class YamlFields:
    """The fields of one mapping.

    Args:
        owner: What it describes, for messages.
        node: Should be a mapping.
        known: Names of fields that may be in it.
        flaws: Gets what is wrong.
    """

    def __init__(self, owner: str, node: Node, known: Collection[str], flaws: Flaws) -> None:
        self._owner = owner
        self._flaws = flaws
        self._nodes: dict[str, Node] = {}
        if not isinstance(node, Mapping):
            flaws.add(node.line, owner, "must be a mapping of fields")
            return
        for key, value in node.items:
            self._take(key, value, known)

    def _take(self, key: Scalar, value: Node, known: Collection[str]) -> None:
        field = f"{self._owner}.{key.text[:40]}"
        if key.text not in known:
            remedy = f"known are {', '.join(sorted(known))}"
            self._flaws.add(key.line, field, "there is no such field", remedy)
        elif key.text in self._nodes:
            first = self._nodes[key.text].line
            self._flaws.add(key.line, field, f"stands in line {first} already")
        else:
            self._nodes[key.text] = value

    def text(self, name: str) -> Text:
        """Return a field as text; empty when it is missing or says that there is nothing."""
        node = self._nodes.get(name)
        if node is None:
            return ABSENT
        field = f"{self._owner}.{name}"
        if not isinstance(node, Scalar):
            self._flaws.add(node.line, field, "must be a text")
            return ABSENT
        return Text("" if node.text in _NOTHING else node.text.strip(), field, node.line)

    def items(self, name: str) -> list[str] | None:
        """Return a field that is written as a YAML list; ``None`` when it is not."""
        node = self._nodes.get(name)
        if not isinstance(node, Sequence):
            return None
        texts = [each.text for each in node.items if isinstance(each, Scalar)]
        if len(texts) < len(node.items):
            self._flaws.add(node.line, f"{self._owner}.{name}", "must be a list of texts")
        return texts

    def text_or_items(self, name: str) -> tuple[Text, list[str] | None]:
        """Return a field that may be a text or a list; of a list the text has the place."""
        items = self.items(name)
        if items is None:
            return self.text(name), None
        return Text("", f"{self._owner}.{name}", self._nodes[name].line), items or None


def format_of(found: Text) -> Text:
    """Complete a conversion that is written without its percent sign."""
    if not found.text or found.text.startswith("%"):
        return found
    return Text(f"%{found.text}", found.field, found.line)


def listed(text: str) -> list[str]:
    """Take ``(A, B)`` or ``A | B`` apart."""
    inner = text.strip().strip("()[]").replace("|", ",")
    return [part.strip() for part in inner.split(",") if part.strip()]
