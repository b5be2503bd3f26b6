"""Changes and copies of all names in the form in which they travel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from idl_like_interfaces.naming import Binding
from idl_like_interfaces.replication import ChangeSet, LeaseTerm
from nameserver.records import Changes, LeaseRecord, Snapshot

T = TypeVar("T")

PART = 500
"""Bindings or leases of one message: at their longest they stay below its limit."""

NOTHING = ChangeSet()


def to_wire(changes: Changes) -> ChangeSet:
    """Give a change the form in which it travels."""
    return ChangeSet(
        drop_names=list(changes.drop_names),
        drop_leases=list(changes.drop_leases),
        put_leases=[_term(each) for each in changes.put_leases],
        put_bindings=list(changes.put_bindings),
    )


def from_wire(changes: ChangeSet) -> Changes:
    """Take a change from the form in which it travels."""
    return Changes(
        drop_names=tuple(changes.drop_names),
        drop_leases=tuple(changes.drop_leases),
        put_leases=tuple(
            LeaseRecord(lease_id=each.lease_id, holder=each.holder, term_s=each.term_s)
            for each in changes.put_leases
        ),
        put_bindings=tuple(changes.put_bindings),
    )


def split(snapshot: Snapshot) -> Iterator[ChangeSet]:
    """Cut everything into messages, at least one; leases come before what stands under them."""
    if not snapshot.leases and not snapshot.bindings:
        yield NOTHING
    for leases in _pieces(snapshot.leases):
        yield ChangeSet(put_leases=[_term(each) for each in leases])
    for bindings in _pieces(snapshot.bindings):
        yield ChangeSet(put_bindings=list(bindings))


def replacing(old: Snapshot, parts: Sequence[ChangeSet]) -> Changes:
    """Return the one change that turns what there was into what the parts say."""
    return Changes(
        drop_names=tuple(each.name for each in old.bindings),
        drop_leases=tuple(each.lease_id for each in old.leases),
        put_leases=tuple(record for part in parts for record in from_wire(part).put_leases),
        put_bindings=tuple(binding for part in parts for binding in part.put_bindings),
    )


def lost(old: Snapshot, new: Sequence[Binding]) -> list[str]:
    """Name what was bound before and is not any more, or stands for something else."""
    now = {each.name: each for each in new}
    return [each.name for each in old.bindings if each.name not in now or now[each.name] != each]


def _term(record: LeaseRecord) -> LeaseTerm:
    return LeaseTerm(lease_id=record.lease_id, holder=record.holder, term_s=record.term_s)


def _pieces(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + PART] for start in range(0, len(items), PART))
