"""Asking the objects of an installation what became of their calls."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast

import msgspec

from controller.measures import Measure, difference, measure
from idl_like_interfaces.clients import Survey
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.naming import OBJECT_ID
from idl_like_interfaces.object import Object, Statistics

if TYPE_CHECKING:
    from nameserver.client import Names

DEADLINE_S = 3.0
"""Of an object: one that takes longer is shown without figures."""

_SPARE_S = 0.5


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the calls of an object.

    Attributes:
        name: Of the object.
        since: When it was activated; None when it does not answer.
        highest_bound_s: Of its histograms: an estimate of so much means so much or more.
        operations: Those that were called, the most often called first.
        error: Why it does not answer.
    """

    name: str
    since: datetime | None = None
    highest_bound_s: float = 0.0
    operations: list[Measure] = []
    error: str = ""


def survey_of(names: Names, deadline_s: float = DEADLINE_S) -> Survey[Statistics]:
    """Return a survey of statistics among objects by name.

    The name server itself, which is not bound, has the name ``NameService``.
    """

    def ask(name: str) -> Statistics:
        if name == OBJECT_ID:
            # Every stub has also the operations that every object has.
            return cast("Object", names.context_within(deadline_s)).get_statistics()
        return names.narrow(name, Object, deadline_s).get_statistics()

    return Survey(ask)


def ask_all(
    survey: Survey[Statistics], names: list[str], deadline_s: float = DEADLINE_S
) -> dict[str, Statistics | RemoteError]:
    """Ask objects by name; what hangs is given up a little after its deadline."""
    return survey.run(names, deadline_s + _SPARE_S)


def told(
    name: str,
    found: Statistics | RemoteError,
    before: Statistics | RemoteError | None = None,
    span_s: float | None = None,
) -> Told:
    """Say what the answer of an object means.

    Args:
        name: Of the object.
        found: Its answer.
        before: The answer before, to tell only of what came since.
        span_s: The time in between.
    """
    if isinstance(found, RemoteError):
        return Told(name=name, error=found.message)
    if isinstance(before, Statistics):
        found = difference(before, found)
    measures = [measure(each, found.bounds_s, span_s) for each in found.operations]
    return Told(
        name=name,
        since=found.since,
        highest_bound_s=found.bounds_s[-1] if found.bounds_s else 0.0,
        operations=sorted(measures, key=lambda each: -each.calls),
    )
