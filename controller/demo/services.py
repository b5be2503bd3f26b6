"""The shared services in the demonstration: project, alarms, online database, accounts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from controller.demo.scratch import DETECTOR, ROOT
from controller.failure import CommandFailed
from idl_like_interfaces.accounts import Balance, HopKind, Ledger, Verdict
from idl_like_interfaces.alarms import (
    Alarm,
    AlarmFilter,
    AlarmReport,
    AlarmService,
    AlarmState,
    Severity,
)
from idl_like_interfaces.clients import AlarmReporter
from idl_like_interfaces.mapping import make_incarnation
from idl_like_interfaces.oldb import OnlineDatabase
from idl_like_interfaces.project import ProjectChange, ProjectService

if TYPE_CHECKING:
    from nameserver.client import Names

PROJECT = "HD 101998"
OPERATOR = "obsorb demo"

KEY = "ocm/std/state"
"""What is read from the online database."""

_ALARM = "temperature high"
_OBJECT = f"{ROOT}/sources/{DETECTOR}"

WaitUntil = Callable[[str, Callable[[], bool]], None]


class SharedServices:
    """What the demonstration does with the shared services; each step returns a line about it.

    Args:
        names: The name service.
        wait_until: Waits for a condition, given what it is in words and how it is asked.
    """

    def __init__(self, names: Names, wait_until: WaitUntil) -> None:
        self._names = names
        self._wait_until = wait_until

    def set_project(self) -> str:
        """Say who takes data for which project."""
        service = self._names.narrow(f"{ROOT}/project", ProjectService)
        change = ProjectChange(project=PROJECT, operator=OPERATOR, flight="first light")
        found = service.set(change, OPERATOR)
        return (
            f"project: {found.project}, {found.flight}, by {found.operator} "
            f"(version {found.version})"
        )

    def raise_alarm(self) -> str:
        """Raise an alarm, take note of it, and have its condition end."""
        service = self._names.narrow(f"{ROOT}/alarms", AlarmService)
        with AlarmReporter(service, f"{ROOT}/demo", make_incarnation()) as reporter:
            report = _report()
            reporter.raise_alarm(report)
            self._wait_until("the alarm is raised", lambda: self._alarm(service).is_active)
            known = self._alarm(service)
            service.acknowledge([known.alarm_id], OPERATOR, "seen in the demonstration")
            reporter.clear_alarm(_ALARM, _OBJECT, "it cools down")
            self._wait_until(
                "the alarm is cleared",
                lambda: self._alarm(service).state is AlarmState.CLEARED,
            )
        return (
            f"alarm: {report.severity} {report.name!r} of {report.object} (remedy: "
            f"{report.remedy}), acknowledged, cleared"
        )

    def _alarm(self, service: AlarmService) -> Alarm:
        def is_known() -> bool:
            return bool(service.get_alarms(_OURS))

        self._wait_until("the alarm service knows the alarm", is_known)
        return service.get_alarms(_OURS)[0]

    def read_key(self) -> str:
        """Read what a component has written into the online database."""
        point = self._names.narrow(f"{ROOT}/oldb", OnlineDatabase).read(KEY)
        return (
            f"online database: {point.key} = {point.value!r} ({point.quality}, by {point.source})"
        )

    def account(self) -> str:
        """Account for every event.

        Raises:
            CommandFailed: Some were lost.
        """
        ledger = self._names.narrow(f"{ROOT}/ledger", Ledger)
        found: list[Balance] = []

        def is_balanced() -> bool:
            found[:] = [ledger.get_balance()]
            return bool(found[0].lines) and not found[0].silent and not _wrong(found[0])

        try:
            self._wait_until("every event is accounted for", is_balanced)
        except CommandFailed as error:
            raise CommandFailed(
                "not every event is accounted for",
                cause="; ".join(_wrong(found[0])) if found else error.cause,
                remedy="keep the scratch folder and report it",
            ) from error
        return f"ledger: every event accounted for: {_sum(found[0])}"


_OURS = AlarmFilter(names=[_ALARM], objects=[_OBJECT])


def _report() -> AlarmReport:
    return AlarmReport(
        object=_OBJECT,
        name=_ALARM,
        severity=Severity.MINOR,
        text="the detector is at 271 K, it should be below 190 K",
        cause="its cooler stands still (not really: this is a demonstration)",
        remedy="switch the cooler on",
        time=datetime.now(UTC),
        subsystem="demo",
    )


def _wrong(balance: Balance) -> list[str]:
    return [
        f"{line.account.hop}, of {line.account.source}: {line.text or line.verdict}"
        for line in balance.lines
        if line.verdict is not Verdict.BALANCED
    ]


def _sum(balance: Balance) -> str:
    accounts = [line.account for line in balance.lines]
    supplied = [each for each in accounts if each.kind is HopKind.SUPPLIER]
    produced = sum(each.taken for each in supplied)
    sources = {each.source for each in supplied}
    return f"{produced} of {len(sources)} sources over {len(accounts)} hops, 0 lost"
