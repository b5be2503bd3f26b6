"""The examination finds what an object does wrong, and harms none that does right."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
import pytest
from typing_extensions import override

from idl_like_interfaces.declare import interface_of
from idl_like_interfaces.description import InterfaceDescription, describe, digest_of
from idl_like_interfaces.errors import BadParam, Internal, RemoteError
from idl_like_interfaces.events import EventChannel
from idl_like_interfaces.idl.conformance import UNDECLARED, Check, Examination, Outcome, Peer
from idl_like_interfaces.idl.misfit import misfit
from idl_like_interfaces.mapping import ObjectAdapter
from idl_like_interfaces.mapping.calling.probe import Probe
from idl_like_interfaces.object import Statistics
from idl_like_interfaces.shapes import TypeDescription
from tests.support.echo import Echo, EchoServant

T = TypeVar("T")


@pytest.fixture
def probe() -> Iterator[Probe]:
    """A probe of a real object."""
    with (
        ObjectAdapter() as adapter,
        Probe(adapter.activate(EchoServant(), Echo, "echo")) as found,
    ):
        yield found


class Bent(Peer):
    """Passes everything on to an object, but for one answer.

    Args:
        peer: The object.
        answer: Gets operation and arguments; ``NotImplemented``: what the object says.
    """

    def __init__(self, peer: Peer, answer: Callable[..., Any]) -> None:
        self._peer = peer
        self._answer = answer
        self.calls: list[tuple[str, Sequence[Any], Mapping[str, Any]]] = []

    @override
    def call(
        self, operation: str, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        self.calls.append((operation, args, kwargs or {}))
        found = self._answer(operation, args, kwargs or {})
        return self._peer.call(operation, args, kwargs) if found is NotImplemented else found

    @override
    def read(self, type_: type[T], operation: str, args: Sequence[Any] = ()) -> T:
        found = self._answer(operation, args, {})
        if found is NotImplemented:
            return self._peer.read(type_, operation, args)
        self.calls.append((operation, args, {}))
        return found  # type: ignore[no-any-return]

    @override
    def tell(self, operation: str) -> None:
        if self._answer("tell", [operation], {}) is NotImplemented:
            self._peer.tell(operation)

    @override
    def ping_by_stock_proxy(self) -> bool:
        return self._answer("stock", [], {}) is NotImplemented and self._peer.ping_by_stock_proxy()


def examine(peer: Peer, wanted: type | None = Echo) -> dict[str, Check]:
    """Run the examination."""
    interface = interface_of(wanted) if wanted else None
    return {each.name: each for each in Examination(peer, interface).run()}


def failures(checks: dict[str, Check]) -> list[str]:
    """Name the checks that failed."""
    return [name for name, each in checks.items() if each.outcome is Outcome.FAILED]


def test_a_right_object_passes(probe: Probe) -> None:
    """Every check, but those that cannot be made of a parameter that takes anything."""
    checks = examine(probe)
    assert failures(checks) == []
    skipped = [name for name, each in checks.items() if each.outcome is Outcome.SKIPPED]
    assert skipped == ["wrong anything(value) is refused"]
    assert checks["nothing was executed"].outcome is Outcome.PASSED
    assert "a: expected `int`" in checks["wrong add(a) is refused"].detail


def test_no_call_that_could_succeed_is_sent(probe: Probe) -> None:
    """Of the interface's own operations only malformed calls, each wrong in two ways."""
    bent = Bent(probe, lambda *_: NotImplemented)
    examine(bent)
    own = [each for each in bent.calls if each[0] in interface_of(Echo).operations]
    assert own
    assert all(UNDECLARED in kwargs for _, _, kwargs in own)


def test_an_interface_that_is_not_known_here_is_taken_at_its_word(probe: Probe) -> None:
    """Its description is all that there is."""
    checks = examine(probe, None)
    assert failures(checks) == []
    compared = checks["the interface is the declared one"]
    assert (compared.outcome, "--interface" in compared.detail) == (Outcome.SKIPPED, True)


def test_another_interface_is_told_with_its_reason(probe: Probe) -> None:
    """The same words as a refused narrow."""
    checks = examine(probe, EventChannel)
    assert failures(checks) == ["the interface is the declared one"]
    detail = checks["the interface is the declared one"].detail
    assert detail == "it implements IDL:test/Echo:1.2 instead"


def lies(**answers: Any) -> Callable[..., Any]:
    """Answer some operations always the same, whatever is asked."""
    return lambda operation, args, kwargs: answers.get(operation, NotImplemented)


