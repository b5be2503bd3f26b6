"""Which changes of an interface its clients survive, and what a refusal says of the others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal, Protocol

import msgspec
import pytest
from msgspec import Meta

from idl_like_interfaces.daqif import OcmDaqControl
from idl_like_interfaces.declare import (
    Document,
    Finite,
    Interface,
    Seconds,
    UtcTime,
    Value,
    interface,
    interface_of,
    operation,
)
from idl_like_interfaces.description import InterfaceDescription, describe
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.idl.compare import compare
from idl_like_interfaces.idl.difference import Verdict, Weight, verdict_of
from idl_like_interfaces.octets import OctetBlocks, Octets


class Kind(StrEnum):
    """An enumeration."""

    A = "a"
    B = "b"


class More(StrEnum):
    """The same with one value more."""

    A = "a"
    B = "b"
    C = "c"


class Point(Value, frozen=True, kw_only=True):
    """A struct."""

    x: int
    y: int = 0


class PointWithZ(Value, frozen=True, kw_only=True):
    """With one field more, which has a default."""

    x: int
    y: int = 0
    z: int = 0


class PointInSpace(Value, frozen=True, kw_only=True):
    """With one field more, which must be given."""

    x: int
    y: int = 0
    z: int


class Sparse(Document, frozen=True, kw_only=True):
    """A struct whose defaults do not travel."""

    x: int = 1


class SparseOther(Document, frozen=True, kw_only=True):
    """With another default."""

    x: int = 2


class One(Document, frozen=True, kw_only=True, tag="one"):
    """A member of a tagged union."""

    x: int


class Two(Document, frozen=True, kw_only=True, tag="two"):
    """Another member."""

    x: int


class PointMayLack(Value, frozen=True, kw_only=True):
    """Its first field may be left out."""

    x: int = 0
    y: int = 0


class OtherDefault(Value, frozen=True, kw_only=True):
    """With another default, which travels."""

    x: int
    y: int = 1


class Rest(Value, frozen=True, kw_only=True):
    """What else there is."""

    day: date
    ids: set[int] = set()
    octets: Octets = Octets(b"a")
    blocks: OctetBlocks = OctetBlocks.of([b"b"])


class Row(msgspec.Struct, frozen=True, array_like=True):
    """Travels without names."""

    x: int


class LongerRow(msgspec.Struct, frozen=True, array_like=True):
    """With one field more."""

    x: int
    y: int = 0


class Tree(Value, frozen=True, kw_only=True):
    """Contains itself."""

    below: list[Tree] = []


class TreeWithMore(Value, frozen=True, kw_only=True):
    """Contains itself, and more."""

    below: list[TreeWithMore] = []
    height: int = 0


class Broken(RemoteError, repository_id="IDL:test/compare/Broken:1.0"):
    """An error."""


class Other(RemoteError, repository_id="IDL:test/compare/Other:1.0"):
    """Another error."""


def declare(function: Callable[..., Any], *errors: type[RemoteError], **marks: Any) -> Interface:
    """Declare an interface of one operation ``work``."""
    function.__name__ = "work"
    python = type("Worker", (Protocol,), {"work": operation(*errors, **marks)(function)})
    return interface_of(interface("IDL:test/Worker:1.0")(python))


def taking(type_: Any) -> Interface:
    """Declare an operation of one parameter."""

    def work(self: Any, value: Any) -> None: ...

    work.__annotations__ = {"value": type_, "return": type(None)}
    return declare(work)


def giving(type_: Any) -> Interface:
    """Declare an operation of one reply."""

    def work(self: Any) -> Any: ...

    work.__annotations__ = {"return": type_}
    return declare(work)


def verdict(older: Interface, newer: Interface) -> Verdict:
    """Compare two declarations."""
    return verdict_of(compare(describe(older), describe(newer)))


IDENTICAL, COMPATIBLE, INCOMPATIBLE = Verdict


CHANGES = [
    (int, int, IDENTICAL, IDENTICAL),
    (int, str, INCOMPATIBLE, INCOMPATIBLE),
    (int, Finite, COMPATIBLE, INCOMPATIBLE),
    (int, int | None, COMPATIBLE, INCOMPATIBLE),
    (int | None, int, INCOMPATIBLE, COMPATIBLE),
    (int | str, str | int, IDENTICAL, IDENTICAL),
    (int, Any, COMPATIBLE, INCOMPATIBLE),
    (list[int], list[str], INCOMPATIBLE, INCOMPATIBLE),
    (list[int], list[int | str], COMPATIBLE, INCOMPATIBLE),
    (dict[str, int], dict[str, int | None], COMPATIBLE, INCOMPATIBLE),
    (list[int], dict[str, int], INCOMPATIBLE, INCOMPATIBLE),
    (Finite, Seconds, INCOMPATIBLE, COMPATIBLE),
    (str, Annotated[str, Meta(max_length=8)], INCOMPATIBLE, COMPATIBLE),
    (Annotated[str, Meta(pattern="^a")], Annotated[str, Meta(pattern="^b")], *[INCOMPATIBLE] * 2),
    (Kind, More, COMPATIBLE, INCOMPATIBLE),
    (Kind, str, COMPATIBLE, INCOMPATIBLE),
    (Kind, int, INCOMPATIBLE, INCOMPATIBLE),
    (Point, PointWithZ, COMPATIBLE, COMPATIBLE),
    (Point, PointInSpace, INCOMPATIBLE, COMPATIBLE),
    (PointWithZ, Point, INCOMPATIBLE, INCOMPATIBLE),
    (Sparse, SparseOther, INCOMPATIBLE, INCOMPATIBLE),
    (One, One | Two, COMPATIBLE, INCOMPATIBLE),
    (One, Two, INCOMPATIBLE, INCOMPATIBLE),
    (Literal["a"], Literal["a", "b"], COMPATIBLE, INCOMPATIBLE),
    (Literal["a"], Literal["b"], INCOMPATIBLE, INCOMPATIBLE),
    (Literal["a"], str, COMPATIBLE, INCOMPATIBLE),
    (tuple[int, str], tuple[int, str], IDENTICAL, IDENTICAL),
    (tuple[int, str], tuple[int, str, int], INCOMPATIBLE, INCOMPATIBLE),
    (dict[str, int], dict[int, int], INCOMPATIBLE, INCOMPATIBLE),
    (UtcTime, str, COMPATIBLE, INCOMPATIBLE),
    (timedelta, timedelta, IDENTICAL, IDENTICAL),
    (PointMayLack, Point, INCOMPATIBLE, COMPATIBLE),
    (Rest, Rest, IDENTICAL, IDENTICAL),
    (Row, LongerRow, INCOMPATIBLE, INCOMPATIBLE),
    (Annotated[int, Meta(le=5)], Annotated[int, Meta(le=9)], COMPATIBLE, INCOMPATIBLE),
    (Tree, TreeWithMore, COMPATIBLE, COMPATIBLE),
    (OtherDefault, Point, COMPATIBLE, COMPATIBLE),
]


@pytest.mark.parametrize(("older", "newer", "in_request", "in_reply"), CHANGES)
def test_a_changed_type_is_judged_by_its_direction(
    older: Any, newer: Any, in_request: Verdict, in_reply: Verdict
) -> None:
    """What an object may take in addition, it must not send in addition."""
    assert verdict(taking(older), taking(newer)) is in_request
    assert verdict(giving(older), giving(newer)) is in_reply


def work_of_none(self: Any) -> None: ...


def work_of_a(self: Any, a: int) -> None: ...


def work_of_a_or_not(self: Any, a: int = 1) -> None: ...


def work_of_a_else_2(self: Any, a: int = 2) -> None: ...


def work_of_a_b(self: Any, a: int, b: int) -> None: ...


def work_of_b_a(self: Any, b: int, a: int) -> None: ...


def work_of_a_and_more(self: Any, a: int, b: int = 1) -> None: ...


def work_of_more_and_a(self: Any, b: int = 1, a: int = 1) -> None: ...


PARAMETERS = [
    (work_of_none, work_of_a_or_not, COMPATIBLE, "the parameter a (int) is new"),
    (work_of_none, work_of_a, INCOMPATIBLE, "the parameter a (int) must be given"),
    (work_of_a, work_of_none, INCOMPATIBLE, "it misses the parameter a (int)"),
    (work_of_a, work_of_a_and_more, COMPATIBLE, "the parameter b (int) is new"),
    (work_of_a, work_of_a_b, INCOMPATIBLE, "the parameter b (int) must be given"),
    (work_of_a_b, work_of_b_a, INCOMPATIBLE, "in another order: b, a"),
    (work_of_a_or_not, work_of_more_and_a, INCOMPATIBLE, "in another order: b, a"),
    (work_of_a, work_of_a_or_not, COMPATIBLE, "it need not be given any more"),
    (work_of_a_or_not, work_of_a, INCOMPATIBLE, "it must be given now"),
    (work_of_a_or_not, work_of_a_else_2, COMPATIBLE, "the default is 2, it was 1"),
]


@pytest.mark.parametrize(("older", "newer", "wanted", "why"), PARAMETERS)
def test_changed_parameters(older: Any, newer: Any, wanted: Verdict, why: str) -> None:
    """Clients send arguments by position and by name; both must stay right."""
    found = compare(describe(declare(older)), describe(declare(newer)))
    assert verdict_of(found) is wanted
    assert why in found[0].text()


MARKS = [
    ({}, {"idempotent": True}, COMPATIBLE),
    ({"idempotent": True}, {}, INCOMPATIBLE),
    ({}, {"oneway": True}, INCOMPATIBLE),
]


@pytest.mark.parametrize(("older", "newer", "wanted"), MARKS)
def test_changed_marks(older: Any, newer: Any, wanted: Verdict) -> None:
    """What a stub may do with a call is part of the contract."""
    assert verdict(declare(work_of_none, **older), declare(work_of_none, **newer)) is wanted


def test_a_wait_is_part_of_the_contract() -> None:
    """Who does not know that an operation waits gives up too early."""

    def work(self: Any, timeout_s: Seconds) -> None: ...

    short, long = declare(work), declare(work, long_poll=True)
    assert verdict(short, long) is Verdict.INCOMPATIBLE
    assert verdict(long, short) is Verdict.COMPATIBLE


def test_errors_may_be_added_and_taken_away() -> None:
    """An error that a client does not know reaches it as a RemoteError."""
    one = declare(work_of_none, Broken)
    assert verdict(one, declare(work_of_none, Broken, Other)) is Verdict.COMPATIBLE
    assert verdict(one, declare(work_of_none)) is Verdict.COMPATIBLE


def test_the_fields_of_an_error_stay() -> None:
    """A client that reads a field of an error must find it."""
    whole = describe(interface_of(OcmDaqControl))
    bare = [msgspec.structs.replace(each, fields=[]) for each in whole.errors]
    found = compare(whole, msgspec.structs.replace(whole, errors=bare))
    assert [each.text() for each in found] == [
        "DaqException.id: the field (str) does not come any more"
    ]


def test_a_role_is_a_note() -> None:
    """Roles are policy: they change neither the verdict nor the digest."""
    from idl_like_interfaces.declare import Role

    one = describe(declare(work_of_none))
    other = describe(declare(work_of_none, role=Role.ADMIN))
    (found,) = compare(one, other)
    assert (found.weight, verdict_of([found])) == (Weight.NOTE, Verdict.IDENTICAL)
    assert one.digest == other.digest


def test_operations_may_be_added_and_not_removed() -> None:
    """The set of operations grows within a major version."""
    whole = describe(interface_of(OcmDaqControl))
    less = msgspec.structs.replace(whole, signatures=whole.signatures[1:])
    assert verdict_of(compare(less, whole)) is Verdict.COMPATIBLE
    (found,) = compare(whole, less)
    assert found.text() == "abort_daq: the operation is missing"


def test_a_path_leads_into_structs() -> None:
    """A difference says where it is, however deep."""
    whole = describe(interface_of(OcmDaqControl))
    text = msgspec.json.encode(whole).replace(b'"Warning",', b"").replace(b'"cause"', b'"why"')
    found = compare(whole, msgspec.json.decode(text, type=InterfaceDescription))
    paths = {each.path: each.why for each in found}
    assert "get_status().alerts[].why" in paths
    assert "does not come any more" in paths["get_status().alerts[].severity"]


def test_two_types_of_one_name_are_refused() -> None:
    """A description tells types apart by their names."""
    namesake = msgspec.defstruct("Point", [("a", int)])
    with pytest.raises(TypeError, match="two types of one interface are called Point"):
        describe(taking(dict[str, Point | None] | list[namesake]))  # type: ignore[valid-type]


def test_types_are_told_as_python_writes_them() -> None:
    """So a reader of a refusal knows them."""
    given = describe(taking(dict[str, tuple[int, Kind | None]] | Literal[5])).signatures[0]
    assert given.parameters[0].type.text() == "dict[str, tuple[int, Kind | None]] | 5"
    keyed = describe(taking(dict[int, date])).signatures[0].parameters[0].type
    assert keyed.text() == "dict[int, date]"


def test_defaults_of_octets_are_told_in_hexadecimal() -> None:
    """A description is plain values."""
    (rest,) = [each for each in describe(taking(Rest)).structs if each.name == "Rest"]
    defaults = {each.name: each.default for each in rest.fields}
    assert (defaults["octets"], defaults["blocks"]) == ("61", ["62"])
