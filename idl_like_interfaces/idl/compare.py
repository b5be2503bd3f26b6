"""Comparing descriptions of interfaces: may clients of the one call objects of the other?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from idl_like_interfaces.declare import Interface, Value, is_compatible, parse_repository_id
from idl_like_interfaces.description import (
    InterfaceDescription,
    OperationDescription,
    ParameterDescription,
    StructDescription,
    describe,
)
from idl_like_interfaces.idl.difference import Difference, Verdict, Weight, verdict_of
from idl_like_interfaces.idl.fits import Passage, Side
from idl_like_interfaces.idl.soundness import flaw_of

_SHOWN = 3
"""Differences that a reason tells; more would hide what to do."""


def compare(older: InterfaceDescription, newer: InterfaceDescription) -> list[Difference]:
    """Say what a client of the older one meets at an object of the newer one.

    Their own ids and versions are not looked at: this is about what really travels.
    """
    found = [*_of_bases(older, newer), *_of_errors(older, newer)]
    now = {each.name: each for each in newer.signatures}
    ways = _Ways.between(older, newer)
    for each in older.signatures:
        if each.name in now:
            found += ways.of_operation(each, now.pop(each.name))
        else:
            found.append(_major(each.name, "the operation is missing"))
    found += [_minor(name, "the operation is new") for name in now]
    return sorted(found, key=lambda each: list(Weight).index(each.weight), reverse=True)


class Comparison(Value, frozen=True, kw_only=True):
    """What clients of the older of two interfaces meet at an object of the newer one.

    Attributes:
        older: Repository id that the clients know.
        newer: Repository id of the object.
        verdict: What the differences come to.
        version: Which version the newer one should have; empty when it has it.
        differences: The breaking ones first.
    """

    older: str
    newer: str
    verdict: Verdict
    version: str
    differences: list[Difference]


def judge(older: InterfaceDescription, newer: InterfaceDescription) -> Comparison:
    """Compare two interfaces with their ids and versions."""
    path = parse_repository_id(older.repository_id)[0]
    paths = [parse_repository_id(each)[0] for each in (newer.repository_id, *newer.bases)]
    found = compare(older, newer)
    if path not in paths:
        other = _major("", f"{newer.repository_id} is another interface: is_a denies {path}")
        found = [other, *found]
    return Comparison(
        older=older.repository_id,
        newer=newer.repository_id,
        verdict=verdict_of(found),
        version=missing_version(older, newer) if path == paths[0] else "",
        differences=found,
    )


def missing_version(older: InterfaceDescription, newer: InterfaceDescription) -> str:
    """Say which version the newer one of an interface should have; empty when it has it."""
    path, before = parse_repository_id(older.repository_id)
    now = parse_repository_id(newer.repository_id)[1]
    assert before is not None
    assert now is not None
    if now < before:
        return f"{path}: the version went back from {before[0]}.{before[1]} to {now[0]}.{now[1]}"
    found = compare(older, newer)
    if now[0] > before[0] or not found:
        return ""
    weight = found[0].weight
    reasons = _because([each.text() for each in found if each.weight is weight])
    if weight is Weight.MAJOR:
        return f"{older.repository_id} needs the new major version {before[0] + 1}.0{reasons}"
    if weight is Weight.MINOR and now[1] == before[1]:
        return f"{older.repository_id} needs the new version {before[0]}.{before[1] + 1}{reasons}"
    return ""


def explain_mismatch(found: InterfaceDescription, wanted: Interface) -> str:
    """Say why an object cannot serve clients of a declaration; empty when it can.

    Args:
        found: What the object says of its interface (``get_interface``).
        wanted: The declaration that the client has.
    """
    if flaw := flaw_of(found):
        return f"what it tells of its interface is malformed: {flaw}"
    path, version = parse_repository_id(wanted.repository_id)
    offered = [
        each for each in (found.repository_id, *found.bases) if parse_repository_id(each)[0] == path
    ]
    if not offered:
        return f"it implements {found.repository_id} instead"
    have = parse_repository_id(offered[0])[1]
    assert version is not None
    assert have is not None
    reasons = _reasons(found, wanted)
    if have[0] != version[0]:
        return f"it has the major version {have[0]}, wanted is {version[0]}{_because(reasons)}"
    if have[1] < version[1]:
        return (
            f"it has the version {have[0]}.{have[1]}, wanted is {version[0]}.{version[1]} or a "
            f"newer {version[0]}.x{_because(reasons)}"
        )
    if not reasons:
        return ""
    return (
        f"the version fits, the signatures do not{_because(reasons)} "
        "(a declaration was changed without a new version)"
    )


def _reasons(found: InterfaceDescription, wanted: Interface) -> list[str]:
    """Return what breaks; an object of the release before tells the names of operations only."""
    if not found.signatures:
        missing = sorted(wanted.operations.keys() - set(found.operations))
        return [f"{name}: the operation is missing" for name in missing]
    differences = compare(describe(wanted), found)
    return [each.text() for each in differences if each.weight is Weight.MAJOR]


def _because(reasons: list[str]) -> str:
    if not reasons:
        return ""
    more = f"; and {len(reasons) - _SHOWN} more" if len(reasons) > _SHOWN else ""
    return f": {'; '.join(reasons[:_SHOWN])}{more}"


def _of_bases(older: InterfaceDescription, newer: InterfaceDescription) -> Iterator[Difference]:
    have = (newer.repository_id, *newer.bases)
    for each in older.bases:
        if not any(is_compatible(one, each) for one in have):
            yield _major("", f"{each} is not a base any more: who asks for it is refused")
    paths = {parse_repository_id(each)[0] for each in (older.repository_id, *older.bases)}
    for each in newer.bases:
        if parse_repository_id(each)[0] not in paths:
            yield _minor("", f"{each} is a new base")


def _of_errors(older: InterfaceDescription, newer: InterfaceDescription) -> Iterator[Difference]:
    """Compare the errors that both declare; they travel as replies do."""
    way = Passage(sender=Side.of(newer), receiver=Side.of(older), is_request=False)
    now = {each.repository_id: each for each in newer.errors}
    for each in older.errors:
        if each.repository_id in now:
            name = parse_repository_id(each.repository_id)[0].rpartition("/")[2]
            sent = StructDescription(name="", fields=now[each.repository_id].fields)
            yield from way.of_fields(sent, StructDescription(name="", fields=each.fields), name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ways:
    """The way of requests from an older client, and that of replies to it."""

    out: Passage
    back: Passage

    @classmethod
    def between(cls, older: InterfaceDescription, newer: InterfaceDescription) -> _Ways:
        client, server = Side.of(older), Side.of(newer)
        return cls(
            out=Passage(sender=client, receiver=server, is_request=True),
            back=Passage(sender=server, receiver=client, is_request=False),
        )

    def of_operation(
        self, older: OperationDescription, newer: OperationDescription
    ) -> Iterator[Difference]:
        yield from self._of_parameters(older, newer)
        yield from self.back.differences(newer.returns, older.returns, f"{older.name}()")
        yield from _of_raises(older, newer)
        yield from _of_marks(older, newer)

    def _of_parameters(
        self, older: OperationDescription, newer: OperationDescription
    ) -> Iterator[Difference]:
        now = {each.name: each for each in newer.parameters}
        known = [each.name for each in older.parameters if each.name in now]
        for each in older.parameters:
            if each.name in now:
                yield from self._of_parameter(older.name, each, now[each.name])
            else:
                yield _major(older.name, f"it misses the parameter {_named(each)}")
        if known != [each.name for each in newer.parameters][: len(known)]:
            yield _major(older.name, f"the parameters come in another order: {', '.join(now)}")
        for each in newer.parameters:
            if each.name not in known:
                yield _new_parameter(older.name, each)

    def _of_parameter(
        self, name: str, older: ParameterDescription, newer: ParameterDescription
    ) -> Iterator[Difference]:
        path = f"{name}({older.name})"
        if newer.is_required and not older.is_required:
            yield _major(path, "it must be given now")
        elif older.is_required and not newer.is_required:
            yield _minor(path, f"it need not be given any more, the default is {newer.default!r}")
        elif older.default != newer.default:
            yield _minor(path, f"the default is {newer.default!r}, it was {older.default!r}")
        yield from self.out.differences(older.type, newer.type, path)


def _new_parameter(name: str, new: ParameterDescription) -> Difference:
    if new.is_required:
        return _major(name, f"the parameter {_named(new)} must be given, and older clients do not")
    return _minor(name, f"the parameter {_named(new)} is new and has a default")


def _of_raises(older: OperationDescription, newer: OperationDescription) -> Iterator[Difference]:
    for each in sorted(set(newer.raises) - set(older.raises)):
        yield _minor(older.name, f"it may raise {each}; older clients may see a RemoteError")
    for each in sorted(set(older.raises) - set(newer.raises)):
        yield _minor(older.name, f"it does not raise {each} any more")


def _of_marks(older: OperationDescription, newer: OperationDescription) -> Iterator[Difference]:
    name = older.name
    if older.oneway != newer.oneway:
        yield _major(name, "it is oneway at one side only")
    if older.idempotent and not newer.idempotent:
        yield _major(name, "older clients may repeat it, and it is not idempotent any more")
    if newer.idempotent and not older.idempotent:
        yield _minor(name, "it is idempotent now")
    if newer.long_poll and not older.long_poll:
        yield _major(name, "it is a long-poll now, and older clients do not wait for so long")
    if older.long_poll and not newer.long_poll:
        yield _minor(name, "it is no long-poll any more")
    if older.role != newer.role:
        why = f"the least role is {newer.role}, it was {older.role}"
        yield Difference(path=name, weight=Weight.NOTE, why=why)


def _named(parameter: ParameterDescription) -> str:
    return f"{parameter.name} ({parameter.type.text()})"


def _major(path: str, why: str) -> Difference:
    return Difference(path=path, weight=Weight.MAJOR, why=why)


def _minor(path: str, why: str) -> Difference:
    return Difference(path=path, weight=Weight.MINOR, why=why)
