"""Hundreds of subscribed consumers at a low rate: what the channel does for them, and how soon."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from benchmarks.channel_sides import serve_obsorb
from benchmarks.counts import Counts
from benchmarks.figures import Figure, Goal, Measure, figure
from benchmarks.processes import watched
from benchmarks.programs import Child

ONE_P99_GOAL = Goal(of=Measure.VALUE, at_most=20.0)
ONE_BUSY_GOAL = Goal(of=Measure.VALUE, at_most=20.0)
ALL_P99_GOAL = Goal(of=Measure.VALUE, at_most=250.0)

OWN_TOPICS = "each event to one of them"
ONE_TOPIC = "each event to all of them"


def measure_subscribers(counts: Counts) -> list[Figure]:
    """Publish to consumers of which each wants its own topic, and then to those who want all."""
    return [*_measure(OWN_TOPICS, counts), *_measure(ONE_TOPIC, counts)]


def _measure(kind: str, counts: Counts) -> list[Figure]:
    rate, topics = counts.subscribed_rate, counts.subscribers if kind == OWN_TOPICS else 1
    with ExitStack() as stack:
        channel = stack.enter_context(serve_obsorb())
        part = Child("benchmarks.subscribers_crowd:Crowd", channel.where)
        crowd = stack.enter_context(part)
        supplier = stack.enter_context(Child("benchmarks.steady_obsorb:Supplier", channel.where))
        crowd.do("subscribe", count=counts.subscribers, topics=topics)
        each = counts.subscribers // topics

        def run(events: int, rate: float) -> dict[str, Any]:
            crowd.order("read", deliveries=events * each)
            sent = supplier.do("publish", rate=rate, events=events, topics=topics)
            read: dict[str, Any] = crowd.result()
            return {**read, "lost": read["lost"] + sent["lost"]}

        # The channel looks up who wants a topic when it comes for the first time.
        run(topics, max(rate, topics))
        with watched({"channel": channel.pid, "all consumers": crowd.pid}) as percent:
            read = run(round(rate * counts.subscribed_s), rate)
    group = f"{counts.subscribers} subscribed consumers, {rate:g} events/s, {kind}"
    return _rows(group, kind, read, percent)


def _rows(group: str, kind: str, read: dict[str, Any], percent: dict[str, float]) -> list[Figure]:
    p99, busy = (ALL_P99_GOAL, None) if kind == ONE_TOPIC else (ONE_P99_GOAL, ONE_BUSY_GOAL)
    rows = [
        figure(group, "half of the events within", "ms", [read["p50"]]),
        figure(
            group, "99 % of the events within", "ms", [read["p99"]], goal=p99, lost=read["lost"]
        ),
        figure(group, "deliveries", "1/s", [read["rate"]]),
        figure(group, "deliveries in a reply", "", [read["together"]]),
    ]
    used = [
        figure(
            group,
            f"processor, {who}",
            "% of a core",
            [value],
            goal=busy if who == "channel" else None,
        )
        for who, value in percent.items()
    ]
    return rows + used
