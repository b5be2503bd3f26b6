"""Does a living object keep its interface? Asked from outside, without harm.

Only questions that change nothing and calls that are malformed are sent: an object that
refuses what it must refuse executes none of them. The malformed call of an operation is
wrong in two ways, so that an object that overlooks one of them still refuses it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from idl_like_interfaces.declare import Interface, Value, parse_repository_id
from idl_like_interfaces.description import (
    InterfaceDescription,
    OperationDescription,
    describe,
    digest_of,
)
from idl_like_interfaces.errors import BadOperation, BadParam, RemoteError
from idl_like_interfaces.idl.compare import compare, explain_mismatch, missing_version
from idl_like_interfaces.idl.misfit import misfit
from idl_like_interfaces.idl.registry import known
from idl_like_interfaces.idl.soundness import flaw_of
from idl_like_interfaces.object import Identity, Object, Statistics

FOREIGN = "IDL:obsorb/check/NobodyHasThis:1.0"
UNDECLARED = "zz_obsorb_idl_check"
"""Name of nothing; behind all others, so that what is wrong before it is found first."""

_TRIES = 3
"""Others may call the object while it is examined."""

T = TypeVar("T")


class Peer(Protocol):
    """How the object is reached (``mapping.calling.probe.Probe``)."""

    def call(
        self, operation: str, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Call and return plain values; raises ``RemoteError``."""

    def read(self, type_: type[T], operation: str, args: Sequence[Any] = ()) -> T:
        """Call and return the declared value; fields of a newer object are passed over."""

    def tell(self, operation: str) -> None:
        """Send a oneway call; raises ``RemoteError`` when it is answered."""

    def ping_by_stock_proxy(self) -> bool:
        """Ping by a proxy of Pyro5; false: not possible. Raises ``RemoteError``."""


