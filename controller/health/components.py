"""Liveness and readiness of all components, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from controller.health.finding import Finding, Verdict, bad
from idl_like_interfaces.clients import Survey
from idl_like_interfaces.clients.directory import list_all
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.naming import Binding, NotFound
from idl_like_interfaces.supervision import (
    ComponentObject,
    Health,
    PartState,
    PartStatus,
    Supervisor,
    SupervisorStatus,
)

if TYPE_CHECKING:
    from nameserver.client import Names

CONTEXT = "components"
"""Below the root context: every component by its name in the installation."""

DEADLINE_S = 3.0

_NAME_SERVER = "name server"
_SPARE_S = 0.5


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a component stands.

    Attributes:
        component: Its name in the installation.
        alive: It answers.
        ready: It can do its work.
        text: What it says of itself, or why it does not answer.
        health: What it said; None: nothing.
        part: What its supervisor says of its process; None: it has none, or that is away.
    """

    component: str
    alive: bool
    ready: bool
    text: str
    health: Health | None = None
    part: PartStatus | None = None


def ask_supervisor(names: Names, root: str) -> SupervisorStatus | RemoteError:
    """Return how the parts of the installation stand, or why nobody can say so."""
    try:
        return names.narrow(f"{root}/supervisor", Supervisor, DEADLINE_S).get_status()
    except RemoteError as error:
        return error


def ask_components(
    names: Names, root: str, supervisor: SupervisorStatus | RemoteError
) -> list[Standing]:
    """Ask all components at once; also those of which only the supervisor knows.

    Raises:
        CommFailure: The name server does not answer.
    """
    bound = [each.name.rpartition("/")[2] for each in _bound(names, root) if each.interface]
    parts = supervisor.parts if isinstance(supervisor, SupervisorStatus) else []

    def ask(component: str) -> Health:
        name = f"{root}/{CONTEXT}/{component}"
        return names.narrow(name, ComponentObject, DEADLINE_S).get_health()

    with Survey(ask) as survey:
        answers = survey.run(bound, DEADLINE_S + _SPARE_S)
    return standings(answers, parts)


def _bound(names: Names, root: str) -> list[Binding]:
    try:
        return list_all(names.context, f"{root}/{CONTEXT}")
    except NotFound:
        return []


def standings(
    answers: Mapping[str, Health | RemoteError], parts: Iterable[PartStatus]
) -> list[Standing]:
    """Put together what components say and what their supervisor says of them."""
    supervised = {each.name: each for each in parts if each.kind != _NAME_SERVER}
    known = sorted(answers.keys() | supervised.keys())
    return [_standing(name, answers.get(name), supervised.get(name)) for name in known]


def _standing(
    component: str, answer: Health | RemoteError | None, part: PartStatus | None
) -> Standing:
    if isinstance(answer, Health):
        text = "; ".join(filter(None, [answer.reason, _trouble(part)])) or answer.detail
        return Standing(
            component=component,
            alive=True,
            ready=answer.is_ready,
            text=text,
            health=answer,
            part=part,
        )
    why = "its name is not bound" if answer is None else answer.briefly()
    text = _silence(part) or why
    return Standing(component=component, alive=False, ready=False, text=text, part=part)


def _trouble(part: PartStatus | None) -> str:
    if part is None or not part.deaths:
        return ""
    return f"died {part.deaths} times, last: {part.last_death}" if part.is_alarming else ""


def _silence(part: PartStatus | None) -> str:
    """Say what the supervisor knows of a component that does not answer."""
    match part:
        case PartStatus(state=PartState.WAITING):
            return (
                f"died ({part.last_death}), {part.deaths} times in all; "
                f"starts again in {part.restart_in_s:.1f} s"
            )
        case PartStatus(state=PartState.ENDED):
            return "has ended on request"
        case PartStatus(state=PartState.STARTING):
            return f"is starting (pid {part.pid})"
        case _:
            return ""


def examine_components(standings: Iterable[Standing]) -> list[Finding]:
    """Judge how components stand."""
    return [_judge(each) for each in standings]


def _judge(each: Standing) -> Finding:
    subject = f"component {each.component}"
    see = f"`obsorb log query --component {each.component} --level WARNING`"
    if not each.alive:
        return bad(
            subject,
            f"does not answer: {each.text}",
            cause="it has died, or hangs",
            remedy=f"see {see}; start it again: `obsorb supervisor restart {each.component}`",
        )
    if not each.ready:
        return bad(
            subject,
            f"lives, but is not ready: {each.text}",
            cause=each.text,
            remedy=f"see {see}",
        )
    reason = each.health.reason if each.health is not None else ""
    dies = each.part is not None and each.part.is_alarming
    verdict = Verdict.NOTE if reason or dies else Verdict.GOOD
    said = f"ready, {each.text}" if each.text else "ready"
    return Finding(subject=subject, verdict=verdict, found=said)


def examine_supervisor(status: SupervisorStatus | RemoteError) -> list[Finding]:
    """Judge what the supervisor says; an installation may run without one."""
    if isinstance(status, RemoteError):
        return [
            Finding(
                subject="supervisor",
                verdict=Verdict.NOTE,
                found=f"does not answer: {status.briefly()}",
                cause="the components were started one by one (`obsorb serve`), or it has died",
                remedy="run the installation with `obsorb up FILE`: what dies is started again",
            )
        ]
    running = sum(each.state is PartState.RUNNING for each in status.parts)
    found = f"{status.installation} on {status.host}, {running} of {len(status.parts)} parts run"
    return [
        Finding(subject="supervisor", found=found),
        *(_judge_name_server(each) for each in status.parts if each.kind == _NAME_SERVER),
    ]


def _judge_name_server(part: PartStatus) -> Finding:
    subject = f"process of the {part.name}"
    if part.state is PartState.RUNNING:
        return Finding(subject=subject, found=f"runs, pid {part.pid}, died {part.deaths} times")
    return bad(
        subject,
        _silence(part) or part.state.value,
        cause=f"it died: {part.last_death}" if part.last_death else "it was told to end",
        remedy="see what `obsorb up` prints; it is started again by itself",
    )
