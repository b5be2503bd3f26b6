"""What a name server remembers, and a change of it."""

from __future__ import annotations

from dataclasses import dataclass

from idl_like_interfaces.naming import Binding


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRecord:
    """A lease without its age, which is not remembered over a restart."""

    lease_id: str
    holder: str
    term_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything: bindings sorted by name, leases sorted by id."""

    bindings: tuple[Binding, ...] = ()
    leases: tuple[LeaseRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """One step from a state to the next: all of it happens or nothing.

    What is dropped goes before what is put comes, so that a name may be in both.
    Dropping what is not there is no error.
    """

    drop_names: tuple[str, ...] = ()
    drop_leases: tuple[str, ...] = ()
    put_leases: tuple[LeaseRecord, ...] = ()
    put_bindings: tuple[Binding, ...] = ()

    def after_dropping(self, earlier: Changes) -> Changes:
        """Return these changes with the drops (only those) of earlier ones in front."""
        return Changes(
            drop_names=earlier.drop_names + self.drop_names,
            drop_leases=earlier.drop_leases + self.drop_leases,
            put_leases=self.put_leases,
            put_bindings=self.put_bindings,
        )
