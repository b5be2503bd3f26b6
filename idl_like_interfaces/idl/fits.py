"""Does a receiver of one type take every value that a sender of another type may send?

A request goes from an older client to a newer object: the object refuses fields that it
does not know. A reply goes the other way: the client passes over what it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from idl_like_interfaces.description import (
    EnumDescription,
    InterfaceDescription,
    ParameterDescription,
    StructDescription,
)
from idl_like_interfaces.idl.difference import Difference, Weight
from idl_like_interfaces.shapes import TypeDescription

_INNER = {"list": "[]", "tuple": "[]", "map": "{}"}
"""What a path gets for the step into a container."""

_UPPER = ("lt", "le", "max_length")
_LOWER = ("gt", "ge", "min_length")


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """The types that one of the two knows by name."""

    structs: dict[str, StructDescription]
    enums: dict[str, EnumDescription]

    @classmethod
    def of(cls, description: InterfaceDescription) -> Side:
        """Take them from a description."""
        return cls(
            structs={each.name: each for each in description.structs},
            enums={each.name: each for each in description.enums},
        )

    def members(self, type_: TypeDescription) -> list[TypeDescription]:
        """Return the alternatives of a type; a plain type is its only one."""
        return type_.of if type_.kind == "union" else [type_]

    def values(self, type_: TypeDescription) -> list[Any]:
        """Return the values of an enumeration or a literal."""
        return list(self.enums[type_.name].values if type_.kind == "enum" else type_.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """The way of values from a sender to a receiver.

    Attributes:
        sender: The types of who sends.
        receiver: The types of who receives.
        is_request: Fields that the receiver does not know are refused.
    """

    sender: Side
    receiver: Side
    is_request: bool
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def differences(
        self, sent: TypeDescription, taken: TypeDescription, path: str
    ) -> Iterator[Difference]:
        """Yield what keeps values from passing, and what is merely new."""
        if taken.kind == "any":
            if sent.kind != "any":
                yield self._new(path, f"any value {self._extra}")
            return
        receivers = self.receiver.members(taken)
        for each in self.sender.members(sent):
            yield from self._of_member(each, receivers, path)
        yield from self._new_alternatives(sent, taken, path)

    def _of_member(
        self, sent: TypeDescription, receivers: list[TypeDescription], path: str
    ) -> Iterator[Difference]:
        """Find the alternative that fits best, and yield what is wrong with that one."""
        attempts = [
            found for taken in receivers if (found := self._of_plain(sent, taken, path)) is not None
        ]
        if not attempts:
            wanted = " | ".join(each.text() for each in receivers)
            yield self._breaks(path, f"{sent.text()} is sent where {wanted} is taken")
            return
        yield from min(attempts, key=_gravity)

    def _of_plain(
        self, sent: TypeDescription, taken: TypeDescription, path: str
    ) -> list[Difference] | None:
        """Compare two types that are no unions; ``None``: they have nothing in common."""
        match sent.kind, taken.kind:
            case "struct", "struct":
                return self._of_structs(sent.name, taken.name, path)
            case (("enum" | "literal"), ("enum" | "literal")):
                return self._of_values(sent, taken, path)
            case (("enum" | "literal"), ("str" | "int" as kind)):
                is_text = all(isinstance(each, str) for each in self.sender.values(sent))
                return [self._wider(sent, taken, path)] if is_text == (kind == "str") else None
            case ("int", "float") | ("time", "str"):
                return [self._wider(sent, taken, path), *self._of_limits(sent, taken, path)]
            case one, other if (one, sent.name, len(sent.of)) == (other, taken.name, len(taken.of)):
                return [*self._of_limits(sent, taken, path), *self._of_parts(sent, taken, path)]
            case _:
                return None

    def _wider(self, sent: TypeDescription, taken: TypeDescription, path: str) -> Difference:
        now, before = (taken, sent) if self.is_request else (sent, taken)
        return self._new(path, f"the type is {now.text()}, it was {before.text()}")

    def _of_parts(
        self, sent: TypeDescription, taken: TypeDescription, path: str
    ) -> Iterator[Difference]:
        """Compare the elements of lists, the values of maps."""
        for one, other in zip(sent.of, taken.of, strict=True):
            yield from self.differences(one, other, path + _INNER[sent.kind])

    def _of_limits(
        self, sent: TypeDescription, taken: TypeDescription, path: str
    ) -> list[Difference]:
        tighter = [
            f"{name}={limit!r}"
            for name, limit in taken.limits.items()
            if not _is_within(name, sent.limits.get(name), limit)
        ]
        if tighter:
            return [self._breaks(path, f"the value is limited further: {', '.join(tighter)}")]
        if sent.limits != taken.limits:
            return [self._new(path, self._other_limits(sent, taken))]
        return []

    def _other_limits(self, sent: TypeDescription, taken: TypeDescription) -> str:
        if self.is_request:
            return f"the value may be {taken.text()}, it was {sent.text()}"
        return f"the value is {sent.text()}, it was {taken.text()}"

    def _of_values(
        self, sent: TypeDescription, taken: TypeDescription, path: str
    ) -> list[Difference] | None:
        may_come, may_go = self.sender.values(sent), self.receiver.values(taken)
        if not set(may_come) & set(may_go):
            return None
        unknown = [each for each in may_come if each not in may_go]
        if unknown:
            return [self._breaks(path, f"{_listed(unknown)} is sent, which is not known there")]
        extra = [each for each in may_go if each not in may_come]
        return [self._new(path, f"{_listed(extra)} {self._extra}")] if extra else []

    @property
    def _extra(self) -> str:
        return "may be given, too" if self.is_request else "does not come any more"

    def _of_structs(self, sent: str, taken: str, path: str) -> list[Difference] | None:
        if (sent, taken) in self._seen:
            return []
        one, other = self.sender.structs[sent], self.receiver.structs[taken]
        if (one.tag_field, one.tag) != (other.tag_field, other.tag):
            return None
        self._seen.add((sent, taken))
        try:
            return list(self.of_fields(one, other, path))
        finally:
            self._seen.discard((sent, taken))

    def of_fields(
        self, sent: StructDescription, taken: StructDescription, path: str
    ) -> Iterator[Difference]:
        """Yield the differences of the fields of two structs."""
        come = {each.name: each for each in sent.fields}
        if (sent.is_array or taken.is_array) and [*come] != [each.name for each in taken.fields]:
            yield self._breaks(path, "the fields of a list without names are others")
            return
        for each in taken.fields:
            if each.name in come:
                yield from self._of_field(come.pop(each.name), each, (sent, taken), path)
            else:
                yield self._never_sent(each, f"{path}.{each.name}")
        for name, each in come.items():
            yield self._not_taken(each, f"{path}.{name}")

    def _of_field(
        self,
        sent: ParameterDescription,
        taken: ParameterDescription,
        structs: tuple[StructDescription, StructDescription],
        path: str,
    ) -> Iterator[Difference]:
        path = f"{path}.{sent.name}"
        may_lack = not sent.is_required and (structs[0].omits_defaults or self.is_request)
        if taken.is_required and may_lack:
            yield self._breaks(path, "the field may be left out, and must be given there")
        elif sent.is_required and not taken.is_required:
            yield self._new(path, "the field need not be given any more")
        elif not taken.is_required and sent.default != taken.default:
            yield self._other_default(sent, taken, path, is_left_out=structs[0].omits_defaults)
        yield from self.differences(sent.type, taken.type, path)

    def _other_default(
        self,
        sent: ParameterDescription,
        taken: ParameterDescription,
        path: str,
        *,
        is_left_out: bool,
    ) -> Difference:
        now, before = (taken, sent) if self.is_request else (sent, taken)
        why = f"the default is {now.default!r}, it was {before.default!r}"
        if is_left_out:
            return self._breaks(path, f"{why}, and a default does not travel")
        return self._new(path, why)

    def _never_sent(self, taken: ParameterDescription, path: str) -> Difference:
        text = f"({taken.type.text()})"
        if not self.is_request:
            return self._breaks(path, f"the field {text} does not come any more")
        if taken.is_required:
            return self._breaks(path, f"the field {text} must be given, and older clients do not")
        return self._new(path, f"the field {text} is new and has a default")

    def _not_taken(self, sent: ParameterDescription, path: str) -> Difference:
        text = f"({sent.type.text()})"
        if self.is_request:
            return self._breaks(path, f"the field {text} is refused")
        return self._new(path, f"the field {text} is new; older clients pass over it")

    def _new_alternatives(
        self, sent: TypeDescription, taken: TypeDescription, path: str
    ) -> Iterator[Difference]:
        """Tell of what the receiver takes and the sender does not know."""
        senders = self.sender.members(sent)
        for each in self.receiver.members(taken):
            if all(self._of_plain(one, each, path) is None for one in senders):
                yield self._new(path, f"{each.text()} {self._extra}")

    def _breaks(self, path: str, why: str) -> Difference:
        return Difference(path=path, weight=Weight.MAJOR, why=why)

    def _new(self, path: str, why: str) -> Difference:
        return Difference(path=path, weight=Weight.MINOR, why=why)


def _gravity(differences: list[Difference]) -> tuple[int, int]:
    return sum(each.weight is Weight.MAJOR for each in differences), len(differences)


def _is_within(name: str, sent: Any, taken: Any) -> bool:
    """Tell whether a limit of the sender keeps its values within one of the receiver."""
    if sent is None:
        return False
    if name in _UPPER:
        return bool(sent <= taken)
    if name in _LOWER:
        return bool(sent >= taken)
    return bool(sent == taken)


def _listed(values: list[Any]) -> str:
    return ", ".join(map(repr, values))
