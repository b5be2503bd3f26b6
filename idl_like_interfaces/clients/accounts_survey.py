"""Asking all hops of an installation for their accounts, and remembering what they said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from typing_extensions import override

from idl_like_interfaces.accounts import Account, Accountant, Balance, Line
from idl_like_interfaces.clients.accounts_memory import KEEP_S, Memory, Seen
from idl_like_interfaces.clients.accounts_verdict import judge
from idl_like_interfaces.clients.directory import objects_of
from idl_like_interfaces.clients.globs import TopicFilters
from idl_like_interfaces.clients.survey import Survey
from idl_like_interfaces.closing import Closing
from idl_like_interfaces.declare import interface_of, is_compatible
from idl_like_interfaces.errors import BadParam, RemoteError
from idl_like_interfaces.event_errors import InvalidTopic
from idl_like_interfaces.naming import Binding
from idl_like_interfaces.supervision import ComponentObject

DEADLINE_S = 2.0
"""Of each hop: who has not answered within it keeps the account that it gave before."""

NAMES = "name service"

_ACCOUNTANTS = (interface_of(ComponentObject).repository_id, interface_of(Accountant).repository_id)


class AccountSurvey(Closing):
    """Asks again and again; a context manager. Call it from one thread at a time.

    Args:
        find: Return what is bound below the root of the installation.
        ask: Ask one of the objects; must end by itself.
        deadline_s: For all of them together.
        keep_s: For how long accounts of hops that are gone are remembered.

    Attributes:
        memory: What was said.
        silent: Who could not be asked in the last round, and why.
    """

    def __init__(
        self,
        find: Callable[[], list[Binding]],
        ask: Callable[[str], list[Account]],
        *,
        deadline_s: float = DEADLINE_S,
        keep_s: float = KEEP_S,
    ) -> None:
        self._find = find
        self._deadline_s = deadline_s
        self._survey: Survey[list[Account]] = Survey(ask)
        self._names: list[str] = []
        self.memory = Memory(keep_s)
        self.silent: dict[str, str] = {}

    def run(self, now: datetime) -> list[Seen]:
        """Ask all of them once.

        Returns:
            What is to be kept over a restart.
        """
        silent: dict[str, str] = {}
        try:
            self._names = accountants(self._find())
        except RemoteError as error:
            silent[NAMES] = error.briefly()
        accounts: list[Account] = []
        for name, answer in self._survey.run(self._names, self._deadline_s).items():
            if isinstance(answer, RemoteError):
                silent[name] = answer.briefly()
            else:
                accounts += answer
        self.silent = silent
        return self.memory.take(accounts, now)

    def balance(self, now: datetime, source: str = "**") -> Balance:
        """Return what is known of the sources whose name matches a glob.

        Raises:
            BadParam: The glob is malformed.
        """
        lines = of_sources(judge(self.memory.all(now)), source)
        return Balance(time=now, lines=lines, silent=dict(sorted(self.silent.items())))

    @override
    def close(self) -> None:
        self._survey.close()


def accountants(bindings: list[Binding]) -> list[str]:
    """Return the names of the objects that keep accounts."""
    return [each.name for each in objects_of(bindings) if _keeps_accounts(each.interface)]


def of_sources(lines: list[Line], source: str) -> list[Line]:
    """Return the lines of the sources whose name matches a glob.

    Raises:
        BadParam: The glob is malformed.
    """
    try:
        filters = TopicFilters([source])
    except InvalidTopic as error:
        raise BadParam(
            f"{error.topic!r} is no glob over sources", field="source", remedy=error.remedy
        ) from error
    return [each for each in lines if filters.matches(each.account.source)]


def _keeps_accounts(interface: str) -> bool:
    try:
        return any(is_compatible(interface, wanted) for wanted in _ACCOUNTANTS)
    except ValueError:
        return False  # anybody may bind an object with any text
