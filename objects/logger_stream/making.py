"""Makes runs: their streams, and the first record of each of their files."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from idl_like_interfaces.clients.project import KnownProject
from idl_like_interfaces.event_files import FileHeader
from idl_like_interfaces.event_logger import (
    FileKind,
    LoggerConfiguration,
    LoggerRunStart,
    StreamConfiguration,
)
from idl_like_interfaces.mapping.wire import host_name
from idl_like_interfaces.waiting import News
from objects.component.site import Site
from objects.logger_stream.counted import CountedStream
from objects.logger_stream.run import ActiveRun, RunStream
from objects.logger_stream.stream import Stream
from objects.logger_stream.surroundings import StreamListener, Surroundings, Takeover
from objects.logger_stream.volumes import Volumes

_PROJECT = ("project", "operator", "flight", "context", "version")

NO_PROJECT = "nothing is known of the project: the project service has not answered yet"


class RunMaker:
    """Makes the runs of one logger.

    Args:
        site: Where it runs.
        volumes: Where files can be written.
        project: Says what is known of the project now; None: nothing yet.
    """

    def __init__(
        self, site: Site, volumes: Volumes, project: Callable[[], KnownProject | None]
    ) -> None:
        self._site = site
        self._volumes = volumes
        self._project = project

    def make(
        self,
        start: LoggerRunStart,
        configuration: LoggerConfiguration,
        listener: StreamListener,
        changed: News,
        takeovers: Mapping[str, Takeover] | None = None,
    ) -> ActiveRun:
        """Make a run with all its streams.

        Args:
            start: What it is started with.
            configuration: Complete.
            listener: Is told of its files.
            changed: Told when the run changes.
            takeovers: By stream, what an earlier start of the logger has left of this run.

        Raises:
            RuntimeError: There are no more threads; nothing is left.
        """
        left = takeovers or {}
        around = Surroundings(
            run=start.run,
            clock=self._site.clock,
            volumes=self._volumes,
            header=lambda stream, number, kind: self.header(start, stream, number, kind),
            listener=listener,
        )

        def stream(of: StreamConfiguration) -> RunStream:
            if not start.recording:
                return CountedStream(of)
            return Stream(of, around, left.get(of.name, Takeover()))

        return ActiveRun(start, configuration, self._site.clock, stream, changed)

    def header(
        self, start: LoggerRunStart, stream: StreamConfiguration, number: int, kind: FileKind
    ) -> FileHeader:
        """Return the first record of a file; what is known of the project is of now."""
        known = self._project()
        information = None if known is None else known.information
        project = {} if information is None else {n: getattr(information, n) for n in _PROJECT}
        return FileHeader(
            run=start.run,
            stream=stream,
            sequence=number,
            kind=kind,
            opened=self._site.clock.utc(),
            logger=f"{self._site.root}/{self._site.name}",
            incarnation=self._site.incarnation,
            host=host_name(),
            comment=start.comment,
            data_type=start.data_type,
            shifter=start.shifter,
            project=project,
            remark=NO_PROJECT if known is None else known.remark(),
        )
