"""The leases in memory: who holds one and when it ends (monotonic time, passed in)."""

from __future__ import annotations

from math import inf

from idl_like_interfaces.naming import Lease, NoSuchLease
from nameserver.records import Changes, LeaseRecord


class LeaseBook:
    """All leases by id, each with the moment at which it ends unless it is renewed."""

    def __init__(self) -> None:
        self._records: dict[str, LeaseRecord] = {}
        self._ends: dict[str, float] = {}
        # No lease ends before; a renewal only makes it earlier than it need be. Every look-up
        # asks whether a lease has ended, and must not ask each lease.
        self._quiet_until = inf

    def get(self, lease_id: str) -> LeaseRecord:
        """Return a lease.

        Raises:
            NoSuchLease: It never existed or has ended.
        """
        if lease_id not in self._records:
            raise NoSuchLease(
                f"there is no lease {lease_id[:80]!r}",
                cause="it was not renewed within its term, was released, "
                "or the name server forgot it (a store in memory)",
                remedy="take a new lease and bind the names again",
                lease_id=lease_id,
            )
        return self._records[lease_id]

    def renew(self, lease_id: str, now: float) -> None:
        """Begin the term anew.

        Raises:
            NoSuchLease: It never existed or has ended.
        """
        self._ends[lease_id] = now + self.get(lease_id).term_s

    def show(self, lease_id: str, now: float, name_count: int = 0) -> Lease:
        """Return a lease as its holder sees it now.

        Raises:
            NoSuchLease: It never existed or has ended.
        """
        record = self.get(lease_id)
        return Lease(
            lease_id=lease_id,
            holder=record.holder,
            term_s=record.term_s,
            remaining_s=min(max(self._ends[lease_id] - now, 0.0), record.term_s),
            name_count=name_count,
        )

    def ids(self) -> list[str]:
        """Return the ids of all leases, sorted by holder."""
        return sorted(self._records, key=lambda each: (self._records[each].holder, each))

    def ended(self, now: float) -> list[LeaseRecord]:
        """Return the leases whose term is over."""
        if now < self._quiet_until:
            return []
        self._quiet_until = min(self._ends.values(), default=inf)
        return [self._records[lease_id] for lease_id, end in self._ends.items() if end <= now]

    def apply(self, changes: Changes, now: float) -> None:
        """Make changes true; each lease that is put gets a full term."""
        for lease_id in changes.drop_leases:
            self._records.pop(lease_id, None)
            self._ends.pop(lease_id, None)
        for record in changes.put_leases:
            self._records[record.lease_id] = record
            self._ends[record.lease_id] = now + record.term_s
            self._quiet_until = min(self._quiet_until, now + record.term_s)
