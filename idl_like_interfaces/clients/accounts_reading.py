"""How it stands between the channel and its consumers; see ``accounts_verdict``."""

from __future__ import annotations

from collections.abc import Iterator

from idl_like_interfaces.accounts import Account, Drop, Verdict
from idl_like_interfaces.clients.accounts import UNTOLD
from idl_like_interfaces.clients.accounts_memory import Seen
from idl_like_interfaces.clients.accounts_streams import Finding, Stream, earlier, known, numbers


def judge_reading(seen: Seen, stream: Stream) -> Iterator[Finding]:
    """Judge what the channel does for a consumer."""
    account = seen.account
    if account.is_over:
        yield Verdict.BALANCED, "the subscription is over"
    elif seen.is_stale:
        yield _ended(seen, stream)


def judge_consumer(seen: Seen, stream: Stream) -> Iterator[Finding]:
    """Judge what a consumer got: at least what the channel has as read."""
    account = seen.account
    untold = sum(each.count for each in account.missing if each.reason == UNTOLD)
    if untold:
        yield Verdict.UNEXPLAINED, f"{untold} never came, and nobody told of them"
    if seen.is_stale:
        yield Verdict.BALANCED, f"gone; last asked {seen.at:%H:%M:%S} UTC"
        return
    read = [each for each in stream.readings if _is_of(account, each.account)]
    lacking = sum(each.passed for each in earlier(read)) - account.taken - account.repeated
    if lacking > 0:
        channel = read[0].account.hop
        yield Verdict.UNEXPLAINED, f"{channel} has {lacking} more as read than ever came here"


def _ended(seen: Seen, stream: Stream) -> Finding:
    """Judge a subscription that was not over and that the channel tells of no more."""
    account = seen.account
    alive = stream.starts.get(account.hop, set())
    if not alive:
        return Verdict.BALANCED, stream.gone(seen)
    if account.hop_incarnation not in alive:
        return _died(seen, stream)
    follows = [each for each in stream.readings if not each.is_stale]
    if account.in_flight and not any(each.account.to == account.to for each in follows):
        left = account.in_flight
        return Verdict.IN_DOUBT, f"the channel has forgotten it; {left} waited when last asked"
    return Verdict.BALANCED, "the subscription is over"


def _died(seen: Seen, stream: Stream) -> Finding:
    """Judge what an epoch of the channel that is gone had for a consumer."""
    account = seen.account
    mate = next((each for each in stream.consumers if _is_of(each.account, account)), None)
    held = account.taken - known(account.drops)
    got = mate.account.taken + mate.account.repeated if mate else account.passed
    lost, more = max(0, held - got), max(0, _unseen(account, stream) - max(0, got - held))
    if lost and mate is not None and not mate.is_stale:
        perhaps = f"; of {more} more nobody knows" if more else ""
        which = _newest(account, lost)
        return Verdict.LOST, f"died with {lost} that {account.to} had not got {which}{perhaps}"
    if lost + more:
        text = f"died, and nobody knows of up to {lost + more} whether {account.to} got them"
        return Verdict.IN_DOUBT, f"{text} (new_epoch)"
    return Verdict.BALANCED, stream.gone(seen)


def _newest(account: Account, count: int) -> str:
    """Say which were the newest, as far as no other item is between them."""
    is_whole = account.last - account.first + 1 == account.taken
    first = account.last - count + 1 if is_whole else account.first
    return f"(new_epoch){numbers(Drop(reason='', count=count, first=first, last=account.last))}"


def _unseen(account: Account, stream: Stream) -> int:
    """Return how many items an epoch may have taken after it was asked last."""
    takers = [each.account for each in stream.takers if each.account.hop == account.hop]
    start = account.hop_incarnation
    seen = max((each.last for each in takers if each.hop_incarnation == start), default=0)
    seen = max(seen, account.last)
    later = [each.first - 1 for each in takers if each.hop_incarnation > start and each.first]
    sent = [each.account.last - each.account.in_flight for each in stream.senders]
    return max(0, min(later, default=max(sent, default=seen)) - seen)


def _is_of(consumer: Account, reading: Account) -> bool:
    return consumer.hop == reading.to and consumer.subscription == reading.subscription
