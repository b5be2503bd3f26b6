"""``obsorb certs``: a private authority and what it issues."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from controller.cli.lazy import group
from controller.cli.options import JsonOption
from controller.cli.output import print_json, print_line, print_note
from controller.failure import CommandFailed
from idl_like_interfaces.declare import Role
from idl_like_interfaces.errors import RemoteError

if TYPE_CHECKING:
    from idl_like_interfaces.security.certificates import Certificate

app = group()

_DEFAULT = "certs"
_CA_DAYS, _DAYS = 3650, 365

DirOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--dir",
        metavar="DIR",
        help="Folder of the certificates; default $OBSORB_CERTS, else certs.",
    ),
]
NameArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="NAME", help="A person, a component or a host.")
]
ForceOption: TypeAlias = Annotated[
    bool, typer.Option("--force", help="Replace what is there already.")
]


@app.callback()
def certs() -> None:
    """Make, list and withdraw certificates."""


@app.command()
def init(
    folder: DirOption = None,
    name: Annotated[str, typer.Option("--name", help="Name of the authority.")] = "obsorb",
    days: Annotated[int, typer.Option("--days", help="How long it is valid.")] = _CA_DAYS,
    force: ForceOption = False,
    as_json: JsonOption = None,
) -> None:
    """Make a private authority: one command, one folder."""
    from idl_like_interfaces.security.authority import Authority

    with _writing(_folder(folder)) as place:
        made = Authority.init(place, name, days, force=force)
    if as_json:
        print_json({"name": name, "folder": str(made.folder)})
    else:
        print_line(
            f"authority {name} in {made.folder}; keep ca.key where few can come, best offline"
        )


@app.command()
def issue(
    name: NameArgument,
    role: Annotated[
        Role, typer.Option("--role", help="What it may do at most, e.g. operator.")
    ] = Role.OBSERVER,
    host: Annotated[
        list[str] | None,
        typer.Option(
            "--host",
            metavar="HOST",
            help="Name or address under which it serves; may be repeated. None: it only calls.",
        ),
    ] = None,
    days: Annotated[int, typer.Option("--days", help="How long it is valid.")] = _DAYS,
    folder: DirOption = None,
    force: ForceOption = False,
    as_json: JsonOption = None,
) -> None:
    """Make a key and a certificate that states a role."""
    from idl_like_interfaces.security.authority import Authority

    with _writing(_folder(folder)) as place:
        made = Authority(place).issue(name, role, host or [], days, force=force)
    if as_json:
        print_json(made)
    else:
        print_line(_line(made))


@app.command("list")
def list_certificates(folder: DirOption = None, as_json: JsonOption = None) -> None:
    """List certificates: name, role, validity, end, number, hosts."""
    from idl_like_interfaces.security.authority import issued
    from idl_like_interfaces.security.certificates import Validity

    found = issued(_folder(folder))
    if as_json:
        print_json(found)
        return
    for each in found:
        print_line(_line(each))
        if each.validity in (Validity.EXPIRES_SOON, Validity.EXPIRED):
            print_note(
                f"warning: {each.name} {each.validity} ({each.until:%Y-%m-%d}); "
                f"issue a new one: obsorb certs issue {each.name} --role {each.role or Role.OBSERVER} --force"
            )


@app.command()
def revoke(
    name: NameArgument,
    serial: Annotated[
        str,
        typer.Option("--serial", metavar="HEX", help="Of an older certificate of that name."),
    ] = "",
    folder: DirOption = None,
) -> None:
    """Withdraw a certificate: write it into the list ca.crl, which servers read at their start."""
    from idl_like_interfaces.security.authority import Authority, issued

    place = _folder(folder)
    authority = Authority(place)
    number = serial or next((c.serial for c in issued(place) if c.name == name), "")
    try:
        with _writing(place):
            authority.revoke(int(number, 16))
    except ValueError as error:
        raise CommandFailed(
            f"{serial!r} is not a serial number: not hexadecimal"
            if serial
            else f"there is no certificate for {name} in {place}",
            remedy="see `obsorb certs list`",
        ) from error
    print_line(f"{name} ({number}) is withdrawn")
    print_note("copy ca.crl to the certificates of each host and start the installation again")


@contextmanager
def _writing(folder: Path) -> Iterator[Path]:
    """Say what the disk refuses; our own refusals say it themselves."""
    try:
        yield folder
    except RemoteError:
        raise
    except OSError as error:
        raise CommandFailed(
            f"{folder} cannot be written: {error.strerror or error}",
            cause="the folder cannot be made, is full, or you may not write there",
            remedy="give a folder of your own with --dir or $OBSORB_CERTS",
        ) from error


def _folder(option: Path | None) -> Path:
    return (option or Path(os.environ.get("OBSORB_CERTS") or _DEFAULT)).expanduser()


def _line(each: Certificate) -> str:
    hosts = ", ".join(each.hosts) or "(only calls)"
    return (
        f"{each.name:<16} {each.role or '-':<9} {each.validity:<12} "
        f"until {each.until:%Y-%m-%d}  {each.serial:<40} {hosts}"
    )
