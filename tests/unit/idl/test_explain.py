"""Why an object does not fit, which version a change asks for, what is no description at all."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from idl_like_interfaces.daqif import DpmDaqControl
from idl_like_interfaces.declare import Interface, interface_of
from idl_like_interfaces.description import InterfaceDescription, describe, digest_of, implements
from idl_like_interfaces.events import EventChannel
from idl_like_interfaces.idl.compare import compare, explain_mismatch, judge, missing_version
from idl_like_interfaces.idl.difference import Verdict, verdict_of
from idl_like_interfaces.idl.registry import declared
from idl_like_interfaces.idl.soundness import flaw_of
from idl_like_interfaces.shapes import TypeDescription


def changed(description: InterfaceDescription, **changes: Any) -> InterfaceDescription:
    """Return a description of which something is different, with the digest of that."""
    other = msgspec.structs.replace(description, **changes)
    return msgspec.structs.replace(other, digest=digest_of(other))


def test_no_mismatch_has_no_reason() -> None:
    """An object of the same declaration fits."""
    assert explain_mismatch(describe(interface_of(EventChannel)), interface_of(EventChannel)) == ""


def test_a_newer_minor_version_fits() -> None:
    """An object may have learned new operations."""
    wanted = interface_of(DpmDaqControl)
    newer = changed(describe(wanted), repository_id="IDL:obsorb/daqif/DpmDaqControl:3.2")
    assert explain_mismatch(newer, wanted) == ""


MISMATCHES = [
    ("IDL:test/Other:1.0", "it implements IDL:test/Other:1.0 instead"),
    ("IDL:obsorb/daqif/DpmDaqControl:4.0", "it has the major version 4, wanted is 3"),
    ("IDL:obsorb/daqif/DpmDaqControl:3.0", "it has the version 3.0, wanted is 3.2 or a newer 3.x"),
]


@pytest.mark.parametrize(("offered", "why"), MISMATCHES)
def test_a_mismatch_of_ids_is_told(offered: str, why: str) -> None:
    """The reason names what was found and what was wanted."""
    wanted = interface_of(DpmDaqControl)
    assert explain_mismatch(changed(describe(wanted), repository_id=offered), wanted) == why


def test_a_change_without_a_new_version_is_told() -> None:
    """The signatures are compared even if the version says that they fit."""
    wanted = interface_of(DpmDaqControl)
    told = describe(wanted)
    first = msgspec.structs.replace(told.signatures[0], parameters=[])
    reason = explain_mismatch(changed(told, signatures=[first, *told.signatures[1:]]), wanted)
    assert "abort_daq: it misses the parameter id (str)" in reason
    assert "without a new version" in reason


def test_an_older_version_tells_what_it_lacks() -> None:
    """The names are compared also with an object that tells nothing else."""
    wanted = interface_of(DpmDaqControl)
    bare = InterfaceDescription(
        repository_id="IDL:obsorb/daqif/DpmDaqControl:3.0", operations=["abort_daq", "queue_daq"]
    )
    assert "get_active_daqs: the operation is missing" in explain_mismatch(bare, wanted)


def test_a_digest_finds_what_a_version_hides() -> None:
    """``is_a`` with a digest is false for a declaration that is another one."""
    offered = interface_of(DpmDaqControl)
    right = describe(offered).digest
    assert implements(offered, offered.repository_id, right)
    assert implements(offered, offered.repository_id)
    assert not implements(offered, offered.repository_id, "0" * 16)


def test_a_base_stays_a_base() -> None:
    """Who asks ``is_a`` of a base must not be refused."""
    wanted = describe(interface_of(DpmDaqControl))
    base = "IDL:test/Base:1.1"
    extended = changed(wanted, bases=[base])
    assert verdict_of(compare(wanted, extended)) is Verdict.COMPATIBLE
    assert verdict_of(compare(extended, wanted)) is Verdict.INCOMPATIBLE
    newer = changed(wanted, bases=["IDL:test/Base:1.2"])
    assert verdict_of(compare(extended, newer)) is Verdict.IDENTICAL


VERSIONS = [
    ("3.1", "3.1", True, "needs the new version 3.2: added: the operation is new"),
    ("3.1", "3.2", True, ""),
    ("3.1", "3.1", False, ""),
    ("3.1", "3.0", False, "went back from 3.1 to 3.0"),
]


@pytest.mark.parametrize(("before", "now", "has_more", "said"), VERSIONS)
def test_a_change_asks_for_a_version(before: str, now: str, has_more: bool, said: str) -> None:
    """The history of an interface is told by its versions."""
    wanted = describe(interface_of(DpmDaqControl))
    path = "IDL:obsorb/daqif/DpmDaqControl"
    more = [msgspec.structs.replace(wanted.signatures[0], name="added")] if has_more else []
    older = changed(wanted, repository_id=f"{path}:{before}")
    newer = changed(wanted, repository_id=f"{path}:{now}", signatures=[*wanted.signatures, *more])
    assert missing_version(older, newer).endswith(said)
    assert bool(missing_version(older, newer)) == bool(said)


def test_a_breaking_change_asks_for_a_major_version() -> None:
    """The first reasons are told, and how many more there are."""
    wanted = describe(interface_of(DpmDaqControl))
    none = changed(wanted, signatures=[], repository_id="IDL:obsorb/daqif/DpmDaqControl:3.9")
    said = missing_version(wanted, none)
    assert "needs the new major version 4.0: abort_daq: the operation is missing" in said
    assert said.endswith("; and 3 more")
    fresh = changed(none, repository_id="IDL:obsorb/daqif/DpmDaqControl:4.0")
    assert missing_version(wanted, fresh) == ""
    assert judge(wanted, fresh).verdict is Verdict.INCOMPATIBLE


def nested(depth: int) -> TypeDescription:
    """A list of lists of lists ..."""
    type_ = TypeDescription(kind="int")
    for _ in range(depth):
        type_ = TypeDescription(kind="list", of=[type_])
    return type_


def returning(type_: TypeDescription) -> dict[str, Any]:
    """Change what the first operation returns."""
    signatures = describe(interface_of(DpmDaqControl)).signatures
    return {"signatures": [msgspec.structs.replace(signatures[0], returns=type_), *signatures[1:]]}


FLAWS: list[tuple[dict[str, Any], str]] = [
    ({"repository_id": "nonsense"}, "not of the form"),
    ({"repository_id": "IDL:obsorb/daqif/DpmDaqControl"}, "has no version"),
    ({"structs": []}, "the struct 'DaqReply' is not described"),
    ({"enums": []}, "the enum 'AlertSeverity' is not described"),
    ({"errors": []}, "DaqException:3.1, which is not described"),
    (returning(TypeDescription(kind="list")), "a list of 0 types"),
    (returning(TypeDescription(kind="union")), "a union of 0 types"),
    (returning(nested(200)), "nested too deeply"),
]


@pytest.mark.parametrize(("changes", "why"), FLAWS, ids=[each[1] for each in FLAWS])
def test_a_malformed_description_is_a_mismatch(changes: dict[str, Any], why: str) -> None:
    """What an object tells is a stranger's word: it is examined before it is followed."""
    wanted = interface_of(DpmDaqControl)
    told = msgspec.structs.replace(describe(wanted), **changes)
    reason = explain_mismatch(told, wanted)
    assert "malformed" in reason
    assert why in reason


@pytest.mark.parametrize("declaration", declared(), ids=lambda each: each.repository_id)
def test_what_is_declared_is_whole(declaration: Interface) -> None:
    """No description of ours is malformed."""
    assert flaw_of(describe(declaration)) == ""
