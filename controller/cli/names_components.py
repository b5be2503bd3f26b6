"""``obsorb names ping`` of components: do they live, are they ready."""

from __future__ import annotations

from controller.cli.output import print_json, print_line
from controller.cli.session import Session
from controller.dashboard.text import duration
from controller.failure import CommandFailed
from controller.health.components import CONTEXT, Standing, ask_components, ask_supervisor
from idl_like_interfaces.naming import NotFound


def is_component(session: Session, name: str) -> bool:
    """Tell whether a name is that of a component: below its context, or bare and not bound."""
    if "/" in name or not name:
        return name.startswith(f"{session.root}/{CONTEXT}/")
    with session.connect() as client:
        try:
            client.context.resolve(name)
        except NotFound:
            return True
    return False


def ping_components(session: Session, component: str = "") -> None:
    """Ask one component, or all of them.

    Raises:
        CommandFailed: One does not live or is not ready, or there is none of this name.
    """
    with session.connect() as client:
        supervisor = ask_supervisor(client, session.root)
        found = ask_components(client, session.root, supervisor)
    chosen = [each for each in found if not component or each.component == component]
    if not chosen:
        raise CommandFailed(
            f"there is no component {component!r}" if component else "no component is bound",
            cause=f"those that there are: {', '.join(each.component for each in found) or 'none'}",
            remedy="give one of them, or the full name of an object",
        )
    print_json(chosen) if session.as_json else print_line("\n".join(map(standing_line, chosen)))
    if unwell := [each.component for each in chosen if not each.ready]:
        raise CommandFailed(
            f"{len(unwell)} of {len(chosen)} are not ready: {', '.join(unwell)}",
            remedy="see with `obsorb log query --level WARNING` what they said last",
        )


def standing_line(each: Standing) -> str:
    """Say how a component stands."""
    word = "ready" if each.ready else "not ready" if each.alive else "NOT ALIVE"
    health = each.health
    who = f"{health.kind:<10} up {duration(health.uptime_s):<7}" if health else f"{'-':<20}"
    process = f"{health.host} pid {health.pid}" if health else "-"
    return f"{each.component:<16} {word:<10} {who} {process:<24} {each.text}".rstrip()
