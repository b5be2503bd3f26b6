"""The names in memory: decides what an operation would change, without changing it.

A plan (``plan_…``) looks and answers with the changes, or refuses; ``apply`` makes
them true. In between the caller writes them to the store, so that nothing is
acknowledged that would not survive.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from idl_like_interfaces.declare import is_compatible
from idl_like_interfaces.naming import (
    AlreadyBound,
    Binding,
    BindingType,
    Change,
    ChangeKind,
    NotEmpty,
    NotFound,
    NotFoundReason,
)
from nameserver.names import Path
from nameserver.records import Changes

_WORDS = {
    NotFoundReason.MISSING_NODE: "{name!r} does not exist",
    NotFoundReason.NOT_CONTEXT: "{name!r} is an object, not a context",
    NotFoundReason.NOT_OBJECT: "{name!r} is a context, not an object",
}
_REMEDIES = {
    NotFoundReason.MISSING_NODE: "see what is bound (list); is the component that binds it up?",
    NotFoundReason.NOT_CONTEXT: "name a context, or unbind the object that is in the way",
    NotFoundReason.NOT_OBJECT: "name an object; an empty context is removed by destroy",
}


class NameTree:
    """All bindings by path.

    Attributes:
        since: What the root context shows as the time of its binding.
    """

    def __init__(self, since: datetime) -> None:
        self.since = since
        self._bindings: dict[Path, Binding] = {}
        self._names: list[str] = []
        self._members: dict[Path, set[str]] = {(): set()}
        self._by_lease: dict[str, set[Path]] = {}

    def known(self, name: str) -> Binding | None:
        """Return what a full name stands for; ``None``: nothing, or the text is no name."""
        return self._bindings.get(tuple(name.split("/")))

    def get(self, path: Path) -> Binding:
        """Return what a name stands for.

        Raises:
            NotFound: There is no such name.
        """
        if not path:
            return Binding(name="", type=BindingType.CONTEXT, bound_at=self.since)
        self._walk(path[:-1], path)
        if path not in self._bindings:
            raise _not_found(path, len(path), NotFoundReason.MISSING_NODE)
        return self._bindings[path]

    def page(
        self, path: Path, *, recursive: bool, how_many: int = 0, after: str = ""
    ) -> tuple[list[Binding], bool]:
        """Return bindings of a context, sorted by name, and whether they are the last.

        Args:
            path: The context.
            recursive: Also those of the contexts in it.
            how_many: At most so many; 0: all.
            after: Only what is sorted behind this name, which need not exist.

        Raises:
            NotFound: There is no such context.
        """
        self._walk(path, path)
        names = self._below(path) if recursive else self._members_of(path)
        start = bisect_right(names, after)
        end = start + how_many if how_many else len(names)
        return list(self._all(names[start:end])), end >= len(names)

    def find(self, interface: str, below: Path) -> list[Binding]:
        """Return the objects that offer an interface, sorted by name."""
        if below not in self._members:
            return []
        return [
            each
            for each in self._all(self._below(below))
            if each.interface and is_compatible(each.interface, interface)
        ]

    def names_of(self, lease_id: str) -> tuple[str, ...]:
        """Return the names that stand under a lease, sorted."""
        return tuple(sorted("/".join(path) for path in self._by_lease.get(lease_id, ())))

    def count_of(self, lease_id: str) -> int:
        """Return how many names stand under a lease."""
        return len(self._by_lease.get(lease_id, ()))

    def plan_bind(self, path: Path, binding: Binding) -> Changes:
        """Add an object or an empty context.

        Raises:
            NotFound: A context above does not exist or is an object.
            AlreadyBound: The name is taken.
        """
        self._walk(path[:-1], path)
        if path in self._bindings:
            raise _already_bound(self._bindings[path])
        return Changes(put_bindings=(binding,))

    def plan_rebind(self, path: Path, binding: Binding) -> Changes:
        """Add an object or replace one.

        Raises:
            NotFound: A context above does not exist or is an object.
            AlreadyBound: The name is taken by a context.
        """
        self._walk(path[:-1], path)
        if path in self._members:
            raise _already_bound(self._bindings[path])
        return Changes(put_bindings=(binding,))

    def plan_unbind(self, path: Path) -> Changes:
        """Remove an object.

        Raises:
            NotFound: There is no such name, or it is a context.
        """
        if self.get(path).type is BindingType.CONTEXT:
            raise _not_found(path, len(path), NotFoundReason.NOT_OBJECT)
        return Changes(drop_names=("/".join(path),))

    def plan_destroy(self, path: Path) -> Changes:
        """Remove an empty context.

        Raises:
            NotFound: There is no such name, or it is an object.
            NotEmpty: It still has bindings.
        """
        self._walk(path, path)
        if self._members[path]:
            name, count = "/".join(path), len(self._members[path])
            raise NotEmpty(
                f"context {name!r} still has {count} binding{'s' if count > 1 else ''}",
                remedy="unbind or destroy what is in it first",
                name=name,
            )
        return Changes(drop_names=("/".join(path),))

    def after(self, name: str) -> Iterator[Binding]:
        """Yield all bindings that are sorted behind a name, which need not exist."""
        return self._all(islice(self._names, bisect_right(self._names, name), None))

    def apply(self, changes: Changes) -> list[Change]:
        """Make planned changes true; the leases in them are not looked at.

        Returns:
            What is different now.
        """
        dropped = [self._drop(tuple(name.split("/"))) for name in changes.drop_names]
        for binding in changes.put_bindings:
            self._put(tuple(binding.name.split("/")), binding)
        unbound = [Change(kind=ChangeKind.UNBOUND, binding=each) for each in dropped if each]
        bound = [Change(kind=ChangeKind.BOUND, binding=each) for each in changes.put_bindings]
        return unbound + bound

    def _put(self, path: Path, binding: Binding) -> None:
        self._drop(path)
        self._bindings[path] = binding
        insort(self._names, binding.name)
        self._members[path[:-1]].add(path[-1])
        if binding.type is BindingType.CONTEXT:
            self._members[path] = set()
        if binding.lease_id:
            self._by_lease.setdefault(binding.lease_id, set()).add(path)

    def _drop(self, path: Path) -> Binding | None:
        old = self._bindings.pop(path, None)
        if old is None:
            return None
        del self._names[bisect_left(self._names, old.name)]
        self._members[path[:-1]].discard(path[-1])
        self._members.pop(path, None)
        under = self._by_lease.get(old.lease_id, set())
        under.discard(path)
        if not under:
            self._by_lease.pop(old.lease_id, None)
        return old

    def _below(self, path: Path) -> list[str]:
        """Return all names below a context, sorted."""
        if not path:
            return self._names
        begin = "/".join(path) + "/"
        # "0" follows "/": what begins with the context and a slash lies between the two.
        low, high = (bisect_left(self._names, each) for each in (begin, begin[:-1] + "0"))
        return self._names[low:high]

    def _members_of(self, path: Path) -> list[str]:
        """Return the names in a context itself, sorted."""
        return sorted("/".join((*path, component)) for component in self._members[path])

    def _all(self, names: Iterable[str]) -> Iterator[Binding]:
        return (self._bindings[tuple(name.split("/"))] for name in names)

    def _walk(self, contexts: Path, name: Path) -> None:
        """Refuse a name of which one of the leading contexts is none."""
        for depth in range(1, len(contexts) + 1):
            if contexts[:depth] not in self._members:
                is_object = contexts[:depth] in self._bindings
                why = NotFoundReason.NOT_CONTEXT if is_object else NotFoundReason.MISSING_NODE
                raise _not_found(name, depth, why)


def _not_found(path: Path, depth: int, why: NotFoundReason) -> NotFound:
    """Say which component of a name, counted from 1, is missing or of the wrong kind."""
    wanted, offending = "/".join(path), "/".join(path[:depth])
    text = _WORDS[why].format(name=offending)
    return NotFound(
        text if offending == wanted else f"{wanted!r} was not found: {text}",
        remedy=_REMEDIES[why],
        why=why,
        rest_of_name="/".join(path[depth - 1 :]),
    )


def _already_bound(binding: Binding) -> AlreadyBound:
    what = binding.uri or "a context"
    return AlreadyBound(
        f"{binding.name!r} is bound already, to {what}",
        cause="another instance has the name, or an earlier one did not unbind it",
        remedy="choose another name, stop the other instance, or unbind the name",
        name=binding.name,
        uri=binding.uri,
    )
