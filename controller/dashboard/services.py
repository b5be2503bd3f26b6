"""Asks the shared services, and the event loggers, for what the dashboard shows of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from idl_like_interfaces.accounts import Balance, Ledger
from idl_like_interfaces.alarm_statistics import AlarmStats
from idl_like_interfaces.alarms import AlarmFilter, AlarmService, Column, Overview
from idl_like_interfaces.clients import Survey
from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.event_logger import LoggerControl, LoggerStatus
from idl_like_interfaces.oldb import OldbStats, OnlineDatabase
from idl_like_interfaces.project import ProjectInformation, ProjectService
from idl_like_interfaces.run_control import RunControl, RunControlStatus
from idl_like_interfaces.supervision import Supervisor, SupervisorStatus

if TYPE_CHECKING:
    from nameserver.client import Names

DEADLINE_S = 3.0

_MAX_AGE_S = 3.0
"""The ledger asks the hops itself; several dashboards do not make it ask more often."""

_LOGGERS_AT_ONCE = 4

_SHOWN = AlarmFilter(columns=[Column.BAD, Column.ACKNOWLEDGED])

Answer = (
    Overview
    | AlarmStats
    | Balance
    | OldbStats
    | ProjectInformation
    | RunControlStatus
    | SupervisorStatus
)
Answers = dict[str, tuple[Answer, ...] | RemoteError]


class SharedServices(Closing):
    """Asks all that there are at once, so that none hides another one; a context manager.

    Args:
        names: The name service.
        root: Root context of the installation's names.
    """

    def __init__(self, names: Names, root: str) -> None:
        self._names = names
        self._root = root
        self._questions: dict[str, Callable[[], tuple[Answer, ...]]] = {
            "alarms": self._ask_alarms,
            "ledger": lambda: (self._stub("ledger", Ledger).get_balance("**", _MAX_AGE_S),),
            "oldb": lambda: (self._stub("oldb", OnlineDatabase).get_stats(),),
            "project": lambda: (self._stub("project", ProjectService).get(),),
            "run": lambda: (self._stub("run", RunControl).get_status(),),
            "supervisor": lambda: (self._stub("supervisor", Supervisor).get_status(),),
        }
        self._survey = Survey(lambda path: self._questions[path](), len(self._questions))

    def ask(self, bound: set[str], within_s: float) -> Answers:
        """Ask those that are bound; return their answers, or why there is none, by path."""
        paths = [path for path in self._questions if f"{self._root}/{path}" in bound]
        return self._survey.run(paths, within_s) if paths else {}

    @override
    def close(self) -> None:
        self._survey.close()

    def _ask_alarms(self) -> tuple[Answer, ...]:
        service = self._stub("alarms", AlarmService)
        return service.overview(_SHOWN), service.get_stats()

    def _stub(self, path: str, interface: type[Any]) -> Any:
        return self._names.narrow(f"{self._root}/{path}", interface, DEADLINE_S)


class Loggers(Closing):
    """Asks all loggers at once, so that none hides another one; a context manager.

    Args:
        names: The name service.
        root: Root context of the installation's names.
    """

    def __init__(self, names: Names, root: str) -> None:
        self._prefix = f"{root}/logger/"
        self._survey = Survey(
            lambda name: names.narrow(name, LoggerControl, DEADLINE_S).get_status(),
            _LOGGERS_AT_ONCE,
        )

    def ask(self, bound: Iterable[str], within_s: float) -> dict[str, LoggerStatus | RemoteError]:
        """Return what the loggers among the bound names say, or why there is no answer."""
        wanted = [each for each in bound if each.startswith(self._prefix)]
        controls = [each for each in sorted(wanted) if each.endswith("/control")]
        return self._survey.run(controls, within_s) if controls else {}

    @override
    def close(self) -> None:
        self._survey.close()
