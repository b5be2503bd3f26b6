"""Events, gaps, and the state of the channel, as lines of at most 80 columns where possible."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from textwrap import wrap
from typing import Any

import msgspec

from controller.dashboard.text import duration, size
from idl_like_interfaces.clients import Blindness, Event, Item
from idl_like_interfaces.event_quality import Order, QoS
from idl_like_interfaces.events import (
    ChannelStats,
    ConsumerStats,
    Gap,
    GapReason,
    JournalStats,
    Priority,
    SupplierStats,
)

_WIDTH = 80
_FEW = 12
_UNIT = re.compile(r"(\d) (B|[KMGT]iB)\b")

_WHY = {
    GapReason.RETENTION: "the channel no longer holds them",
    GapReason.DROP_OLDEST: "too many were waiting for this reader",
    GapReason.DROP_NEWEST: "they came when this reader's queue was full",
    GapReason.LATEST: "newer ones of their topics came",
    GapReason.QUARANTINE: "this reader had held up the suppliers for too long",
    GapReason.DAMAGED: "the channel's journal is damaged there",
    GapReason.NEW_EPOCH: "the channel was restarted and keeps no journal of them",
    GapReason.SUPPLIER: "they never came from their supplier",
}


def item_text(item: Item) -> str:
    """Say what a consumer has read on one line."""
    match item:
        case Gap():
            return _gap_text(item)
        case Blindness():
            return _blindness_text(item)
        case Event():
            body = msgspec.json.encode(item.body).decode()
            urgency = "" if item.priority is Priority.NORMAL else f"[{item.priority}] "
            return (
                f"{item.time:%H:%M:%S.%f}"[:-3]
                + f" {item.sequence:>7} {item.topic:<22} {urgency}{item.source} {body}"
            )


def _gap_text(gap: Gap) -> str:
    count = "an unknown number of" if gap.count < 0 else str(gap.count)
    events = "event is" if gap.count == 1 else "events are"
    whose = f" of {gap.source}" if gap.source else ""
    where = f", numbers {gap.first} to {gap.last}" if gap.last else ""
    return f"-- gap: {count} {events} missing ({gap.reason}){whose}{where}: {_WHY[gap.reason]}"


def _blindness_text(item: Blindness) -> str:
    if item.is_over:
        return (
            f"-- the event channel answers again after {duration(item.lasted_s)}; what was "
            "missed follows"
        )
    return f"-- blind since {item.since:%H:%M:%S}: the event channel does not answer: {item.cause}"


def item_document(item: Item) -> dict[str, Any]:
    """Return what a consumer has read as plain values, told apart by ``type``."""
    match item:
        case Gap():
            return {"type": "gap", **msgspec.to_builtins(item)}
        case Blindness():
            return {
                "type": "sees" if item.is_over else "blind",
                "since": item.since,
                "lasted_s": item.lasted_s,
                "cause": item.cause,
            }
        case Event():
            return {
                "type": "event",
                "cursor": f"{item.epoch}:{item.sequence}",
                "sequence": item.sequence,
                "topic": item.topic,
                "source": item.source,
                "time": item.time,
                "repository_id": item.repository_id,
                "priority": item.priority,
                "body": item.body,
            }


def stats_text(stats: ChannelStats, *, is_whole: bool = False) -> str:
    """Say how the channel stands, and all that it counts.

    Args:
        stats: The figures.
        is_whole: Each topic and each start of a supplier on a line of its own, however many.
    """
    lines = [
        f"epoch {stats.epoch}: {stats.last} events, {stats.events_per_s:.1f}/s",
        *_holding(stats),
        *_journal(stats.journal),
        *_topics(stats.topics, is_whole=is_whole),
        *_suppliers(stats.suppliers, is_whole=is_whole),
    ]
    if stats.consumers:
        lines.append(consumers_text(stats.consumers))
    return "\n".join(lines)


def _holding(stats: ChannelStats) -> Iterator[str]:
    held = stats.last - stats.first + 1 if stats.first else 0
    yield f"holds {held} events, {size(stats.held_bytes)}, the latest of {stats.latest_topics} topics"
    if stats.retention is not None:
        bounds = stats.retention
        age = f", {duration(bounds.max_age_s)}" if bounds.max_age_s else ""
        yield f"  at most {bounds.max_events} events, {size(bounds.max_bytes)}{age}"


def _journal(journal: JournalStats | None) -> Iterator[str]:
    if journal is None:
        yield "journal: none, what it holds is lost with a restart"
        return
    state = "is written" if journal.is_writable else f"NOT WRITTEN: {journal.problem}"
    files = "file" if journal.segments == 1 else "files"
    yield f"journal {journal.folder}"
    yield f"  {journal.segments} {files}, {size(journal.bytes)}, {state}"
    for damaged in journal.damaged:
        yield f"  DAMAGED, put aside: {damaged}"


def _topics(topics: dict[str, int], *, is_whole: bool) -> Iterator[str]:
    """Say each topic, or, of many, the first parts of their names."""
    if not topics:
        return
    yield f"{'topic':<60} {'events':>12}"
    if is_whole or len(topics) <= _FEW:
        for topic, count in sorted(topics.items()):
            yield f"  {topic:<58} {count:>12}"
        return
    for first, several in groupby(sorted(topics), key=lambda topic: topic.partition("/")[0]):
        names = list(several)
        name = names[0] if len(names) == 1 else f"{first}/** ({len(names)} topics)"
        yield f"  {name:<58} {sum(topics[each] for each in names):>12}"


def _suppliers(suppliers: Sequence[SupplierStats], *, is_whole: bool) -> Iterator[str]:
    """Say each start of a supplier, or the sums of all of its starts."""
    if not suppliers:
        return
    yield f"{'supplier':<44} {'accepted':>11} {'sent again':>11} {'missing':>9}"
    for source, several in groupby(suppliers, key=lambda each: each.source):
        starts = list(several)
        if is_whole:
            for each in starts:
                yield _supplier(f"{source} {each.incarnation}", [each])
        else:
            yield _supplier(
                source if len(starts) == 1 else f"{source} ({len(starts)} starts)", starts
            )


def _supplier(name: str, starts: Sequence[SupplierStats]) -> str:
    accepted = sum(each.accepted for each in starts)
    duplicates = sum(each.duplicates for each in starts)
    missing = sum(each.missing for each in starts)
    return f"  {name:<42} {accepted:>11} {duplicates:>11} {missing:>9}"


def consumers_text(consumers: Sequence[ConsumerStats]) -> str:
    """Say of each consumer what it gets and costs, on two lines; more when it lost events."""
    if not consumers:
        return "nobody reads"
    head = f"{'consumer':<28}{'delivered':>11}{'dropped':>9}{'waiting':>9}{'size':>11}{'behind':>9}"
    return "\n".join([head, *(line for each in consumers for line in _consumer_lines(each))])


def _consumer_lines(each: ConsumerStats) -> Iterator[str]:
    yield (
        f"  {each.name:<26}{each.delivered:>11}{each.dropped:>9}{each.waiting:>9}"
        f"{size(each.waiting_bytes):>11}{each.lag:>9}"
    )
    kind = "durable, " if each.durable else ""
    yield from _wrapped(f"{kind}{each.state.value}, reads {' '.join(each.topics)}")
    yield from _wrapped(f"{qos_text(each.qos)}; had {size(each.delivered_bytes)}{_held_up(each)}")
    if each.dropped_by:
        reasons = (f"{count} {reason}" for reason, count in sorted(each.dropped_by.items()))
        yield from _wrapped(f"lost: {', '.join(reasons)}")


def _wrapped(text: str) -> list[str]:
    # A number stays with its unit.
    bound = _UNIT.sub("\\1\N{NO-BREAK SPACE}\\2", text)
    lines = wrap(bound, _WIDTH, initial_indent="    ", subsequent_indent="      ")
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def _held_up(each: ConsumerStats) -> str:
    return f", held up suppliers for {duration(each.blocked_s)}" if each.blocked_s else ""


def qos_text(qos: QoS) -> str:
    """Say a quality of service."""
    parts = [qos.overflow.value]
    parts.append(f"{qos.max_queue} events" if qos.max_queue else "any number of events")
    if qos.max_bytes:
        parts.append(size(qos.max_bytes))
    if qos.order is Order.PRIORITY:
        parts.append("most urgent first")
    if qos.block_s:
        parts.append(f"blocks {duration(qos.block_s)}")
    if qos.lease_s:
        parts.append(f"lease {duration(qos.lease_s)}")
    return ", ".join(parts)
