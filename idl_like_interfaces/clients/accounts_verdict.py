"""How it stands with the items of each source: the accounts of the hops laid side by side.

Pure functions: what was told goes in, the lines of the ledger come out. Each line is judged
by its own figures and by those of the hop before or behind it:

* what a hop dropped, it lost (but for what another item stands for);
* what the channel or a writer misses, the sender must have dropped;
* what a sender has as acknowledged must have come to the channel or the writer;
* what the channel has as read under a subscription must have come to its consumer;
* what an epoch of the channel had for a consumer, and the consumer never got, died with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from idl_like_interfaces.accounts import Account, Drop, HopKind, Line, Verdict
from idl_like_interfaces.clients.accounts_memory import Seen
from idl_like_interfaces.clients.accounts_reading import judge_consumer, judge_reading
from idl_like_interfaces.clients.accounts_streams import (
    REPLACED,
    Finding,
    Stream,
    earlier,
    known,
    numbers,
    streams_of,
)

_GRAVITY = [Verdict.BALANCED, Verdict.LOST, Verdict.IN_DOUBT, Verdict.UNEXPLAINED]


def judge(seen: Iterable[Seen]) -> list[Line]:
    """Return the lines of the ledger, by source, incarnation, and in the order of the hops."""
    return [_line(each, stream) for stream in streams_of(seen) for each in stream.all]


def lost_here(account: Account) -> int:
    """Return how many items a hop has lost, as far as it knows."""
    return sum(max(0, each.count) for each in account.drops if each.reason not in REPLACED)


def _line(seen: Seen, stream: Stream) -> Line:
    findings = [*_sum(seen.account), *_drops(seen.account), *_compared(seen, stream)]
    verdict = max((verdict for verdict, _ in findings), key=_GRAVITY.index, default=_GRAVITY[0])
    return Line(
        account=seen.account,
        seen=seen.at,
        is_stale=seen.is_stale,
        verdict=verdict,
        text="; ".join(text for _, text in findings),
    )


def _compared(seen: Seen, stream: Stream) -> Iterator[Finding]:
    match seen.account.kind:
        case HopKind.SUPPLIER:
            return _sender(seen, stream)
        case HopKind.CHANNEL if seen.account.to:
            return judge_reading(seen, stream)
        case HopKind.CHANNEL | HopKind.WRITER:
            return _taker(seen, stream)
        case HopKind.CONSUMER:
            return judge_consumer(seen, stream)


def _sum(account: Account) -> Iterator[Finding]:
    dropped = known(account.drops)
    if account.passed + account.in_flight + dropped != account.taken or account.in_flight < 0:
        text = (
            f"its figures do not fit: given {account.taken}, passed on {account.passed}, "
            f"dropped {dropped}, in flight {account.in_flight}"
        )
        yield Verdict.UNEXPLAINED, text


def _drops(account: Account) -> Iterator[Finding]:
    for drop in account.drops:
        said = f"({drop.reason}){numbers(drop)}"
        if drop.reason in REPLACED:
            yield Verdict.BALANCED, f"{drop.count} have another in their place {said}"
        elif drop.count < 0:
            yield Verdict.IN_DOUBT, f"nobody knows how many it lost {said}"
        else:
            yield Verdict.LOST, f"lost {drop.count} {said}"


def _sender(seen: Seen, stream: Stream) -> Iterator[Finding]:
    account = seen.account
    missed = sum(known(each.missing) for each in earlier(stream.takers))
    hidden = missed - known(account.drops)
    if hidden > 0 and seen.is_stale:
        yield Verdict.LOST, f"lost {hidden} more before it ended: they never came to the next hop"
    elif hidden > 0:
        text = f"{hidden} more than it says it dropped never came to the next hop"
        yield Verdict.UNEXPLAINED, text
    if seen.is_stale:
        yield _last_words(seen, stream)


def _last_words(seen: Seen, stream: Stream) -> Finding:
    """Judge what a sender that is gone had not got rid of when it was asked last."""
    account = seen.account
    taken_to = max((each.account.last for each in stream.takers), default=0)
    left = min(account.in_flight, max(0, account.last - taken_to))
    if not left:
        return Verdict.BALANCED, f"{stream.gone(seen)}; what it made since then, nobody knows"
    said = f"the last {left} that it is known to have made never came to the next hop"
    if stream.is_over and stream.takers:
        return Verdict.LOST, f"it ended, and {said}"
    return Verdict.IN_DOUBT, f"it does not answer, and {said}"


def _taker(seen: Seen, stream: Stream) -> Iterator[Finding]:
    account = seen.account
    if not stream.senders:
        yield from (_lost_before(account, drop) for drop in account.missing)
    if seen.is_stale:
        yield Verdict.BALANCED, stream.gone(seen)
        return
    missed = sum(known(each.account.missing) for each in stream.takers)
    sent = sum(each.passed for each in earlier(stream.senders))
    dropped = sum(known(each.account.drops) for each in stream.senders)
    behind = max(each.account.last for each in stream.takers)
    # Holes that the sender does not own up to are told in its own line.
    lacking = sent - (behind - min(missed, dropped))
    if lacking > 0 and behind == account.last:
        text = f"the sender has {lacking} more as acknowledged than ever came here"
        yield Verdict.UNEXPLAINED, text


def _lost_before(account: Account, drop: Drop) -> Finding:
    if drop.reason in REPLACED:
        return Verdict.BALANCED, f"{drop.count} have another in their place ({drop.reason})"
    said = f"never came: lost before, at {account.source} ({drop.reason}){numbers(drop)}"
    if drop.count < 0:
        return Verdict.IN_DOUBT, f"nobody knows how many {said}"
    return Verdict.LOST, f"{drop.count} {said}"
