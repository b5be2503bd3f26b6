"""The servant of the event server."""

from __future__ import annotations

from typing import Final

from typing_extensions import override

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.event_server import Acknowledgement, EventServer, Gap, SenderIdentity
from idl_like_interfaces.mapping.context import current_caller
from idl_like_interfaces.octets import OctetBlocks
from objects.logger_stream.intake import Intake

MOST_NUMBER: Final = 1 << 53
"""No sender comes so far in centuries; sums of such numbers still fit into every encoding."""


class EventServerServant(EventServer):
    """Implements ``EventServer``.

    Args:
        intake: Takes the messages.
    """

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    @override
    def hello(self, sender: SenderIdentity) -> Acknowledgement:
        for field, number in (("acknowledged", sender.acknowledged), ("last", sender.last or 0)):
            _check_number(f"sender.{field}", number, least=0)
        return self._intake.hello(sender, current_caller().address)

    @override
    def send(
        self, sender: int, first: int, messages: OctetBlocks, timeout_s: float = 5.0
    ) -> Acknowledgement:
        _check_number("first", first)
        return self._intake.send(
            sender, first, messages.buffer, timeout_s, current_caller().address
        )

    @override
    def await_durable(self, sender: int, beyond: int, timeout_s: float) -> Acknowledgement:
        return self._intake.await_durable(sender, beyond, timeout_s, current_caller().address)

    @override
    def declare_gap(self, sender: int, gap: Gap) -> Acknowledgement:
        _check_number("gap.first", gap.first)
        _check_number("gap.last", gap.last, least=0)
        if gap.last < gap.first:
            raise BadParam(
                f"the gap ends with message {gap.last}, before it begins with {gap.first}",
                field="gap.last",
                remedy="give the first and the last message that never come",
            )
        return self._intake.declare_gap(sender, gap, current_caller().address)


def _check_number(field: str, number: int, least: int = 1) -> None:
    if not least <= number <= MOST_NUMBER:
        raise BadParam(
            f"{field} is {number}, not within {least} and {MOST_NUMBER}",
            field=field,
            remedy="count messages from 1",
        )
