"""What a configuration comes to: defaults inherited, contradictions refused with their path."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, TypeVar

import msgspec

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.event_logger import (
    LoggerConfiguration,
    LoggerInit,
    StreamConfiguration,
    StreamParameters,
)
from objects.logger_stream.rules import Rules

QUEUES_BYTES: Final = 1 << 30
"""All queues of a run together, unless the configuration says how large they are."""

LEAST_QUEUE_BYTES: Final = 1 << 20

_THRESHOLDS: Final = ("min_free_warning", "min_free_pause", "min_free_close")

T = TypeVar("T", StreamParameters, LoggerInit)


def over(changes: T, base: T) -> T:
    """Return parameters in which ``None`` was filled from others."""
    all = msgspec.structs.asdict(changes)
    said = {name: value for name, value in all.items() if value is not None}
    return msgspec.structs.replace(base, **said)


def built_in(streams: int, volumes: Sequence[str]) -> StreamParameters:
    """Return what holds for a stream of which nobody has said anything.

    Args:
        streams: How many there are: the more, the smaller their queues.
        volumes: Where it is written to.
    """
    rules = Rules()
    share = max(LEAST_QUEUE_BYTES, min(rules.queue_bytes, QUEUES_BYTES // max(1, streams)))
    said = {name: getattr(rules, name) for name in Rules.__slots__}
    return StreamParameters(**{**said, "queue_bytes": share, "volumes": list(volumes)})


def complete(
    configuration: LoggerConfiguration, defaults: StreamParameters, volumes: Sequence[str]
) -> LoggerConfiguration:
    """Return a configuration in which each stream says all its parameters, and the defaults too.

    Args:
        configuration: As it was given.
        defaults: What INIT and earlier configurations have said.
        volumes: Where it is written when nobody has said it.
    """
    base = over(defaults, built_in(len(configuration.streams), volumes))
    full = over(configuration.defaults, base)
    streams = [
        msgspec.structs.replace(each, parameters=over(each.parameters, full))
        for each in configuration.streams
    ]
    return msgspec.structs.replace(configuration, defaults=full, streams=streams)


def check(configuration: LoggerConfiguration, path: str = "configuration") -> None:
    """Refuse what contradicts itself.

    Raises:
        BadParam: A name (whatever the case of its letters) or an id stands twice, or the
            thresholds of free space are not in their order; with the path of the field.
    """
    _check_streams(configuration.streams, f"{path}.streams")
    _check_thresholds(configuration, path)


def _check_streams(streams: Sequence[StreamConfiguration], path: str) -> None:
    names: dict[str, int] = {}
    ids: dict[int, int] = {}
    for number, each in enumerate(streams):
        first = names.setdefault(each.name.casefold(), number)
        if first != number:
            raise BadParam(
                f"{path}[{number}].name: {each.name!r} is the name of {path}[{first}] already "
                f"({streams[first].name!r})",
                field=f"{path}[{number}].name",
                cause="names of streams become names of files; letters differ in more than case",
                remedy="give each stream a name of its own",
            )
        first = ids.setdefault(each.id, number)
        if first != number:
            raise BadParam(
                f"{path}[{number}].id: {each.id} is the id of {path}[{first}] "
                f"({streams[first].name!r}) already",
                field=f"{path}[{number}].id",
                cause="events name the streams to which they belong by these ids",
                remedy="give each stream an id of its own",
            )


def _check_thresholds(configuration: LoggerConfiguration, path: str) -> None:
    for higher, lower in pairwise(_THRESHOLDS):
        most, value = getattr(configuration, higher), getattr(configuration, lower)
        if value > most:
            field = f"{path}.{_camel(lower)}"
            raise BadParam(
                f"{field}: {value:g} is above {_camel(higher)}, which is {most:g}",
                field=field,
                cause="space falls below the threshold of the warning first, then of the pause, "
                "then of the close",
                remedy="choose minFreeWarning >= minFreePause >= minFreeClose",
            )


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(each.capitalize() for each in rest)
