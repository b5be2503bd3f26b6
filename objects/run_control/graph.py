"""A configuration of runs: checked before anything is started, and in which order it is started."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from idl_like_interfaces.documents import StartDaqV2Specification
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.event_logger import LoggerConfiguration, LoggerInit
from idl_like_interfaces.mapping.coding import from_plain
from idl_like_interfaces.run_configuration import RunConfiguration, Writer, WriterKind

RUN_MARK = "{run}"
"""In the id of an acquisition: the number of the run, nine digits."""


def check_configuration(configuration: RunConfiguration) -> None:
    """See that a configuration contradicts itself nowhere.

    Raises:
        BadParam: It does; the path of the field is named.
    """
    _check_names(configuration.writers)
    _check_after(configuration.writers)
    _check_circles(configuration.writers)
    for number, writer in enumerate(configuration.writers):
        path = f"configuration.writers[{number}]"
        if writer.kind is WriterKind.LOGGER:
            logger_init(writer, path)
            logger_configuration(writer, path)
        else:
            acquisition(writer, 1, path)
    _check_streams(configuration.writers)


def logger_init(writer: Writer, path: str = "writer") -> LoggerInit:
    """Read what a logger is initialized with.

    Raises:
        BadParam: It is wrong; the path of the field is named.
    """
    return from_plain(LoggerInit, writer.init, f"{path}.init")


def logger_configuration(writer: Writer, path: str = "writer") -> LoggerConfiguration:
    """Read the streams of a logger.

    Raises:
        BadParam: It is wrong; the path of the field is named.
    """
    return from_plain(LoggerConfiguration, writer.configuration, f"{path}.configuration")


def acquisition(writer: Writer, run: int, path: str = "writer") -> StartDaqV2Specification:
    """Read with what an acquisition is started for a run; its id is always set.

    Raises:
        BadParam: It is wrong, or its id would be the same for each run.
    """
    if writer.init:
        raise BadParam(
            f"{path}.init: an acquisition is not initialized by run control",
            field=f"{path}.init",
            remedy="leave it out",
        )
    plain = dict(writer.configuration)
    named = plain.setdefault("id", f"run{RUN_MARK}-{writer.name}")
    field = f"{path}.configuration.id"
    if not isinstance(named, str) or RUN_MARK not in named:
        raise BadParam(
            f"{field}: {named!r} would be the id of one run only",
            field=field,
            cause="each run starts an acquisition of its own",
            remedy=f'write {RUN_MARK} where the run number belongs, e.g. "night-{RUN_MARK}"',
        )
    plain["id"] = named.replace(RUN_MARK, f"{run:09d}")
    return from_plain(StartDaqV2Specification, plain, f"{path}.configuration")


def start_order(writers: Sequence[Writer]) -> list[list[Writer]]:
    """Return who is started together, level by level; stopping goes the other way round."""
    depths = depths_of(writers)
    levels: list[list[Writer]] = [[] for _ in range(max(depths.values(), default=-1) + 1)]
    for each in writers:
        levels[depths[each.name]].append(each)
    return levels


def depths_of(writers: Sequence[Writer]) -> dict[str, int]:
    """Return at which level each writer stands: one above the highest of those before it."""
    after = {each.name: each.after for each in writers}
    depths: dict[str, int] = {}
    # Each round settles at least one: who is in no circle was checked before.
    while len(depths) < len(after):
        ready = {
            name: 1 + max((depths[other] for other in others), default=-1)
            for name, others in after.items()
            if name not in depths and all(other in depths for other in others)
        }
        depths |= ready
    return depths


def find_circle(after: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the names of a circle, the first one again at the end; empty: there is none."""
    done: set[str] = set()
    for start in after:
        path: list[str] = []
        waiting: list[Iterator[str]] = [iter([start])]
        while waiting:
            name = next(waiting[-1], None)
            if name is None:
                waiting.pop()
                if path:
                    done.add(path.pop())
            elif name in path:
                return [*path[path.index(name) :], name]
            elif name not in done:
                path.append(name)
                waiting.append(iter(after.get(name, ())))
    return []


def _check_names(writers: Sequence[Writer]) -> None:
    names: dict[str, int] = {}
    places: dict[str, int] = {}
    for number, each in enumerate(writers):
        path = f"configuration.writers[{number}]"
        before = names.setdefault(each.name, number)
        if before != number:
            raise _twice(f"{path}.name", each.name, before, "give each writer a name of its own")
        if each.kind is WriterKind.LOGGER:
            before = places.setdefault(each.reference, number)
            if before != number:
                raise _twice(
                    f"{path}.reference", each.reference, before, "a logger takes part in a run once"
                )


def _check_after(writers: Sequence[Writer]) -> None:
    names = {each.name for each in writers}
    for number, each in enumerate(writers):
        for place, other in enumerate(each.after):
            if other not in names:
                field = f"configuration.writers[{number}].after[{place}]"
                raise BadParam(
                    f"{field}: there is no writer {other!r}",
                    field=field,
                    cause=f"the writers are {', '.join(sorted(names))}",
                    remedy="name one of them, or leave it out",
                )


def _check_circles(writers: Sequence[Writer]) -> None:
    circle = find_circle({each.name: each.after for each in writers})
    if not circle:
        return
    number = next(n for n, each in enumerate(writers) if each.name == circle[0])
    field = f"configuration.writers[{number}].after"
    raise BadParam(
        f"{field}: {' after '.join(circle)}: none of them could be started first",
        field=field,
        cause="writers wait for each other in a circle",
        remedy="take one of these names out of an 'after'",
    )


def _check_streams(writers: Sequence[Writer]) -> None:
    """Loggers share the streams: two that wrote the same one would each have a part of its events."""
    seen: dict[tuple[str, object], str] = {}
    for number, each in enumerate(writers):
        if each.kind is not WriterKind.LOGGER:
            continue
        path = f"configuration.writers[{number}]"
        for place, stream in enumerate(logger_configuration(each, path).streams):
            for member, value in (("id", stream.id), ("name", stream.name.lower())):
                field = f"{path}.configuration.streams[{place}].{member}"
                other = seen.setdefault((member, value), field)
                if other != field:
                    raise BadParam(
                        f"{field}: {getattr(stream, member)!r} stands in {other}, too",
                        field=field,
                        cause="a stream is written by one logger",
                        remedy="give the stream to one of the loggers only",
                    )


def _twice(field: str, value: str, before: int, remedy: str) -> BadParam:
    return BadParam(
        f"{field}: {value!r} stands in configuration.writers[{before}], too",
        field=field,
        remedy=remedy,
    )