def lenient(operation: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Pass over surplus arguments of ``ping``."""
    return 1 if operation == "ping" and (args or kwargs) else NotImplemented


def changed(**changes: Any) -> InterfaceDescription:
    """Return a description that is not that of the declaration."""
    return msgspec.structs.replace(describe(interface_of(Echo)), **changes)


def raising(error: RemoteError) -> Callable[..., Any]:
    """Refuse each malformed call in the same way."""

    def answer(operation: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if UNDECLARED in kwargs and operation != "ping":
            raise error
        return NotImplemented

    return answer


BENT: list[tuple[str, Callable[..., Any], str]] = [
    ("claims everything", lies(is_a=True), "is_a is false for others"),
    ("denies everything", lies(is_a=False), "is_a is true for its lineage"),
    (
        "tells a wrong digest",
        lies(get_interface=changed(digest="0" * 16)),
        "get_interface tells every signature",
    ),
    (
        "tells names only",
        lies(get_interface=changed(signatures=[])),
        "get_interface tells every signature",
    ),
    ("takes anything", lenient, "surplus and unknown arguments are refused"),
    ("knows every operation", lies(**{UNDECLARED: 1}), "an undeclared operation is refused"),
    ("takes wrong arguments", lies(add=1), "wrong add(a) is refused"),
    (
        "names another field",
        raising(BadParam("no", field="b")),
        "wrong add(a) is refused",
    ),
    ("fails over wrong arguments", raising(Internal("bug")), "wrong add(a) is refused"),
]


@pytest.mark.parametrize(("what", "answer", "check"), BENT, ids=[each[0] for each in BENT])
def test_what_is_wrong_is_found(
    probe: Probe, what: str, answer: Callable[..., Any], check: str
) -> None:
    """Each kind of misbehaviour fails the check of its name."""
    assert check in failures(examine(Bent(probe, answer)))


def test_a_lenient_object_is_spared(probe: Probe) -> None:
    """Who takes surplus arguments is sent no malformed calls: it might execute them."""
    bent = Bent(probe, lenient)
    checks = examine(bent)
    assert checks["wrong add(a) is refused"].outcome is Outcome.SKIPPED
    assert not any(operation == "add" for operation, _, _ in bent.calls)


def test_roles_of_an_installation_are_no_fault(probe: Probe) -> None:
    """They are policy; the check says that they differ."""
    signatures = [msgspec.structs.replace(each, role="admin") for each in changed().signatures]
    checks = examine(Bent(probe, lies(get_interface=changed(signatures=signatures))))
    assert failures(checks) == []
    assert checks["the interface is the declared one"].detail == "the same but for the roles"


def test_a_newer_object_serves_older_clients(probe: Probe) -> None:
    """Its interface has a newer minor version than the one that is asked for."""
    newer = changed(repository_id="IDL:test/Echo:1.9")
    told = msgspec.structs.replace(newer, digest=digest_of(newer))
    checks = examine(Bent(probe, lies(get_interface=told)))
    detail = checks["the interface is the declared one"].detail
    assert detail == "it serves clients of IDL:test/Echo:1.2"


def test_a_change_without_a_version_is_told(probe: Probe) -> None:
    """Also one that older clients survive."""
    more = [*changed().signatures, msgspec.structs.replace(changed().signatures[0], name="more")]
    newer = changed(signatures=more)
    told = msgspec.structs.replace(newer, digest=digest_of(newer))
    checks = examine(Bent(probe, lies(get_interface=told)))
    detail = checks["the interface is the declared one"].detail
    assert "needs the new version 1.3: more: the operation is new" in detail


def test_who_names_the_unknown_argument_first_is_asked_again(probe: Probe) -> None:
    """With the wrong value alone: the unknown argument is not what this is about."""

    def answer(operation: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if UNDECLARED in kwargs and operation != "ping":
            raise BadParam("unknown", field=UNDECLARED)
        return NotImplemented

    bent = Bent(probe, answer)
    assert failures(examine(bent)) == []
    assert ("add", [["obsorb idl check"]], {}) in bent.calls


def counting() -> Callable[..., Any]:
    """Say that everything was called once more since the last time."""
    calls = itertools.count()

    def answer(operation: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if operation != "get_statistics":
            return NotImplemented
        one = {"refused": 0, "failed": 0, "dropped": 0, "denied": 0, "in_progress": 0}
        each = {**one, "calls": next(calls), "total_s": 0, "counts": []}
        plain = {
            "since": "2026-03-01T22:00:00Z",
            "bounds_s": [],
            "operations": [{**each, "name": name} for name in ("get_interface", "add")],
        }
        return msgspec.convert(plain, Statistics)

    return answer


def test_an_executed_oneway_call_is_found(probe: Probe) -> None:
    """It would be executed without anybody being told what became of it."""
    checks = examine(Bent(probe, counting()))
    assert failures(checks) == ["a oneway call of what is not oneway is refused"]
    assert "others called add meanwhile" in checks["nothing was executed"].detail


def test_without_a_stock_proxy_the_check_is_skipped(probe: Probe) -> None:
    """With TLS a stock client needs a configuration of its own."""
    checks = examine(Bent(probe, lies(stock=1)))
    assert checks["a stock proxy is answered"].outcome is Outcome.SKIPPED


KINDS = [
    "none",
    "bool",
    "int",
    "float",
    "str",
    "time",
    "octets",
    "octet_blocks",
    "list",
    "map",
    "literal",
    "enum",
    "struct",
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_misfit_is_of_another_kind(kind: str) -> None:
    """There is a value for each kind, and for each two of them."""
    texts = {"bool", "str", "time", "literal", "enum", "none"}
    for other in KINDS:
        union = TypeDescription(
            kind="union", of=[TypeDescription(kind=kind), TypeDescription(kind=other)]
        )
        wrong = misfit(union)
        assert wrong is not None
        assert not isinstance(wrong, str) or not {kind, other} & texts


def test_what_takes_anything_has_no_misfit() -> None:
    """Nor has a union of everything."""
    assert misfit(TypeDescription(kind="any")) is None
    everything = [TypeDescription(kind=kind) for kind in ("list", "map", "int")]
    assert misfit(TypeDescription(kind="union", of=everything)) is None
