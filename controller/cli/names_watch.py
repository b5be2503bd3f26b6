"""``obsorb names watch``: what is bound, and then each change as it comes."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from controller.cli.output import print_json, print_line, print_note
from controller.cli.session import Session, addressed
from idl_like_interfaces.clients.backoff import Backoff
from idl_like_interfaces.clients.watcher import NameWatcher
from idl_like_interfaces.errors import CommFailure, RemoteError
from idl_like_interfaces.naming import Binding, BindingType, Change, ChangeKind
from idl_like_interfaces.replication import NotLeading

_READ_S = 25.0


@addressed
def watch(
    session: Session,
    below: Annotated[
        str, typer.Option("--below", metavar="NAME", help="Only this name and what is in it.")
    ] = "",
    count: Annotated[
        int, typer.Option("--count", "-n", min=0, help="End after so many lines; 0: until Ctrl-C.")
    ] = 0,
) -> None:
    """Print what is bound, then each change with its time, until Ctrl-C.

    Goes on through restarts of the name server and says so.
    """
    try:
        with session.connect() as client:
            Watch(NameWatcher(client.context, below), as_json=session.as_json, count=count).run()
    except KeyboardInterrupt:
        # Ctrl-C is the way to end it, no failure.
        return


class Watch:
    """Prints what a watcher hears.

    Args:
        watcher: It has heard nothing yet.
        as_json: Print a document a line.
        count: End after so many lines about names; 0: never.
    """

    def __init__(self, watcher: NameWatcher, *, as_json: bool, count: int) -> None:
        self._watcher = watcher
        self._as_json = as_json
        self._count = count
        self._printed = 0
        self._is_away = False
        self._backoff = Backoff()

    def run(self) -> None:
        """Print until all that was wanted is printed.

        Raises:
            CommFailure: The name server cannot be reached at the beginning.
        """
        for change in self._watcher.read(_READ_S):
            self._print("known", change.binding.bound_at, change.binding)
        while not self._is_done():
            for change in self._next():
                self._print(change.kind.value, _time_of(change), change.binding)

    def _next(self) -> list[Change]:
        epoch = self._watcher.epoch
        try:
            changes = self._watcher.read(_READ_S)
        except (CommFailure, NotLeading) as error:
            self._tell_away(error)
            threading.Event().wait(self._backoff.next_s())
            return []
        self._tell_back(is_new=self._watcher.epoch != epoch)
        return changes

    def _tell_away(self, error: RemoteError) -> None:
        if not self._is_away:
            self._tell("lost", f"the name server does not answer: {error.message}")
        self._is_away = True

    def _tell_back(self, *, is_new: bool) -> None:
        self._backoff.reset()
        if is_new:
            what = "the name server was started anew, or another one leads; what differs follows"
            self._tell("restarted", what)
        elif self._is_away:
            self._tell("back", "the name server answers again; nothing was missed")
        self._is_away = False

    def _tell(self, what: str, text: str) -> None:
        if self._as_json:
            document = {"type": what, "time": datetime.now(UTC), "message": text}
            print_json(document, lines=True)
        else:
            print_note(f"-- {_stamp(datetime.now(UTC))} {text}")

    def _print(self, what: str, time: datetime, binding: Binding) -> None:
        if self._is_done():
            return
        self._printed += 1
        if self._as_json:
            document: dict[str, Any] = {"type": what, "time": time, "binding": binding}
            print_json(document, lines=True)
        else:
            print_line(line_of(what, time, binding))

    def _is_done(self) -> bool:
        return self._printed == self._count > 0


def line_of(what: str, time: datetime, binding: Binding) -> str:
    """Say what happened to a name on one line."""
    is_context = binding.type is BindingType.CONTEXT
    name = f"{binding.name}/" if is_context else binding.name
    return f"{_stamp(time)} {what:<7} {name:<28} {binding.uri}".rstrip()


def _time_of(change: Change) -> datetime:
    """Return when a change happened: by the name server's clock, else when it was heard."""
    return change.binding.bound_at if change.kind is ChangeKind.BOUND else datetime.now(UTC)


def _stamp(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
