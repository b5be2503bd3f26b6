"""The verdicts of the ledger: which hop lost what, and when nobody can know."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from idl_like_interfaces.accounts import FOLDED, Account, Drop, Flow, HopKind, Line, Verdict
from idl_like_interfaces.clients.accounts_memory import Memory, Seen
from idl_like_interfaces.clients.accounts_verdict import judge, lost_here

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_ALL = -1


def account(kind: HopKind, hop: str, taken: int, passed: int = _ALL, **others: Any) -> Account:
    drops: list[Drop] = others.get("drops", [])
    dropped = sum(max(0, each.count) for each in drops)
    passed = taken - dropped if passed == _ALL else passed
    fields: dict[str, Any] = {
        "flow": Flow.EVENTS,
        "source": "obs/ocm",
        "incarnation": "1",
        "in_flight": taken - passed - dropped,
        "first": 1,
        "last": taken,
    } | others
    return Account(hop=hop, kind=kind, taken=taken, passed=passed, **fields)


def supplier(taken: int, passed: int = _ALL, **others: Any) -> Account:
    fields = {"hop_incarnation": "1"} | others
    return account(HopKind.SUPPLIER, "obs/ocm", taken, passed, **fields)


def intake(taken: int, **others: Any) -> Account:
    fields = {"hop_incarnation": "A"} | others
    return account(HopKind.CHANNEL, "obs/events", taken, **fields)


def reading(taken: int, passed: int = _ALL, **others: Any) -> Account:
    fields = {"hop_incarnation": "A", "to": "reader", "subscription": "s1"} | others
    return account(HopKind.CHANNEL, "obs/events", taken, passed, **fields)


def consumer(taken: int, passed: int = _ALL, **others: Any) -> Account:
    fields = {"subscription": "s1"} | others
    return account(HopKind.CONSUMER, "reader", taken, passed, **fields)


def writer(taken: int, **others: Any) -> Account:
    return account(HopKind.WRITER, "obs/log", taken, flow=Flow.LOG, **others)


def told(*rounds: list[Account]) -> list[Line]:
    """Judge what several rounds of questions brought."""
    memory = Memory()
    for each in rounds:
        memory.take(each, NOW)
    return judge(memory.all(NOW))


def wrong(lines: list[Line]) -> list[tuple[str, str, Verdict]]:
    """Return kind, consumer and verdict of each line that is not balanced."""
    return [
        (each.account.kind.value, each.account.to, each.verdict)
        for each in lines
        if each.verdict is not Verdict.BALANCED
    ]


def text_of(lines: list[Line], verdict: Verdict) -> str:
    (text,) = [each.text for each in lines if each.verdict is verdict]
    return text


def test_all_is_balanced_when_everything_came_through() -> None:
    """What waits somewhere is no loss."""
    hops = [supplier(10, 8), intake(9), reading(9, 4), consumer(7, 4)]

    assert wrong(told(hops, hops)) == []


def test_a_full_spool_lost_at_the_supplier() -> None:
    """The supplier's line says which, and the hole in the channel is explained by it."""
    lost = Drop(reason="spool", count=4, first=3, last=6)
    hole = Drop(reason="supplier", count=4, first=3, last=6)
    hops = [supplier(10, drops=[lost]), intake(6, last=10, missing=[hole])]

    lines = told(hops, hops)

    assert wrong(lines) == [("supplier", "", Verdict.LOST)]
    assert text_of(lines, Verdict.LOST) == "lost 4 (spool): numbers 3 to 6"


def test_a_slow_consumer_lost_at_the_channel() -> None:
    """The line of the channel for that consumer says it, the others do not."""
    drops = [Drop(reason="drop_oldest", count=5, first=1, last=9)]
    hops = [
        supplier(10),
        intake(10),
        reading(10, 5, drops=drops, last=10),
        reading(10, to="other", subscription="s2"),
        consumer(5),
    ]

    lines = told(hops, hops)

    assert wrong(lines) == [("channel", "reader", Verdict.LOST)]
    assert "5 (drop_oldest): among numbers 1 to 9" in text_of(lines, Verdict.LOST)


