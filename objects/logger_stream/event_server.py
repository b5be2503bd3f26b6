"""The servant of the event server."""

from __future__ import annotations

from typing_extensions import override

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.event_server import Acknowledgement, EventServer, Gap, SenderIdentity
from idl_like_interfaces.mapping.context import current_caller
from idl_like_interfaces.octets import OctetBlocks
from objects.logger_stream.intake import Intake


class EventServerServant(EventServer):
    """Implements ``EventServer``.

    Args:
        intake: Takes the messages.
    """

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    @override
    def hello(self, sender: SenderIdentity) -> Acknowledgement:
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
        if gap.last < gap.first:
            raise BadParam(
                f"the gap ends with message {gap.last}, before it begins with {gap.first}",
                field="gap.last",
                remedy="give the first and the last message that never come",
            )
        return self._intake.declare_gap(sender, gap, current_caller().address)


def _check_number(field: str, number: int) -> None:
    if not 1 <= number < 1 << 63:
        raise BadParam(f"{field} is {number}", field=field, remedy="count messages from 1")
