"""What the name service should do, written as simply as it can be: a dictionary."""

from __future__ import annotations

from dataclasses import dataclass, field

from idl_like_interfaces.declare import is_compatible
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.naming import (
    AlreadyBound,
    Binding,
    BindingType,
    ChangeKind,
    ChangeList,
    NoSuchLease,
    NotEmpty,
    NotFound,
)

Refusal = type[RemoteError] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a name stands for, without its time.

    Attributes:
        uri: Empty for a context.
        interface: Repository id.
        mark: The one mark.
        lease_id: Empty: none.
    """

    uri: str = ""
    interface: str = ""
    mark: str = ""
    lease_id: str = ""

    @property
    def is_context(self) -> bool:
        """Tell it from an object."""
        return not self.uri


@dataclass
class ModelLease:
    """A lease and when it ends."""

    term_s: float
    end: float


@dataclass
class Model:
    """All names by text, all leases by id; each operation says how it is refused.

    Attributes:
        names: By full name.
        leases: By id.
    """

    names: dict[str, Entry] = field(default_factory=dict)
    leases: dict[str, ModelLease] = field(default_factory=dict)

    def put(self, name: str, entry: Entry, *, replace: bool) -> Refusal:
        """Bind, rebind or make a context."""
        if entry.lease_id and entry.lease_id not in self.leases:
            return NoSuchLease
        if not self._has_contexts(name):
            return NotFound
        old = self.names.get(name)
        if old and (old.is_context or not replace):
            return AlreadyBound
        self.names[name] = entry
        return None

    def unbind(self, name: str) -> Refusal:
        """Remove an object."""
        if name not in self.names or self.names[name].is_context:
            return NotFound
        del self.names[name]
        return None

    def destroy(self, name: str) -> Refusal:
        """Remove an empty context."""
        if name not in self.names or not self.names[name].is_context:
            return NotFound
        if any(each.startswith(f"{name}/") for each in self.names):
            return NotEmpty
        del self.names[name]
        return None

    def grant(self, lease_id: str, term_s: float, now: float) -> None:
        """Add a lease."""
        self.leases[lease_id] = ModelLease(term_s, now + term_s)

    def renew(self, lease_id: str, now: float) -> Refusal:
        """Begin its term anew."""
        if lease_id not in self.leases:
            return NoSuchLease
        self.leases[lease_id].end = now + self.leases[lease_id].term_s
        return None

    def release(self, lease_id: str) -> Refusal:
        """End it and what stands under it."""
        if lease_id not in self.leases:
            return NoSuchLease
        del self.leases[lease_id]
        self.names = {n: e for n, e in self.names.items() if e.lease_id != lease_id}
        return None

    def expire(self, now: float) -> None:
        """End what has run out."""
        for lease_id in [each for each, lease in self.leases.items() if lease.end <= now]:
            self.release(lease_id)

    def restart(self, now: float) -> None:
        """Give each lease a full term."""
        for lease in self.leases.values():
            lease.end = now + lease.term_s

    def find(self, interface: str) -> list[str]:
        """Return the names of what offers an interface."""
        offers = (
            name
            for name, entry in self.names.items()
            if entry.interface and is_compatible(entry.interface, interface)
        )
        return sorted(offers)

    def below(self, context: str) -> list[str]:
        """Return all names below a context."""
        return sorted(each for each in self.names if not context or each.startswith(f"{context}/"))

    def _has_contexts(self, name: str) -> bool:
        above = name.rpartition("/")[0]
        return not above or (above in self.names and self.names[above].is_context)


def entry_of(binding: Binding) -> Entry:
    """Return what the model says of a binding."""
    assert (binding.type is BindingType.CONTEXT) is (not binding.uri)
    return Entry(
        uri=binding.uri,
        interface=binding.interface,
        mark=binding.metadata.get("mark", ""),
        lease_id=binding.lease_id,
    )


class Follower:
    """Knows what a watcher knows who believes each answer.

    Attributes:
        known: By full name.
        token: For the next call.
        is_complete: It has seen all of a snapshot.
    """

    def __init__(self) -> None:
        self.known: dict[str, Binding] = {}
        self.token = ""
        self.is_complete = False

    def hear(self, news: ChangeList) -> None:
        """Take an answer."""
        if news.is_snapshot:
            self.known.clear()
        for change in news.changes:
            if change.kind is ChangeKind.BOUND:
                self.known[change.binding.name] = change.binding
            else:
                self.known.pop(change.binding.name, None)
        self.token = news.token
        self.is_complete = not news.has_more
