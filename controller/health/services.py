"""The running services: does what is bound answer, and is it what was bound."""

from __future__ import annotations

from controller.health.calls import examine_calls
from controller.health.components import (
    CONTEXT,
    ask_components,
    ask_supervisor,
    examine_components,
    examine_supervisor,
)
from controller.health.files import examine_files
from controller.health.finding import Finding, bad
from controller.health.pair import examine_pair, judge_silence
from controller.health.shared import examine_shared
from controller.health.trust import examine_exposure
from controller.statistics import ask_all, survey_of
from idl_like_interfaces.clients import Survey
from idl_like_interfaces.clients.directory import list_all
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.mapping.calling.dialing import tls_context
from idl_like_interfaces.naming import OBJECT_ID, Binding, BindingType
from idl_like_interfaces.object import Identity, Object
from nameserver.client import Names, name_server_address, show_addresses

_DEADLINE_S = 3.0
_SPARE_S = 0.5


def examine_services(option: str | None, root: str) -> list[Finding]:
    """Examine the name server, every bound object, all components and the shared services."""
    address = name_server_address(option)
    subject = f"name server {show_addresses(address)}"
    with Names(address) as names:
        try:
            bindings = list_all(names.context)
        except RemoteError as error:
            return [
                *examine_pair(address),
                judge_silence(
                    subject,
                    error,
                    cause="it is not running, or it is elsewhere",
                    remedy="start an installation with `obsorb up FILE`, or give --names",
                ),
            ]
        objects = [each for each in bindings if each.type is BindingType.OBJECT]
        findings = [Finding(subject=subject, found=f"{len(objects)} objects are bound")]
        findings += examine_pair(address)
        # Components answer for themselves, below.
        others = [each for each in objects if not each.name.startswith(f"{root}/{CONTEXT}/")]
        findings += _examine_objects(names, others)
        findings += _examine_components(names, root)
        findings += examine_shared(names, root, (each.name for each in objects))
        is_secure = tls_context() is not None
        findings += examine_exposure((each.uri for each in objects), is_secure=is_secure)
    return findings


def _examine_components(names: Names, root: str) -> list[Finding]:
    supervisor = ask_supervisor(names, root)
    standings = ask_components(names, root, supervisor)
    return [*examine_supervisor(supervisor), *examine_components(standings)]


def _examine_objects(names: Names, objects: list[Binding]) -> list[Finding]:
    """Ask all at once, so that those that hang are waited for together."""
    bound = {each.name: each for each in objects}

    def ping(name: str) -> Identity:
        return names.narrow(bound[name].uri, Object, _DEADLINE_S).ping()

    with Survey(ping) as pings:
        found = pings.run(bound, _DEADLINE_S + _SPARE_S)
    alive = {name: each for name, each in found.items() if isinstance(each, Identity)}
    with survey_of(names, _DEADLINE_S) as survey:
        ours = [name for name in alive if bound[name].interface]
        answers = ask_all(survey, [OBJECT_ID, *ours], _DEADLINE_S)
    return [
        *(judge_answer(bound[name], each) for name, each in found.items()),
        *examine_calls(answers),
        *examine_files(alive),
    ]


def judge_answer(binding: Binding, answer: Identity | RemoteError) -> Finding:
    """Judge what came of a ping."""
    if isinstance(answer, Identity):
        return judge_identity(binding, answer)
    return bad(
        binding.name,
        f"no answer from {binding.uri}: {answer.briefly()}",
        cause="its component has died; the name goes when its lease ends"
        if binding.lease_id
        else "it does not run; its name was given without a lease, so it stays",
        remedy="see why with `obsorb log query --level WARNING`, and start it again"
        if binding.lease_id
        else f"start it, or take its name away: obsorb names unbind {binding.name}",
    )


def judge_identity(binding: Binding, identity: Identity) -> Finding:
    """Judge whether the object that answers is the one that was bound."""
    bound_id = binding.uri.removeprefix("PYRO:").rpartition("@")[0]
    if identity.object_id == bound_id:
        found = f"alive, {identity.host} pid {identity.pid}"
        return Finding(subject=binding.name, found=found)
    return bad(
        binding.name,
        f"{identity.object_id} of incarnation {identity.incarnation} answers, "
        f"but {bound_id} is bound",
        cause="another process has taken the port of the one that was bound",
        remedy="start the component again; it binds its name anew",
    )
