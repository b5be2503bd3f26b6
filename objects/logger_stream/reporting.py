"""Makes the status of a logger from its parts; nothing here waits for a disk or a service."""

from __future__ import annotations

import msgspec

from idl_like_interfaces.event_logger import (
    LoggerInit,
    LoggerRun,
    LoggerStatus,
    StreamConfiguration,
    StreamStatus,
)
from objects.logger_stream.abridged import abridge
from objects.logger_stream.configuration import built_in, complete, over
from objects.logger_stream.core import Core

MOST_SENDERS = 256


def make_status(core: Core) -> LoggerStatus:
    """Return how a logger stands."""
    told = core.runs.told
    core.rates.forget({run.number for run in told})
    runs = abridge([run.status(*core.rates.of(run)) for run in told])
    links = core.services.links()
    if core.link is not None:
        links["run_control"] = core.link.text()
    senders = core.intake.statuses()[:MOST_SENDERS]
    return LoggerStatus(
        name=core.site.name,
        state=core.state,
        time=core.site.clock.utc(),
        parameters=_parameters(core),
        streams=_streams(core),
        runs=runs,
        senders=senders,
        connections=sum(each.is_connected for each in senders),
        not_accepted=core.runs.not_accepted,
        unassigned={str(id): count for id, count in core.intake.unassigned.items()},
        orphans={str(run): count for run, count in core.orphans.counts.items()},
        volumes=core.volumes.statuses(_streams_of(runs)),
        links=links,
        problem=core.safe.problem or core.trouble,
    )


def _streams_of(runs: list[LoggerRun]) -> list[StreamStatus]:
    return [stream for run in runs if run.ended is None for stream in run.streams]


def _parameters(core: Core) -> LoggerInit:
    memory, settings = core.memory, core.settings
    if memory.init is None:
        return LoggerInit()
    own = LoggerInit(
        event_port=core.offered.port if core.offered else settings.event_port,
        alarm_service=settings.alarm_service or f"{core.site.root}/alarms",
        event_channel=settings.event_channel or f"{core.site.root}/events",
    )
    given = memory.init
    if core.offered is not None:
        given = msgspec.structs.replace(given, event_port=core.offered.port)
    defaults, level = given.defaults, given.debug_level
    if memory.configured is not None:
        defaults = memory.configured.defaults
        level = memory.configured.configuration.debug_level or level
    full = over(defaults, over(settings.defaults, built_in(1, core.default_volumes)))
    return msgspec.structs.replace(over(given, own), defaults=full, debug_level=level)


def _streams(core: Core) -> list[StreamConfiguration]:
    configured = core.memory.configured
    if configured is None:
        return []
    return complete(configured.configuration, configured.defaults, core.default_volumes).streams
