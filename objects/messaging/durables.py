"""Durable subscriptions: the channel keeps their cursors, whether somebody reads or not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from idl_like_interfaces.clients.globs import TopicFilters
from idl_like_interfaces.errors import Overloaded
from idl_like_interfaces.event_quality import QoS
from idl_like_interfaces.events import ConsumerState, ConsumerStats
from objects.messaging.cursor import Place, parse_cursor
from objects.messaging.journal import Journal, Retention
from objects.messaging.qos import effective
from objects.messaging.storage import DurableCursor

MOST_DURABLES = 1000


@dataclass(slots=True)
class Durable:
    """A durable subscription.

    Attributes:
        name: Its name.
        filters: What it wants.
        qos: The quality of service as it was asked for.
        place: Up to here it has acknowledged.
        reader: Subscription id of who reads; empty: nobody does.
    """

    name: str
    filters: TopicFilters
    qos: QoS
    place: Place
    reader: str = ""


class Durables:
    """All durable subscriptions of a channel."""

    def __init__(self) -> None:
        self._by_name: dict[str, Durable] = {}

    def restore(self, kept: Iterable[DurableCursor], epoch: str) -> None:
        """Begin with what was kept; cursors of another epoch are of no use."""
        for each in kept:
            position = parse_cursor(each.cursor)
            if position.epoch == epoch:
                filters = TopicFilters(each.topics)
                self._by_name[each.name] = Durable(each.name, filters, each.qos, position.place)

    def get(self, name: str) -> Durable | None:
        """Return one."""
        return self._by_name.get(name)

    def refuse_too_many(self, name: str) -> None:
        """Refuse one more than there may be.

        Args:
            name: Of the one that is to be put.

        Raises:
            Overloaded: There are too many.
        """
        if name not in self._by_name and len(self._by_name) >= MOST_DURABLES:
            raise Overloaded(
                f"the channel has {len(self._by_name)} durable subscriptions, and takes no more",
                cause="programs leave durable subscriptions behind",
                remedy="end those that nobody needs: obsorb events stats, obsorb events forget NAME",
            )

    def put(self, durable: Durable) -> None:
        """Add one, or replace that of its name."""
        self._by_name[durable.name] = durable

    def remove(self, name: str) -> Durable | None:
        """Remove one and return it."""
        return self._by_name.pop(name, None)

    def kept(self, epoch: str) -> list[DurableCursor]:
        """Return what must be kept of all."""
        return [
            DurableCursor(
                name=each.name,
                topics=each.filters.patterns,
                qos=each.qos,
                cursor=f"{epoch}:{each.place}",
            )
            for each in self._by_name.values()
        ]

    def away(self, journal: Journal, retention: Retention, lease_s: float) -> list[ConsumerStats]:
        """Return the rows of those that nobody reads."""
        return [
            ConsumerStats(
                name=each.name,
                topics=each.filters.patterns,
                qos=effective(each.qos, retention, lease_s),
                delivered=0,
                dropped=0,
                lag=max(0, journal.last - each.place.sequence),
                state=ConsumerState.AWAY,
                durable=True,
                waiting=max(0, journal.count(each.filters, each.place.sequence, journal.last)),
            )
            for each in self._by_name.values()
            if not each.reader
        ]
