"""The option ``--db-host``: where the online database is mirrored."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, TypeAlias

import typer

VARIABLE = "OBSORB_DB_HOST"
"""Through it the option reaches the process of the online database, whoever starts that."""

DbHostOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--db-host",
        "-d",
        metavar="HOST[:PORT]",
        help="Mirror the online database into this Redis server; default: as the file says, "
        "else $DB_HOST, else nowhere.",
    ),
]


@contextmanager
def mirrored_to(db_host: str | None) -> Iterator[None]:
    """Let the online database that is started within be mirrored; None: as it says itself."""
    if not db_host:
        yield
        return
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = db_host
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before
