"""Takes what senders send: once each, in order, into all streams that must have it."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Collection, Iterable

import numpy as np

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.event_logger import GapNote, SenderStatus
from idl_like_interfaces.event_server import (
    MOST_BYTES,
    MOST_MESSAGES,
    Acknowledgement,
    Gap,
    OutOfSequence,
    SenderIdentity,
)
from idl_like_interfaces.octets import Buffer
from idl_like_interfaces.waiting import News, wait_for_news
from objects.component.clock import Clock
from objects.logger_stream.complaints import Complaints
from objects.logger_stream.delivery import Delivery
from objects.logger_stream.greetings import Greetings
from objects.logger_stream.parsing import Parsed, parse
from objects.logger_stream.records import Mask
from objects.logger_stream.routing import AnyNews
from objects.logger_stream.runs import Runs
from objects.logger_stream.senders import Recovered, Sender, SenderMark

log = logging.getLogger(__name__)

MOST_IDS = 4096
"""Unknown stream ids that are told apart in the status."""

_FURTHER = -1


class Intake:
    """Everything between the event server and the streams; usable from any thread.

    Of a sender only the newest batch is looked at: a call of it that still waits gives way. What
    a stream has taken of a batch that could not be accepted as a whole is not put into it again.

    Args:
        runs: Where events go.
        clock: The time.
    """

    def __init__(self, runs: Runs, clock: Clock) -> None:
        self._runs = runs
        self._clock = clock
        self._greetings = Greetings(clock)
        self._complaints = Complaints(clock)
        self._lock = threading.Lock()
        self._unassigned: Counter[int] = Counter()

    def restore(self, marks: Iterable[SenderMark], recovered: Collection[Recovered] = ()) -> None:
        """Go on after a crash; to be called before any sender can say hello.

        Args:
            marks: What was remembered of each sender.
            recovered: Of each sender and stream all events behind its mark that are on the disk.
                They are dropped when they come again, and not counted for the run.
        """
        self._greetings.restore(marks, recovered)

    def marks(self) -> list[SenderMark]:
        """Return what must be remembered of each sender over a crash."""
        active = {run.number for run in self._runs.active}
        found = []
        for sender in self._greetings.current():
            with sender.lock:
                sender.forget_runs(active)
                found.append(sender.mark())
        return found

    def statuses(self) -> list[SenderStatus]:
        """Return how it stands with each sender, the one that was heard last first."""
        now = self._clock.monotonic()
        return [sender.status(now) for sender in self._greetings.latest()]

    def names(self) -> dict[int, str]:
        """Return the names of the senders by incarnation."""
        return self._greetings.names()

    @property
    def unassigned(self) -> dict[int, int]:
        """Events by stream id that nobody has configured; the key -1 stands for further ids."""
        with self._lock:
            return dict(self._unassigned)

    def hello(self, identity: SenderIdentity, address: str) -> Acknowledgement:
        """See ``EventServer.hello``."""
        sender, before = self._greetings.greet(identity, address)
        if before is not None:
            self._note_end(before, identity)
        with sender.lock:
            return answer(sender)

    def send(
        self, incarnation: int, first: int, messages: Buffer, timeout_s: float, address: str
    ) -> Acknowledgement:
        """See ``EventServer.send``."""
        sender = self._greetings.find(incarnation, address)
        _check_size(len(messages))
        parsed = parse(messages, MOST_MESSAGES)
        with sender.lock:
            check_sequence(sender, first)
            delivery = self._begin(sender, first, parsed)
        sender.gave_way.tell()
        return wait_for_news(
            AnyNews(lambda: [*delivery.rooms, sender.gave_way, self._runs.changed]),
            lambda: self._attempt(sender, delivery),
            lambda: self._give_up(sender, delivery),
            timeout_s,
        )

    def await_durable(
        self, incarnation: int, beyond: int, timeout_s: float, address: str
    ) -> Acknowledgement:
        """See ``EventServer.await_durable``."""
        sender = self._greetings.find(incarnation, address)

        def look() -> Acknowledgement | None:
            self._greetings.check(sender)
            with sender.lock:
                return answer(sender) if sender.settle() > beyond else None

        def give_up() -> Acknowledgement:
            with sender.lock:
                return answer(sender)

        def places() -> list[News]:
            with sender.lock:
                return [sender.changed, *sender.unsettled()]

        return wait_for_news(AnyNews(places), look, give_up, timeout_s)

    def declare_gap(self, incarnation: int, gap: Gap, address: str) -> Acknowledgement:
        """See ``EventServer.declare_gap``."""
        sender = self._greetings.find(incarnation, address)
        with sender.lock:
            check_sequence(sender, gap.first)
            if gap.last > sender.accepted:
                count = gap.last - max(sender.accepted, gap.first - 1)
                sender.turn += 1
                sender.accept(gap.last, {})
                self._note_gap(sender, count, gap.reason)
            found = answer(sender)
        sender.changed.tell()
        return found

    def _begin(self, sender: Sender, first: int, parsed: Parsed) -> Delivery:
        """Take out what does not say of itself what the call says of it."""
        self._tell_what_is_wrong(sender, first, parsed)
        index = parsed.records.index
        sequences = (parsed.places + first).astype(np.uint64)
        own = np.uint64(sender.identity.incarnation)
        fits = (index["sequence"] == sequences) & (index["sender"] == own)
        others = [(first + place, type_) for place, type_ in parsed.others]
        if not fits.all():
            others += [(int(each), "") for each in sequences[~fits]]
            self._tell_foreign(sender, parsed, fits)
        sender.duplicates += min(parsed.count, sender.accepted + 1 - first)
        sender.turn += 1
        return Delivery(
            records=parsed.records.select(fits), sequences=sequences[fits],
            last=first + parsed.count - 1, others=others, turn=sender.turn,
        )  # fmt: skip

    def _tell_what_is_wrong(self, sender: Sender, first: int, parsed: Parsed) -> None:
        name, address = sender.identity.name, sender.address
        new = [type_ for place, type_ in parsed.others if first + place > sender.accepted]
        for type_, count in Counter(new).items():
            if type_:
                self._complaints.skipped(name, address, type_, count)
            else:
                self._complaints.damaged(name, address, count, parsed.found)

    def _tell_foreign(self, sender: Sender, parsed: Parsed, fits: Mask) -> None:
        row = int(np.argmin(fits))
        said = parsed.records.index[row]
        found = (
            f"message {int(parsed.places[row])} says that it is {int(said['sequence'])} "
            f"of the sender {int(said['sender'])}"
        )
        count = int(len(fits) - fits.sum())
        self._complaints.damaged(sender.identity.name, sender.address, count, [found])

    def _attempt(self, sender: Sender, delivery: Delivery) -> Acknowledgement | None:
        self._greetings.check(sender)
        with sender.lock:
            if delivery.turn != sender.turn:
                return answer(sender, delivery)
            was_settled, before = sender.is_settled, sender.accepted
            is_done = delivery.attempt(sender, self._runs)
            is_news = was_settled and sender.accepted > before
            found = answer(sender, delivery) if is_done else None
        self._count_unassigned(delivery)
        if is_news:
            sender.changed.tell()
        return found

    def _give_up(self, sender: Sender, delivery: Delivery) -> Acknowledgement:
        found = self._attempt(sender, delivery)
        if found is not None:
            return found
        with sender.lock:
            return answer(sender, delivery)

    def _count_unassigned(self, delivery: Delivery) -> None:
        counted, delivery.unassigned = delivery.unassigned, Counter()
        if not counted:
            return
        with self._lock:
            for number, count in counted.items():
                is_known = number in self._unassigned or len(self._unassigned) < MOST_IDS
                self._unassigned[number if is_known else _FURTHER] += count

    def _note_end(self, before: Sender, identity: SenderIdentity) -> None:
        """Note what is missing of a start of a sender that is over."""
        with before.lock:
            missing = None if before.last is None else before.last - before.accepted
            if missing == 0 or not before.runs:
                return
            reason = (
                f"{identity.name} was started anew; {before.accepted} messages of the start "
                f"before had come"
            )
            self._note_gap(before, missing or 0, reason)

    def _note_gap(self, sender: Sender, count: int, reason: str) -> None:
        """Note messages that never come in the run of the sender's last event."""
        name = sender.identity.name
        active = {run.number: run for run in self._runs.active}
        own = [number for number in active if number in sender.runs]
        number = sender.present if sender.present in active else max(own or active, default=0)
        text = "%s messages of the sender %s never come (run %d): %s"
        log.warning(text, count or "unknown", name, number, reason)
        if number:
            note = GapNote(sender=name, count=count, time=self._clock.utc(), reason=reason)
            active[number].note_gap(note)


def check_sequence(sender: Sender, first: int) -> None:
    """Do nothing when a message does not leave out others.

    Raises:
        OutOfSequence: It does.
    """
    if first <= sender.accepted + 1:
        return
    raise OutOfSequence(
        f"message {first} of {sender.identity.name} came, {sender.accepted + 1} is awaited",
        expected=sender.accepted + 1,
        found=first,
        cause="messages between them were not sent, or this logger has forgotten them",
        remedy="say hello, and send from the message on that is awaited",
    )


def _check_size(size: int) -> None:
    if size > MOST_BYTES:
        raise BadParam(
            f"the batch has {size} bytes",
            field="messages",
            remedy=f"send at most {MOST_BYTES} at once, frames included",
        )


def answer(sender: Sender, delivery: Delivery | None = None) -> Acknowledgement:
    """Return how far the messages of a sender have come; its lock is held."""
    if delivery is None:
        return Acknowledgement(accepted=sender.accepted, durable=sender.settle())
    is_short = sender.accepted < delivery.last
    return Acknowledgement(
        accepted=sender.accepted,
        durable=sender.settle(),
        is_busy=is_short,
        is_paused=is_short and delivery.is_paused,
        reason=delivery.reason if is_short else "",
        refused=delivery.refused,
    )
