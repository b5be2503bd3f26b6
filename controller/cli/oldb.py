"""``obsorb oldb``: the present state, settings and status of everything, by key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from controller.cli.lazy import group
from controller.cli.oldb_text import (
    point_lines,
    print_tree,
    stats_text,
    terminal_width,
    value_document,
    why_not_ok,
)
from controller.cli.output import print_line, print_note
from controller.cli.session import Session, addressed
from controller.failure import CommandFailed
from idl_like_interfaces.naming import NotFound
from idl_like_interfaces.oldb import DataPoint, NoSuchKey, OnlineDatabase, Quality

if TYPE_CHECKING:
    from nameserver.client import Names

app = group()

_WILD = frozenset("*?")
_PAGE = 1000


@app.callback()
def oldb() -> None:
    """Look into the online database."""


@app.command()
@addressed
def get(
    session: Session,
    key: Annotated[
        str,
        typer.Argument(metavar="KEY|FILTER", help="e.g. ocm/state, or '*/state' for a list."),
    ],
) -> None:
    """Print the value of a key, or all that match a filter with time and quality.

    Of one key only the value goes to stdout; a doubt about it goes to stderr.
    """
    with session.connect() as client:
        database = _database(session, client)
        if not _WILD & set(key):
            _print_value(session, database.read(key))
            return
        points = list(_all(database, [key]))
    if not points:
        raise CommandFailed(
            f"no key matches {key}",
            cause="it is mistyped, or nobody has written such a key yet",
            remedy="see what there is with `obsorb oldb ls`; '**' stands for any components",
        )
    session.emit(points, "\n".join(point_lines(points, terminal_width())))


@app.command("ls")
@addressed
def list_(
    session: Session,
    key: Annotated[
        str, typer.Argument(metavar="[KEY]", help="What stands below it; without: everything.")
    ] = "",
    depth: Annotated[
        int, typer.Option("--depth", "-d", min=0, help="So many levels; 0: all of them.")
    ] = 0,
) -> None:
    """Draw the keys as a tree, with their values.

    With --json one level: name, whether it is a value, and how many keys stand below.
    """
    with session.connect() as client:
        database = _database(session, client)
        if session.as_json:
            session.emit(database.children(key), "")
            return
        points = list(_all(database, [f"{key}/**"] if key else ["**"]))
    if key and not points:
        raise NoSuchKey(
            f"nothing stands at or below {key}",
            key=key,
            cause="it is mistyped, or nobody has written it yet, or it was removed",
            remedy="see what there is with `obsorb oldb ls`",
        )
    if not points:
        print_note("-- the online database is empty")
        return
    print_tree(key, points, depth)


@app.command()
@addressed
def watch(
    session: Session,
    filters: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILTER]...", help="e.g. 'ocm/**'; without: everything."),
    ] = None,
    count: Annotated[
        int, typer.Option("--count", "-n", min=0, help="End after so many lines; 0: until Ctrl-C.")
    ] = 0,
) -> None:
    """Print what is there and then each change, until Ctrl-C; with --json a document a line.

    Goes on through restarts of database and channel, and says when it is blind.
    """
    from controller.cli.oldb_watch import Watch

    with session.connect() as client:
        database = _database(session, client)
        Watch(session, client, database, filters or ["**"], count).run()


@app.command()
@addressed
def stats(session: Session) -> None:
    """Say how much is stored, by whom, and whether the mirror follows."""
    with session.connect() as client:
        found = _database(session, client).get_stats()
    session.emit(found, stats_text(found))


@app.command()
@addressed
def remove(
    session: Session,
    filters: Annotated[
        list[str], typer.Argument(metavar="FILTER...", help="Keys or filters, e.g. 'old/**'.")
    ],
) -> None:
    """Remove keys that nobody writes any more, and print how many there were."""
    with session.connect() as client:
        removed = _database(session, client).remove(filters)
    session.emit({"removed": removed}, f"{removed} keys removed")


def _database(session: Session, client: Names) -> OnlineDatabase:
    """Return the database.

    Raises:
        CommandFailed: The installation has none.
    """
    name = session.path("oldb")
    try:
        client.resolve(name)
    except NotFound as error:
        raise CommandFailed(
            f"there is no online database: {name} is not bound",
            cause="the installation has no component of the kind oldb, or it does not run",
            remedy='add [component.oldb] with kind = "oldb" to the installation file, '
            "or see with `obsorb doctor` why it does not run",
        ) from error
    return client.narrow(name, OnlineDatabase)


def _all(database: OnlineDatabase, filters: list[str]) -> Iterator[DataPoint]:
    after = ""
    while True:
        page = database.read_all(filters, after, _PAGE)
        yield from page.points
        if not page.after:
            return
        after = page.after


def _print_value(session: Session, point: DataPoint) -> None:
    session.emit(point, "")
    if not session.as_json:
        print_line(value_document(point.value))
        if point.quality is not Quality.OK:
            print_note(why_not_ok(point))
