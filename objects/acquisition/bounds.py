"""How much one acquisition may hand over to the DPM: what is more is refused where it comes.

All of it travels in one message. Found too long only there, it could neither be handed over
nor made shorter any more.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.keywords import FitsKeyword
from idl_like_interfaces.mapping.coding import to_json
from idl_like_interfaces.mapping.wire import LARGEST_PAYLOAD
from objects.acquisition.context import Context
from objects.acquisition.keywords import updated
from objects.acquisition.product import SourceResult, SourceState
from objects.acquisition.refusals import refusal
from objects.acquisition.sources import WITHOUT_IT, SourceFailure
from objects.acquisition.specification import Plan

MOST_HANDED = LARGEST_PAYLOAD - 64 * 1024
"""Bytes of the document that says what is to be merged."""

MOST_ASKED = MOST_HANDED // 2
"""Of these, for what the client says; the rest is for what the sources make."""


def check_plan(plan: Plan, field: str) -> None:
    """Refuse a start whose document is too long; ``field``: its path.

    Raises:
        DaqException: With what it has, and how much there may be.
    """
    _check_asked(plan.id, len(to_json(plan)), field)


def check_update(context: Context, new: Sequence[FitsKeyword]) -> None:
    """Refuse keywords with which those of a client become too many.

    Raises:
        DaqException: With what they would have, and how much there may be.
    """
    plan = replace(context.plan, keywords=updated(context.keywords, new))
    _check_asked(context.id, len(to_json(plan)), "keywords")


def too_much(context: Context, results: Sequence[SourceResult]) -> dict[str, SourceFailure]:
    """Return the sources whose keywords and files have no room beside the others'."""
    if _handed(context, results) <= MOST_HANDED:
        return {}
    failures = {}
    for result in results:
        size = _handed(context, [result])
        if size > MOST_HANDED:
            reason = _no_room(result.source_name, size)
            failures[result.source_name] = SourceFailure(reason, SourceState.FAILED)
        else:
            context = _with(context, [result])
    return failures


def _check_asked(id: str, size: int, field: str) -> None:
    if size > MOST_ASKED:
        raise refusal(
            id,
            f"{field}: all that is said of the acquisition would have {size} bytes as JSON,"
            f" at most {MOST_ASKED} can be handed over",
            cause="too many keywords, or very long ones",
            remedy="leave keywords out, or have a source write them into a file",
        )


def _no_room(name: str, size: int) -> RemoteError:
    return RemoteError(
        f"source {name} cannot be used: with its keywords and files what is handed over"
        f" would have {size} bytes as JSON, at most {MOST_HANDED}",
        cause="the source gives too many keywords, or very long ones",
        remedy=f"let it write them into a file; {WITHOUT_IT}",
    )


def _handed(context: Context, results: Sequence[SourceResult]) -> int:
    return len(to_json(_with(context, results).specification()))


def _with(context: Context, results: Sequence[SourceResult]) -> Context:
    for result in results:
        context = replace(context, results=context.with_result(result))
    return context
