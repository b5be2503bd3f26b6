"""An event logger as a component of an installation."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec
from typing_extensions import override

from objects.component.site import ActiveObject, Component
from objects.logger_stream.settings import LoggerSettings

if TYPE_CHECKING:
    from objects.logger_stream.process import LoggerProcess


class LoggerComponent(Component):
    """Writes streams of events to files.

    What that takes (numpy) is loaded when it recovers: the supervisor reads the settings only.
    """

    kind: ClassVar[str] = "logger"
    Settings: ClassVar[type[msgspec.Struct]] = LoggerSettings

    _process: LoggerProcess | None = None

    @override
    def recover(self) -> None:
        from objects.logger_stream.process import LoggerProcess

        self._process = LoggerProcess(self.site, self.settings)
        self._process.recover()

    @override
    def objects(self) -> list[ActiveObject]:
        return self._process.objects() if self._process else []

    @override
    def start(self) -> None:
        if self._process:
            self._process.start()

    @override
    def stop(self) -> None:
        if self._process:
            self._process.stop()

    @override
    def detail(self) -> str:
        return self._process.detail() if self._process else ""

    @override
    def problem(self) -> str:
        return self._process.problem() if self._process else ""