@pytest.mark.parametrize("reason", [FOLDED, "latest"])
def test_what_another_item_stands_for_is_no_loss(reason: str) -> None:
    """Folded log records and replaced values are told, and the balance holds."""
    (line,) = told([supplier(10, drops=[Drop(reason=reason, count=7)])])

    assert (line.verdict, lost_here(line.account)) == (Verdict.BALANCED, 0)
    assert line.text == f"7 have another in their place ({reason})"


def test_a_hole_that_the_supplier_does_not_own_up_to_is_unexplained() -> None:
    """It names the supplier."""
    hole = Drop(reason="supplier", count=4, first=3, last=6)
    hops = [supplier(10), intake(6, last=10, missing=[hole])]

    lines = told(hops, hops)

    assert wrong(lines) == [("supplier", "", Verdict.UNEXPLAINED)]


def test_a_hole_of_a_supplier_that_nobody_asked_is_lost_there() -> None:
    """The line of the channel says where it was lost."""
    lines = told([intake(6, last=10, missing=[Drop(reason="supplier", count=4, first=3, last=6)])])

    assert wrong(lines) == [("channel", "", Verdict.LOST)]
    assert "lost before, at obs/ocm" in text_of(lines, Verdict.LOST)


def test_what_is_acknowledged_and_never_came_is_unexplained() -> None:
    """A channel that lost events without a word is named."""
    lines = told([supplier(10), intake(8)], [supplier(10), intake(8)])

    assert wrong(lines) == [("channel", "", Verdict.UNEXPLAINED)]


def test_a_supplier_that_was_asked_a_moment_later_is_not_suspected() -> None:
    """What was acknowledged since the round before may not be in the channel's answer yet."""
    assert wrong(told([supplier(8), intake(8)], [supplier(10), intake(8)])) == []


def test_what_is_read_and_never_came_is_unexplained_at_the_consumer() -> None:
    """It names the way from the channel to the consumer."""
    hops = [supplier(10), intake(10), reading(10), consumer(7)]

    assert wrong(told(hops, hops)) == [("consumer", "", Verdict.UNEXPLAINED)]


def test_what_came_twice_is_not_missed() -> None:
    """A consumer that passed over a repeated event has it."""
    hops = [supplier(10), intake(10), reading(12), consumer(10, repeated=2)]

    assert wrong(told(hops, hops)) == []


def test_figures_that_do_not_fit_are_unexplained() -> None:
    """A hop whose own sum is wrong is named."""
    lines = told([msgspec.structs.replace(intake(10), passed=7)])

    assert wrong(lines) == [("channel", "", Verdict.UNEXPLAINED)]


def test_a_channel_that_died_lost_what_its_consumers_had_not_got() -> None:
    """The count is exact: both sides are known, and nothing came since the channel was asked."""
    before = [supplier(10), intake(10), reading(10, 3), consumer(4, 3)]
    after = [
        supplier(12),
        intake(2, first=11, last=12, hop_incarnation="B"),
        reading(2, first=11, last=12, hop_incarnation="B", subscription="s2"),
        consumer(4),
        consumer(2, first=11, last=12, subscription="s2"),
    ]

    lines = told(before, after)

    assert wrong(lines) == [("channel", "reader", Verdict.LOST)]
    assert text_of(lines, Verdict.LOST) == (
        "died with 6 that reader had not got (new_epoch): numbers 5 to 10"
    )


def test_a_channel_that_died_with_nothing_left_lost_nothing() -> None:
    """A restart alone is no loss."""
    before = [supplier(10), intake(10), reading(10, 3), consumer(10, 3)]
    after = [supplier(10), intake(0, first=0, hop_incarnation="B"), consumer(10)]

    assert wrong(told(before, after)) == []


