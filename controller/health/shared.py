"""The shared services: do they answer, and do they lose or fail to store anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from controller.dashboard.text import size
from controller.health.finding import Finding, Verdict, bad
from idl_like_interfaces.accounts import Balance, Ledger
from idl_like_interfaces.accounts import Verdict as Balanced
from idl_like_interfaces.alarm_statistics import AlarmStats
from idl_like_interfaces.alarms import AlarmService, Column
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.events import ChannelStats, ConsumerState, EventChannel
from idl_like_interfaces.logs import LogService, LogStats
from idl_like_interfaces.oldb import OldbStats, OnlineDatabase
from idl_like_interfaces.project import ProjectInformation, ProjectService

if TYPE_CHECKING:
    from nameserver.client import Names

DEADLINE_S = 3.0
_OLD_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A shared service, and how it is examined.

    Attributes:
        subject: As the report says.
        path: Its name below the root context.
        ask: Asks it for what is judged.
        judge: Says how it stands.
        is_needed: An installation that does not have it is not well.
    """

    subject: str
    path: str
    ask: Callable[[Names, str], Any]
    judge: Callable[[str, Any], list[Finding]]
    is_needed: bool = False


def examine_shared(names: Names, root: str, bound: Iterable[str]) -> list[Finding]:
    """Examine all shared services of an installation.

    Args:
        names: Its name service.
        root: Root context of its names.
        bound: Names of the objects that are bound.
    """
    known = set(bound)
    return [
        finding
        for each in SERVICES
        for finding in _examine(names, f"{root}/{each.path}", each, known)
    ]


def _examine(names: Names, name: str, service: Service, bound: set[str]) -> list[Finding]:
    if name not in bound and not service.is_needed:
        found = "is no part of this installation"
        return [Finding(subject=service.subject, verdict=Verdict.NOTE, found=found)]
    try:
        return service.judge(service.subject, service.ask(names, name))
    except RemoteError as error:
        return [
            bad(
                service.subject,
                f"{name}: {error.message}",
                cause=error.cause or "it is not part of the installation, or has died",
                remedy=error.remedy or "add it to the installation file, or start it again",
            )
        ]


def judge_channel(subject: str, stats: ChannelStats) -> list[Finding]:
    """Judge the event channel, its journal, and consumers that are held up."""
    lost = sum(each.dropped for each in stats.consumers)
    found = f"{stats.last} events, {len(stats.consumers)} consumers, {lost} dropped"
    journal = stats.journal
    if journal is not None:
        found += f", journal of {size(journal.bytes)}"
    findings = [Finding(subject=subject, found=found)]
    if journal is not None and journal.problem:
        findings = [_not_stored(subject, found, journal.problem)]
    return findings + [
        Finding(
            subject=f"consumer {each.name}",
            verdict=Verdict.NOTE,
            found=f"is {each.state}, {each.waiting} events wait for it",
            cause="it reads more slowly than events come, or not at all",
            remedy="see it with `obsorb events stats`; look after its program",
        )
        for each in stats.consumers
        if each.state is ConsumerState.QUARANTINED
    ]


def judge_log(subject: str, stats: LogStats) -> list[Finding]:
    """Judge the log service."""
    found = f"{stats.records} records, {stats.lost} lost"
    return [_stored(subject, found, stats.problem)]


def judge_alarms(subject: str, stats: AlarmStats) -> list[Finding]:
    """Judge the alarm service; alarms themselves are noted."""
    count = stats.columns.get(Column.BAD, 0)
    found = f"{count} bad, {stats.columns.get(Column.ACKNOWLEDGED, 0)} acknowledged"
    first = _stored(subject, f"{found}, {stats.per_10_min} within ten minutes", stats.problem)
    if not count:
        return [first]
    note = Finding(
        subject="alarms",
        verdict=Verdict.NOTE,
        found=f"{count} conditions are bad and not acknowledged",
        cause="each alarm says its own",
        remedy="see them with `obsorb alarms list`",
    )
    return [first, note]


def judge_oldb(subject: str, stats: OldbStats) -> list[Finding]:
    """Judge the online database and its mirror."""
    mirror = f", mirror {stats.mirror} {stats.mirror_behind} behind" if stats.mirror else ""
    return [_stored(subject, f"{stats.keys} keys, {size(stats.bytes)}{mirror}", stats.problem)]


def judge_ledger(subject: str, balance: Balance) -> list[Finding]:
    """Judge the accounts of all hops."""
    counts = dict.fromkeys(Balanced, 0)
    for line in balance.lines:
        counts[line.verdict] += 1
    found = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    found = f"{len(balance.lines)} accounts: {found or 'none'}"
    wrong = [line for line in balance.lines if line.verdict is Balanced.UNEXPLAINED]
    if wrong:
        first = wrong[0]
        return [
            bad(
                subject,
                found,
                cause=f"{first.account.hop}, of {first.account.source}: {first.text}",
                remedy="see with `obsorb ledger` which hop lost what, and report it",
            )
        ]
    well = counts[Balanced.BALANCED] == len(balance.lines)
    if well:
        return [Finding(subject=subject, found=found)]
    return [
        Finding(
            subject=subject,
            verdict=Verdict.NOTE,
            found=found,
            cause="what was lost is known; the ledger says where and why",
            remedy="see it with `obsorb ledger`",
        )
    ]


def judge_project(subject: str, information: ProjectInformation) -> list[Finding]:
    """Judge the project service."""
    found = (
        f"{information.project or 'no project'}, {information.operator or 'no operator'}, "
        f"version {information.version}"
    )
    return [Finding(subject=subject, found=found)]


def _stored(subject: str, found: str, problem: str) -> Finding:
    return (
        _not_stored(subject, found, problem) if problem else Finding(subject=subject, found=found)
    )


def _not_stored(subject: str, found: str, problem: str) -> Finding:
    return bad(
        subject,
        f"{found}; {problem}",
        cause="its disk is full or has a fault",
        remedy="free some space, or look after the disk: it goes on by itself",
    )


SERVICES = (
    Service(
        subject="event channel",
        path="events",
        ask=lambda names, name: names.narrow(name, EventChannel, DEADLINE_S).get_stats(),
        judge=judge_channel,
        is_needed=True,
    ),
    Service(
        subject="log service",
        path="log",
        ask=lambda names, name: names.narrow(name, LogService, DEADLINE_S).get_stats(),
        judge=judge_log,
        is_needed=True,
    ),
    Service(
        subject="alarm service",
        path="alarms",
        ask=lambda names, name: names.narrow(name, AlarmService, DEADLINE_S).get_stats(),
        judge=judge_alarms,
    ),
    Service(
        subject="online database",
        path="oldb",
        ask=lambda names, name: names.narrow(name, OnlineDatabase, DEADLINE_S).get_stats(),
        judge=judge_oldb,
    ),
    Service(
        subject="ledger",
        path="ledger",
        ask=lambda names, name: names.narrow(name, Ledger, DEADLINE_S).get_balance("**", _OLD_S),
        judge=judge_ledger,
    ),
    Service(
        subject="project service",
        path="project",
        ask=lambda names, name: names.narrow(name, ProjectService, DEADLINE_S).get(),
        judge=judge_project,
    ),
)
