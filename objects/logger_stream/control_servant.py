"""The servant of an event logger's commands."""

from __future__ import annotations

from typing_extensions import override

from idl_like_interfaces.event_logger import (
    LoggerConfiguration,
    LoggerControl,
    LoggerInit,
    LoggerRun,
    LoggerRunStart,
    LoggerState,
    LoggerStatus,
    RunCertificate,
)
from objects.logger_stream.certificates import page_of
from objects.logger_stream.logger import Logger


class LoggerControlServant(LoggerControl):
    """Implements ``LoggerControl``.

    Args:
        logger: Does it.
    """

    def __init__(self, logger: Logger) -> None:
        self._logger = logger

    @override
    def init(self, arguments: LoggerInit, fence: int = 0) -> LoggerState:
        return self._logger.init(arguments, fence)

    @override
    def configure(self, configuration: LoggerConfiguration, fence: int = 0) -> LoggerState:
        return self._logger.configure(configuration, fence)

    @override
    def start_run(self, start: LoggerRunStart, fence: int = 0) -> LoggerRun:
        return self._logger.start_run(start, fence)

    @override
    def end_run(self, run: int, fence: int = 0, timeout_s: float = 10.0) -> RunCertificate:
        return page_of(self._logger.end_run(run, fence, timeout_s))

    @override
    def abort_run(
        self, run: int, reason: str, fence: int = 0, timeout_s: float = 10.0
    ) -> RunCertificate:
        return page_of(self._logger.abort_run(run, reason, fence, timeout_s))

    @override
    def pause(self, run: int = 0, reason: str = "", fence: int = 0) -> LoggerState:
        return self._logger.pause(run, reason, fence)

    @override
    def resume(self, run: int = 0, fence: int = 0) -> LoggerState:
        return self._logger.resume(run, fence)

    @override
    def get_status(self) -> LoggerStatus:
        return self._logger.status()

    @override
    def get_certificate(self, run: int, first_file: int = 0) -> RunCertificate:
        return page_of(self._logger.certificate(run), first_file)

    @override
    def reset(self, fence: int = 0) -> LoggerState:
        return self._logger.reset(fence)

    @override
    def stop(self, is_forced: bool = False, fence: int = 0) -> None:
        self._logger.stop(fence, is_forced=is_forced)