class Outcome(StrEnum):
    """What a check found."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Check(Value, frozen=True, kw_only=True):
    """One check.

    Attributes:
        name: What must hold.
        outcome: Whether it does.
        detail: What was found.
    """

    name: str
    outcome: Outcome
    detail: str = ""


class _Failed(Exception):
    """A check failed; the text says what was found."""


class _Skipped(Exception):
    """A check is not possible; the text says why."""


class Examination:
    """The checks of one object, in their order.

    Args:
        peer: The object.
        wanted: What it must implement; ``None``: what it says itself.
    """

    def __init__(self, peer: Peer, wanted: Interface | None = None) -> None:
        self._peer = peer
        self._wanted = wanted
        self._found: InterfaceDescription | None = None
        self._is_strict = False

    def run(self) -> Iterator[Check]:
        """Yield each check when it is done."""
        yield self._check("ping answers", self._ping)
        yield self._check("get_interface tells every signature", self._read_interface)
        found = self._found
        if found is None:
            return
        before = self._calls()
        yield self._check("the interface is the declared one", lambda: self._compare(found))
        yield self._check("is_a is true for its lineage", lambda: self._lineage(found))
        yield self._check("is_a is false for others", lambda: self._others(found))
        yield self._check("is_a compares digests", lambda: self._digests(found))
        yield self._check("get_statistics answers", self._statistics)
        yield from self._refusals(found)
        yield self._check("a stock proxy is answered", self._stock)
        yield self._check("nothing was executed", lambda: self._unchanged(before, found))

    def _refusals(self, found: InterfaceDescription) -> Iterator[Check]:
        yield self._check("an undeclared operation is refused", self._undeclared)
        first = self._check("surplus and unknown arguments are refused", self._surplus)
        self._is_strict = first.outcome is Outcome.PASSED
        yield first
        for each in found.signatures:
            if each.parameters:
                path = f"{each.name}({each.parameters[0].name})"
                yield self._check(f"wrong {path} is refused", lambda op=each: self._wrong(op))  # type: ignore[misc]
        yield self._check("a oneway call of what is not oneway is refused", self._oneway)

    @staticmethod
    def _check(name: str, look: Callable[[], str]) -> Check:
        try:
            return Check(name=name, outcome=Outcome.PASSED, detail=look())
        except _Skipped as skipped:
            return Check(name=name, outcome=Outcome.SKIPPED, detail=str(skipped))
        except _Failed as failed:
            return Check(name=name, outcome=Outcome.FAILED, detail=str(failed))
        except RemoteError as error:
            detail = f"{type(error).__name__}: {error.message}"
            return Check(name=name, outcome=Outcome.FAILED, detail=detail)

    def _ping(self) -> str:
        identity = self._peer.read(Identity, "ping")
        return f"{identity.object_id}, pid {identity.pid} on {identity.host}"

    def _read_interface(self) -> str:
        found = self._peer.read(InterfaceDescription, "get_interface")
        if not found.signatures and found.operations:
            raise _Failed("it tells names of operations only: it is of an older release")
        if flaw := flaw_of(found):
            raise _Failed(f"it is malformed: {flaw}")
        if found.digest != digest_of(found):
            raise _Failed("its digest is not that of what it tells")
        self._found = found
        return f"{found.repository_id}, {len(found.signatures)} operations, {found.digest}"

    def _compare(self, found: InterfaceDescription) -> str:
        wanted = self._wanted or known(found.repository_id)
        if wanted is None:
            raise _Skipped(f"{found.repository_id} is not declared here; give --interface")
        if reason := explain_mismatch(found, wanted):
            raise _Failed(reason)
        declared = describe(wanted)
        if declared.repository_id == found.repository_id:
            if reason := missing_version(declared, found) or missing_version(found, declared):
                raise _Failed(reason)
            return "the same" if not compare(declared, found) else "the same but for the roles"
        return f"it serves clients of {declared.repository_id}"

    def _is_a(self, repository_id: str, digest: str = "") -> bool:
        return self._peer.read(bool, "is_a", [repository_id, digest][: 2 if digest else 1])

    def _lineage(self, found: InterfaceDescription) -> str:
        lineage = [found.repository_id, *found.bases, "IDL:obsorb/Object:1.0"]
        for each in [*lineage, *(f"IDL:{parse_repository_id(one)[0]}" for one in lineage)]:
            if not self._is_a(each):
                raise _Failed(f"it denies {each}")
        return ", ".join(lineage)

    def _others(self, found: InterfaceDescription) -> str:
        path, version = parse_repository_id(found.repository_id)
        major, minor = version or (1, 0)
        newer = f"IDL:{path}:{major}.{minor + 1}", f"IDL:{path}:{major + 1}.0"
        for each in (FOREIGN, *newer):
            if self._is_a(each):
                raise _Failed(f"it claims to be {each}")
        self._refused(BadParam, "is_a", ["no repository id"])
        return ", ".join(newer)

    def _digests(self, found: InterfaceDescription) -> str:
        if not self._is_a(found.repository_id, found.digest):
            raise _Failed("it denies its own digest")
        if self._is_a(found.repository_id, "0" * 16):
            raise _Failed("it accepts any digest")
        return found.digest

    def _statistics(self) -> str:
        found = self._peer.read(Statistics, "get_statistics")
        return f"{sum(each.calls for each in found.operations)} calls since {found.since:%F %T}"

    def _undeclared(self) -> str:
        return self._refused(BadOperation, UNDECLARED, []).message

    def _surplus(self) -> str:
        self._refused(BadParam, "ping", [1])
        return self._refused(BadParam, "ping", [], {UNDECLARED: 1}).message

    def _wrong(self, operation: OperationDescription) -> str:
        first = operation.parameters[0]
        if not self._is_strict:
            raise _Skipped("surplus arguments are not refused: a test could do harm")
        wrong = misfit(first.type)
        if wrong is None:
            raise _Skipped("it takes any value")
        error = self._refused(BadParam, operation.name, [], {first.name: wrong, UNDECLARED: 1})
        if _field_of(error) == UNDECLARED:
            error = self._refused(BadParam, operation.name, [wrong])
        if not _field_of(error).startswith(first.name):
            raise _Failed(f"the refusal names {_field_of(error)!r}, not {first.name!r}")
        return error.message

    def _refused(
        self,
        kind: type[RemoteError],
        operation: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any] | None = None,
    ) -> RemoteError:
        try:
            found = self._peer.call(operation, args, kwargs)
        except kind as error:
            return error
        except RemoteError as error:
            text = f"{operation} was refused with {type(error).__name__}, not {kind.__name__}"
            raise _Failed(f"{text}: {error.message}") from error
        raise _Failed(f"{operation} was not refused, it returned {str(found)[:60]!r}")

    def _oneway(self) -> str:
        for _ in range(_TRIES):
            before = self._calls().get("get_interface", 0)
            self._peer.tell("get_interface")
            if self._calls().get("get_interface", 0) == before:
                return "no reply, not executed, the connection goes on"
        raise _Failed("get_interface was executed each time")

    def _stock(self) -> str:
        if not self._peer.ping_by_stock_proxy():
            raise _Skipped("with TLS a stock client needs a configuration of its own")
        return "Pyro5.client.Proxy, serpent"

    def _calls(self) -> dict[str, int]:
        try:
            found = self._peer.read(Statistics, "get_statistics")
        except RemoteError:
            return {}
        return {each.name: each.calls for each in found.operations}

    def _unchanged(self, before: dict[str, int], found: InterfaceDescription) -> str:
        own = {name for name in vars(Object) if not name.startswith("_")}
        names = {each.name for each in found.signatures if not each.idempotent} - own
        after = self._calls()
        more = sorted(each for each in names if after.get(each, 0) != before.get(each, 0))
        if more:
            raise _Skipped(
                f"others called {', '.join(more)} meanwhile; check again when it is idle"
            )
        return f"counts of {len(names)} operations are as before"


def _field_of(error: RemoteError) -> str:
    return error.field if isinstance(error, BadParam) else ""
