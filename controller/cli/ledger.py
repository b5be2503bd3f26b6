"""``obsorb ledger``: what became of the items of each source, and which hop lost some."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from controller.cli.lazy import single
from controller.cli.ledger_text import is_wrong, screen, table, verdict_text, wrong_text
from controller.cli.output import print_json, print_line, print_note
from controller.cli.session import Session, addressed
from controller.failure import CommandFailed
from idl_like_interfaces.accounts import Account, Accountant, Balance, Ledger
from idl_like_interfaces.clients.accounts_survey import DEADLINE_S, AccountSurvey
from idl_like_interfaces.clients.directory import list_all
from idl_like_interfaces.errors import CommFailure, ObjectNotExist
from idl_like_interfaces.naming import Binding, NotFound

if TYPE_CHECKING:
    from rich.console import Console

    from nameserver.client import Names

app = single()

PERIOD_S = 2.0

_LEDGER_DEADLINE_S = 15.0
_PLAIN_WIDTH = 120


@app.command()
@addressed
def ledger(
    session: Session,
    source: Annotated[
        str, typer.Option("--source", metavar="GLOB", help="Only of these sources, e.g. obs/ocm.")
    ] = "**",
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Show it every two seconds, until Ctrl-C.")
    ] = False,
    count: Annotated[
        int, typer.Option("--count", "-n", min=0, help="With --watch: end after so many times.")
    ] = 0,
    shows_all: Annotated[
        bool, typer.Option("--all", help="Also earlier starts of sources, if all is balanced.")
    ] = False,
    direct: Annotated[
        bool, typer.Option("--direct", help="Ask the hops themselves, not the ledger.")
    ] = False,
) -> None:
    """Show what each hop was given, passed on, dropped; name the hop that lost something.

    Exit codes: 0 all is balanced, 1 something was lost, is in doubt or unexplained.
    """
    with session.connect() as client, _asking(session, client, source, direct=direct) as ask:
        if watch:
            with suppress(KeyboardInterrupt):  # the way to end it, no failure
                _watch(session, ask, count)
            return
        balance = ask()
    if session.as_json:
        print_json(balance)
    else:
        _print(balance, shows_all=shows_all)
    wrong = [each for each in balance.lines if is_wrong(each)]
    if wrong:
        raise CommandFailed(
            f"{verdict_text(balance.lines)}: {wrong_text(wrong)}",
            remedy="see what the hop said at that time: obsorb log query --component NAME",
        )


@contextmanager
def _asking(
    session: Session, client: Names, source: str, *, direct: bool
) -> Iterator[Callable[[], Balance]]:
    """Yield what asks for the balance: at the ledger, or, where there is none, at the hops."""
    service = client.narrow(session.path("ledger"), Ledger, _LEDGER_DEADLINE_S)

    def find() -> list[Binding]:
        return list_all(client.context_within(DEADLINE_S), session.root)

    def ask(name: str) -> list[Account]:
        return client.narrow(name, Accountant, DEADLINE_S).get_accounts()

    with AccountSurvey(find, ask) as survey:
        is_direct = direct

        def balance() -> Balance:
            nonlocal is_direct
            if not is_direct:
                try:
                    return service.get_balance(source)
                except (NotFound, ObjectNotExist, CommFailure) as error:
                    print_note(_without_ledger(error))
                    is_direct = True
            return _from_hops(survey, source)

        yield balance


def _without_ledger(error: NotFound | ObjectNotExist | CommFailure) -> str:
    return (
        f"the ledger is away ({error.briefly()}): the hops are asked; "
        "what hops that are gone have lost is not known"
    )


def _from_hops(survey: AccountSurvey, source: str) -> Balance:
    # Twice: what a hop had passed on the first time must be at the next one the second time.
    survey.run(datetime.now(UTC))
    now = datetime.now(UTC)
    survey.run(now)
    return survey.balance(now, source)


def _watch(session: Session, ask: Callable[[], Balance], count: int) -> None:
    from rich.console import Console

    console = Console()
    if session.as_json or not console.is_terminal:
        for balance in _rounds(ask, count):
            if session.as_json:
                print_json(balance, lines=True)
            else:
                _print(balance)
        return
    _watch_live(console, ask, count)


def _watch_live(console: Console, ask: Callable[[], Balance], count: int) -> None:
    from rich.live import Live
    from rich.text import Text

    with Live(console=console, screen=True, auto_refresh=False, transient=True) as live:
        for balance in _rounds(ask, count):
            lines = screen(balance, console.width, console.height)
            frame = Text("\n").join(Text(each.text, style=each.style) for each in lines)
            live.update(frame, refresh=True)


def _rounds(ask: Callable[[], Balance], count: int) -> Iterator[Balance]:
    done = 0
    while True:
        yield ask()
        done += 1
        if done == count:
            return
        threading.Event().wait(PERIOD_S)


def _print(balance: Balance, *, shows_all: bool = False) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        for line in table(balance, _PLAIN_WIDTH, shows_all=shows_all):
            print_line(line.text)
        return
    for line in table(balance, console.width, shows_all=shows_all):
        console.print(Text(line.text, style=line.style), overflow="ellipsis", no_wrap=True)