def test_what_a_channel_took_unseen_is_in_doubt() -> None:
    """Nobody knows whether the consumer got what came between the last look and the death."""
    before = [supplier(10), intake(10), reading(10), consumer(10)]
    after = [
        supplier(20),
        intake(5, first=16, last=20, hop_incarnation="B"),
        consumer(12),
    ]

    lines = told(before, after)

    assert wrong(lines) == [("channel", "reader", Verdict.IN_DOUBT)]
    assert "up to 3" in text_of(lines, Verdict.IN_DOUBT)


def test_a_consumer_that_nobody_asks_is_in_doubt_when_the_channel_died() -> None:
    """Only what was acknowledged is known to have been read."""
    after = [supplier(10), intake(0, first=0, hop_incarnation="B")]

    lines = told([supplier(10), intake(10), reading(10, 3)], after)

    assert wrong(lines) == [("channel", "reader", Verdict.IN_DOUBT)]
    assert "up to 7" in text_of(lines, Verdict.IN_DOUBT)


def test_a_subscription_that_had_ended_lost_nothing_when_the_channel_died() -> None:
    """Who had gone in good order wanted nothing more."""
    before = [supplier(10), intake(10), reading(3, is_over=True)]
    after = [supplier(20), intake(5, first=16, last=20, hop_incarnation="B")]

    assert wrong(told(before, after)) == []


def test_a_supplier_that_died_with_a_full_spool_lost_it() -> None:
    """Its successor is here: what the channel did not get will never come."""
    before = [supplier(10, 6), intake(6)]
    after = [intake(7), supplier(1, incarnation="2", hop_incarnation="2")]

    lines = told(before, after)

    assert wrong(lines) == [("supplier", "", Verdict.LOST)]
    assert "the last 3" in text_of(lines, Verdict.LOST)


def test_a_supplier_that_does_not_answer_is_in_doubt_about_what_waits_there() -> None:
    """It may come back."""
    assert wrong(told([supplier(10, 6), intake(6)], [intake(7)])) == [
        ("supplier", "", Verdict.IN_DOUBT)
    ]


def test_a_supplier_that_is_gone_with_all_sent_is_balanced() -> None:
    """The line says that nobody knows what it made since."""
    lines = told([supplier(10, 6), intake(6)], [intake(10)])

    assert wrong(lines) == []
    assert "nobody knows" in lines[0].text


def test_the_log_is_judged_as_events_are() -> None:
    """What the writer misses, the sender has dropped or folded."""
    drops = [Drop(reason=FOLDED, count=3, first=2, last=4), Drop(reason="spool", count=1, first=5)]
    sender = supplier(10, drops=drops, flow=Flow.LOG)
    hole = Drop(reason="", count=4, first=2, last=5)
    hops = [sender, writer(6, last=10, missing=[hole])]

    lines = told(hops, hops)

    assert wrong(lines) == [("supplier", "", Verdict.LOST)]
    assert lost_here(lines[0].account) == 1


def test_lines_come_by_source_and_in_the_order_of_the_hops() -> None:
    """A reader follows the items from the top to the bottom."""
    hops = [consumer(3), reading(3), intake(3), supplier(3), intake(1, source="obs/a")]

    lines = told(hops)

    assert [(each.account.source, each.account.kind.value) for each in lines] == [
        ("obs/a", "channel"),
        ("obs/ocm", "supplier"),
        ("obs/ocm", "channel"),
        ("obs/ocm", "channel"),
        ("obs/ocm", "consumer"),
    ]


def test_a_restarted_memory_knows_what_it_knew() -> None:
    """What was kept on disk is judged as before."""
    memory = Memory()
    kept = memory.take([supplier(10, 6), intake(6)], NOW)
    again = Memory()
    again.restore(msgspec.json.decode(msgspec.json.encode(kept), type=list[Seen]))
    again.take([intake(7)], NOW)

    assert wrong(judge(again.all(NOW))) == [("supplier", "", Verdict.IN_DOUBT)]
