"""The accounts of earlier starts of a supplier, whose events this one sends."""

from __future__ import annotations

from dataclasses import dataclass

from idl_like_interfaces.accounts import Account, Drop, Flow, HopKind
from idl_like_interfaces.clients.parcels import Parcel
from idl_like_interfaces.clients.spool_file import Entry


@dataclass(slots=True, kw_only=True)
class _Estate:
    """What an earlier start has left.

    Attributes:
        last: The highest number known of it.
        waiting: Events that are not sent yet.
        lost: Numbers that it had produced, and that are not on disk.
    """

    last: int = 0
    waiting: int = 0
    lost: int = 0


class Heirs:
    """Counts what is left to be sent; the sender changes it, anybody reads.

    Args:
        heritage: What was found.
    """

    def __init__(self, heritage: list[Parcel[Entry]]) -> None:
        self._estates: dict[str, _Estate] = {}
        for parcel in heritage:
            estate = self._estates.setdefault(parcel.incarnation, _Estate())
            estate.last = parcel.last
            estate.waiting += len(parcel.items)
            estate.lost += parcel.lost

    def sent(self, parcel: Parcel[Entry]) -> None:
        """Book a parcel, of an earlier start or not, that the channel has."""
        estate = self._estates.get(parcel.incarnation)
        if estate is not None:
            estate.waiting -= len(parcel.items)

    def accounts(self, hop: str, source: str) -> list[Account]:
        """Return an account for each earlier start."""
        return [
            Account(
                hop=hop, kind=HopKind.SUPPLIER, flow=Flow.EVENTS,
                source=source, incarnation=incarnation,
                taken=each.last, passed=each.last - each.waiting - each.lost,
                in_flight=each.waiting,
                drops=[Drop(reason="spool", count=each.lost)] if each.lost else [],
                first=1, last=each.last, hop_incarnation=incarnation,
            )
            for incarnation, each in self._estates.items()
        ]  # fmt: skip
