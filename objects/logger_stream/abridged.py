"""A status that fits into a message, however many streams and files there are."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from idl_like_interfaces.event_logger import LoggerRun, StreamStatus

MOST_FILES: Final = 128
"""Files that are told one by one, of all runs together."""

MOST_STREAMS: Final = 4096
"""Streams that are told one by one; those of active runs go first."""


def abridge(
    runs: list[LoggerRun], most_files: int = MOST_FILES, most_streams: int = MOST_STREAMS
) -> list[LoggerRun]:
    """Return runs of which not more is told than fits.

    Of active runs the latest files of each stream are told, as many of each; of runs that have
    ended none: their certificates tell all. Counts are of all.

    Args:
        runs: The active ones first.
        most_files: In all.
        most_streams: In all.
    """
    left = most_streams
    active = sum(len(run.streams) for run in runs if run.ended is None)
    share = most_files // max(1, active)
    told: list[LoggerRun] = []
    for run in runs:
        files = share if run.ended is None else 0
        streams = [_abridged(each, files) for each in run.streams[:left]]
        left -= len(streams)
        told.append(replace(run, streams=streams))
    return told


def _abridged(stream: StreamStatus, files: int) -> StreamStatus:
    if len(stream.files) <= files:
        return stream
    return replace(stream, files=stream.files[-files:] if files else [])
